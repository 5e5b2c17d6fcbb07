# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet behind a load balancer, as the API tells of it and as a visitor meets it."""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.account import Account
from lab.machine import LabError, run


@dataclass(frozen=True)
class Fleet:
    """The Auto Scaling group ``<platform>-<name>``, and the target group ``<platform>-<service>`` that it serves in.

    ``domain`` is the public name by which visitors ask.
    """

    account: Account
    platform: str
    name: str
    service: str
    domain: str

    @property
    def group(self) -> str:
        return f"{self.platform}-{self.name}"

    # As the API tells of it.

    def described(self) -> dict[str, Any]:
        """The Auto Scaling group."""
        told = self.account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        found: dict[str, Any] = told["AutoScalingGroups"][0]
        return found

    def instances(self) -> dict[str, str]:
        """Id → zone of the group's instances."""
        return {one["InstanceId"]: one["AvailabilityZone"] for one in sorted_by_id(self.described()["Instances"])}

    def suspended(self) -> set[str]:
        """Processes of the group that stand still."""
        return {one["ProcessName"] for one in self.described()["SuspendedProcesses"]}

    def targets(self) -> dict[str, dict[str, Any]]:
        """Id → TargetHealth of every registered target."""
        elb = self.account.client("elbv2")
        arn = elb.describe_target_groups(Names=[f"{self.platform}-{self.service}"])["TargetGroups"][0]["TargetGroupArn"]
        told = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {one["Target"]["Id"]: one["TargetHealth"] for one in told}

    def healthy(self) -> set[str]:
        """Ids of the targets that are healthy."""
        return {target for target, health in self.targets().items() if health["State"] == "healthy"}

    def settled(self) -> bool:
        """Whether the group has as many instances as it should, and all of them, and no others, are healthy targets."""
        targets, group = self.targets(), self.described()
        ids = {one["InstanceId"] for one in group["Instances"]}
        in_service = all(one["LifecycleState"] == "InService" for one in group["Instances"])
        return in_service and len(ids) == group["DesiredCapacity"] and ids == set(targets) == self.healthy()

    def host_names(self) -> dict[str, str]:
        """What an instance calls itself → its id."""
        told = self.account.client("ec2").describe_instances(InstanceIds=list(self.instances()))
        found = [one for entry in told["Reservations"] for one in entry["Instances"]]
        return {one["PrivateDnsName"].partition(".")[0]: one["InstanceId"] for one in found}

    # As a visitor meets it.

    def nodes(self) -> list[str]:
        """Public addresses of the load balancer's nodes, one in each zone."""
        owned = {"Name": "description", "Values": [f"ELB app/{self.platform}*"]}
        found = self.account.client("ec2").describe_network_interfaces(Filters=[owned])["NetworkInterfaces"]
        return sorted(one["Association"]["PublicIp"] for one in found if "Association" in one)

    def who_answers(self, number: int = 10) -> Counter[str]:
        """Which instances answer so many requests, sent to the nodes in turn."""
        names, nodes = self.host_names(), self.nodes()
        hosts = [ask(nodes[turn % len(nodes)], self.domain) for turn in range(number)]
        return Counter(names.get(host, host) for host in hosts)

    def on(self, instance: str, *command: str) -> str:
        """Output of a command on an instance, through the bastion."""
        return run("ssh", "-F", str(self.account.directory / "ssh_config"), instance, "--", *command)


def ask(address: str, domain: str) -> str:
    """The name of the host that answers; the status where that is no success."""
    connection = http.client.HTTPConnection(address, 80, timeout=15)
    try:
        connection.request("GET", "/health", headers={"Host": domain})
        answer = connection.getresponse()
        body = answer.read()
        return str(json.loads(body)["host"]) if answer.status == 200 else f"status {answer.status}"
    finally:
        connection.close()


def sorted_by_id(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda one: str(one["InstanceId"]))


def wait(what: str, condition: Callable[[], bool], seconds: float) -> float:
    """Seconds until something is so; raises LabError when it takes longer than ``seconds``."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise LabError(f"{what}: not so after {seconds:.0f} seconds")
        time.sleep(0.5)
    return time.monotonic() - began
