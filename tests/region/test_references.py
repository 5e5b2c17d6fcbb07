# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups of a region that name each other, with members that come and go; and who can get around them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.machine import run
from tests.region.account import ANYWHERE, Account, eventually
from tests.region.namespaces import PATIENCE, Namespace

# What a change of rules or members may take, in seconds; a machine that is busy otherwise is slower.
SECONDS = 2.0
WEB = 8080


class Fleet:
    """Instances of one VPC; each listens on a port from the moment that it runs."""

    def __init__(self, account: Account) -> None:
        self.account, self.ec2, self.vpc = account, account.ec2, account.vpc()
        self.sockets: list[socket.socket] = []

    def group(self, name: str) -> str:
        """A group that lets nothing in or out."""
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc.id)["GroupId"]
        self.ec2.revoke_security_group_egress(GroupId=made, IpPermissions=[ANYWHERE])
        return str(made)

    def let_in(self, group: str, *sources: str) -> None:
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission(*sources)])

    def let_out(self, group: str, *destinations: str) -> None:
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[permission(*destinations)])

    def launch(self, group: str, subnet: str | None = None, address: str | None = None) -> Host:
        """An instance that runs; in the private subnet unless told otherwise."""
        card = {"DeviceIndex": 0, "SubnetId": subnet or self.vpc.private, "Groups": [group]}
        if address:
            card["PrivateIpAddress"] = address
        options = {"ImageId": self.account.image(), "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}
        made = self.ec2.run_instances(NetworkInterfaces=[card], **options)["Instances"][0]
        assert self.account.becomes(made["InstanceId"], "running")
        host = Host(made["InstanceId"], self.account.region.place.namespace_of(made["InstanceId"]), made)
        self.sockets.append(host.listen(WEB))
        return host

    def join(self, host: Host, *groups: str) -> None:
        """From now on it has these groups and no others."""
        self.ec2.modify_instance_attribute(InstanceId=host.id, Groups=list(groups))


class Host(Namespace):
    """An instance, seen from inside."""

    def __init__(self, instance: str, namespace: str, told: dict[str, Any]) -> None:
        super().__init__(namespace, told["PrivateIpAddress"])
        self.id = instance


def permission(*sources: str) -> dict[str, Any]:
    """Of groups and ranges."""
    return {"IpProtocol": "tcp", "FromPort": WEB, "ToPort": WEB, **of(*sources)}


def of(*sources: str) -> dict[str, Any]:
    groups = [{"GroupId": source} for source in sources if source.startswith("sg-")]
    ranges = [{"CidrIp": source} for source in sources if not source.startswith("sg-")]
    told = {"UserIdGroupPairs": groups, "IpRanges": ranges}
    return {key: named for key, named in told.items() if named}


@pytest.fixture
def fleet(account: Account) -> Iterator[Fleet]:
    made = Fleet(account)
    yield made
    for opened in made.sockets:
        opened.close()


def opens(source: Namespace, target: Namespace) -> bool:
    return soon(lambda: source.reaches(target.address, WEB))


def closes(source: Namespace, target: Namespace) -> bool:
    return soon(lambda: not source.reaches(target.address, WEB))


def soon(what: Callable[[], bool]) -> bool:
    began = time.monotonic()
    return bool(eventually(what, 10, 0.05)) and time.monotonic() - began < SECONDS + PATIENCE


def test_a_referenced_group_lets_in_whoever_is_in_it_now(fleet: Fleet) -> None:
    front, back, other = (fleet.group(name) for name in ("front", "back", "other"))
    fleet.let_in(back, front)
    for group in (front, other):
        fleet.let_out(group, "0.0.0.0/0")
    host, member, stranger = fleet.launch(back), fleet.launch(front, fleet.vpc.public), fleet.launch(other)
    assert opens(member, host)
    assert not stranger.reaches(host.address, WEB)
    fleet.join(stranger, front, other)
    assert opens(stranger, host)
    fleet.join(stranger, other)
    assert closes(stranger, host)

    # Whoever has the address of a member that is gone is none.
    fleet.ec2.terminate_instances(InstanceIds=[member.id])
    assert fleet.account.becomes(member.id, "terminated")
    heir = fleet.launch(other, fleet.vpc.public, member.address)
    assert heir.address == member.address
    assert not heir.reaches(host.address, WEB)
    late = fleet.launch(front)
    assert opens(late, host)
    fleet.ec2.revoke_security_group_ingress(GroupId=back, IpPermissions=[permission(front)])
    assert closes(late, host)


def test_groups_that_name_themselves_and_each_other_by_what_comes_in_and_goes_out(fleet: Fleet) -> None:
    left, right = fleet.group("left"), fleet.group("right")
    one, peer, other = fleet.launch(left), fleet.launch(left, fleet.vpc.public), fleet.launch(right)
    assert not one.reaches(peer.address, WEB)
    fleet.let_in(left, left)
    assert not one.reaches(peer.address, WEB)
    fleet.let_out(left, left)
    assert opens(one, peer)
    assert opens(peer, one)
    assert not one.reaches(other.address, WEB)

    fleet.let_out(left, right)
    fleet.let_in(right, left)
    assert opens(one, other)
    assert not other.reaches(one.address, WEB)
    fleet.let_out(right, left)
    fleet.let_in(left, right)
    assert opens(other, one)
    fleet.join(one, right)
    assert closes(one, other)
    assert opens(one, peer)
    fleet.ec2.revoke_security_group_egress(GroupId=right, IpPermissions=[permission(left)])
    assert closes(other, peer)
    assert opens(peer, other)


def test_ranges_and_whoever_leaves_them(fleet: Fleet) -> None:
    web, client = fleet.group("web"), fleet.group("client")
    host, near, far = fleet.launch(web), fleet.launch(client), fleet.launch(client, fleet.vpc.public)
    fleet.let_in(web, f"{near.address}/32")
    fleet.let_out(client, f"{host.address}/32")
    assert opens(near, host)
    assert not far.reaches(host.address, WEB)
    fleet.let_in(web, "10.91.0.0/24")
    assert opens(far, host)
    fleet.ec2.revoke_security_group_ingress(GroupId=web, IpPermissions=[permission(f"{near.address}/32")])
    assert closes(near, host)
    assert far.reaches(host.address, WEB)


def test_nobody_gets_around_them_from_inside(fleet: Fleet) -> None:
    """Neither by rules of his own nor by the address of another."""
    web, client = fleet.group("web"), fleet.group("client")
    host, member, guest = fleet.launch(web), fleet.launch(client), fleet.launch(fleet.vpc.group)
    fleet.let_in(web, client)
    fleet.let_out(client, "0.0.0.0/0")
    assert opens(member, host)
    assert not guest.reaches(host.address, WEB)
    run("nsenter", f"--net={host.path}", "nft", "flush", "ruleset")
    assert not guest.reaches(host.address, WEB)

    # A datagram needs no answer to do harm.
    fleet.ec2.authorize_security_group_ingress(
        GroupId=web, IpPermissions=[{"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, **of(client)}]
    )
    fleet.ec2.authorize_security_group_egress(GroupId=client, IpPermissions=[ANYWHERE])
    with host.open(socket.SOCK_DGRAM) as opened:
        opened.bind(("0.0.0.0", 53))
        opened.settimeout(PATIENCE)
        assert soon(lambda: hears(opened, host.address, member, member.address))
        run("ip", "-netns", guest.name, "address", "add", f"{member.address}/32", "dev", "ens5")
        assert not hears(opened, host.address, guest, member.address)
        fleet.ec2.modify_instance_attribute(InstanceId=guest.id, SourceDestCheck={"Value": False})
        assert soon(lambda: hears(opened, host.address, guest, member.address))


def hears(listening: socket.socket, address: str, sender: Namespace, name: str) -> bool:
    """Whether a datagram arrives that is sent under this name."""
    with sender.open(socket.SOCK_DGRAM) as opened:
        opened.bind((name, 0))
        opened.sendto(b"?", (address, 53))
        try:
            return listening.recvfrom(10)[1] == opened.getsockname()
        except TimeoutError:
            return False
