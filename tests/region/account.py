# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of a region do as its users: calls through boto3, SSH with a key pair."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.region.region import Region

OWNER = "136693071363"
# Everything that a test opens for itself.
ANYWHERE = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def eventually(what: Callable[[], Any], seconds: float, pause: float = 0.1) -> Any:
    """The first true answer within a time; the last one when there was none."""
    deadline = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < deadline:
        time.sleep(pause)
    return answer


@dataclass(frozen=True)
class Vpc:
    """A VPC with a public and a private subnet, and a security group that allows everything."""

    id: str
    public: str
    private: str
    private_routes: str
    group: str


class Account:
    """An empty account of a region."""

    def __init__(self, region: Region, folder: Path) -> None:
        self.region, self.cloud, self.folder = region, region.cloud, folder
        self.ec2 = self.cloud.client("ec2")
        self.key = folder / "key"
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text("", encoding="ascii")

    def image(self, release: int = 13) -> str:
        """The newest image of a release of Debian, found as on AWS."""
        filters = [{"Name": "name", "Values": [f"debian-{release}-amd64-*"]}]
        found = self.ec2.describe_images(Owners=[OWNER], Filters=filters)["Images"]
        return str(max(found, key=lambda image: image["CreationDate"])["ImageId"])

    def key_pair(self) -> str:
        """A key pair, whose private key is in ``key``."""
        self.key.write_text(self.ec2.create_key_pair(KeyName="operator", KeyType="ed25519")["KeyMaterial"])
        self.key.chmod(0o600)
        return "operator"

    def vpc(self, network: str = "10.91") -> Vpc:
        vpc = self.ec2.create_vpc(CidrBlock=f"{network}.0.0/16")["Vpc"]["VpcId"]
        public, private = (
            self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"{network}.{number}.0/24")["Subnet"]["SubnetId"]
            for number in (0, 1)
        )
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        self.route(self.routes(vpc, public), GatewayId=gateway)
        group = self.ec2.create_security_group(GroupName="open", Description="everything", VpcId=vpc)["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ANYWHERE])
        return Vpc(vpc, public, private, self.routes(vpc, private), group)

    def routes(self, vpc: str, subnet: str) -> str:
        table = self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return str(table)

    def route(self, table: str, **target: str) -> None:
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)

    def launch(self, subnet: str, group: str, public: bool = False, **options: Any) -> str:
        """Start an instance; its id."""
        card = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "AssociatePublicIpAddress": public}
        options = {"ImageId": self.image(), "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro", **options}
        found = self.ec2.run_instances(NetworkInterfaces=[card], **options)["Instances"][0]
        return str(found["InstanceId"])

    def instance(self, instance: str) -> dict[str, Any]:
        reservations = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        found: dict[str, Any] = reservations[0]["Instances"][0]
        return found

    def state(self, instance: str) -> str:
        return str(self.instance(instance)["State"]["Name"])

    def becomes(self, instance: str, state: str, seconds: float = 30) -> bool:
        return bool(eventually(lambda: self.state(instance) == state, seconds))

    def console(self, instance: str) -> str:
        return str(self.ec2.get_console_output(InstanceId=instance)["Output"])

    def host_keys(self, instance: str, seconds: float = 90) -> list[str]:
        """The host keys that the console shows, as soon as it does."""
        pattern = r"BEGIN SSH HOST KEY KEYS-----\s(.*?)-----END SSH HOST KEY KEYS"
        found = eventually(lambda: re.search(pattern, self.console(instance), re.DOTALL), seconds, 0.5)
        assert found, self.console(instance)
        return [" ".join(line.split()[:2]) for line in found[1].splitlines() if line.strip()]

    def trust(self, instance: str, *addresses: str) -> None:
        """Pin the host keys that the console shows."""
        with self.known_hosts.open("a", encoding="ascii") as file:
            file.writelines(f"{address} {key}\n" for key in self.host_keys(instance) for address in addresses)

    def ssh(self, address: str, command: str, through: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command over SSH as the image's user; host keys are checked."""
        options = ["-F", "none", "-i", str(self.key), "-o", f"UserKnownHostsFile={self.known_hosts}"]
        options += ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
        jump = ["-o", f"ProxyCommand=ssh {' '.join(options)} -W %h:%p admin@{through}"] if through else []
        arguments = ["ssh", *options, *jump, f"admin@{address}", command]
        return subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=60)
