# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load balancer with target groups and instances, and the module's runs against them, on the control plane's time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, counted
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration import info
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.remote import Remote
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.run import bring_to_state

from lab.cloud import ControlPlane

DEFAULTS = {
    "state": "present",
    "exclusive": False,
    "minimum_healthy": "1",
    "wait": True,
    "wait_timeout": None,
}
# Debian 13, as the control plane offers it.
IMAGE = "ami-0deb1300000000001"


class Shop:
    """Everything lies in the default VPC; the load balancer has its first two zones."""

    def __init__(self, cloud: ControlPlane) -> None:
        self.cloud = cloud
        self.ec2, self.elbv2 = cloud.client("ec2"), cloud.client("elbv2")
        self.pauses: list[float] = []
        self.clock = Clock(cloud.clock.now, self.sleep, lambda: 0.5)
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["Subnets"]
        self.subnets = sorted(subnets, key=lambda subnet: str(subnet["AvailabilityZone"]))
        self.balancer = self.load_balancer("shop")
        self.next_port = 8000

    def sleep(self, seconds: float) -> None:
        """Let the control plane's time pass instead of the test's."""
        self.pauses.append(seconds)
        self.cloud.clock.advance(seconds)

    def load_balancer(self, name: str, **settings: Any) -> str:
        zones = [subnet["SubnetId"] for subnet in self.subnets[:2]]
        made = self.elbv2.create_load_balancer(Name=name, Subnets=zones, **settings)
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def instances(self, number: int, subnet: int = 0, **settings: Any) -> list[str]:
        place = self.subnets[subnet]["SubnetId"]
        made = self.ec2.run_instances(ImageId=IMAGE, MinCount=number, MaxCount=number, SubnetId=place, **settings)
        return sorted(str(instance["InstanceId"]) for instance in made["Instances"])

    def group(self, name: str, kind: str = "instance", attached: bool = True, delay: int = 20, **settings: Any) -> str:
        """A target group, by its ARN, with a listener that leads to it."""
        place: dict[str, Any] = {"HealthCheckTimeoutSeconds": 5}
        if kind != "lambda":
            place = {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc}
        checks: dict[str, Any] = {
            "HealthCheckIntervalSeconds": 10,
            "HealthyThresholdCount": 3,
            "UnhealthyThresholdCount": 2,
        }
        made = self.elbv2.create_target_group(Name=name, TargetType=kind, **{**place, **checks, **settings})
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        if kind != "lambda":
            told = {"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}
            self.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[told])
        if attached:
            self.attach(arn, self.balancer)
        return arn

    def attach(self, arn: str, balancer: str, protocol: str = "HTTP") -> None:
        self.next_port += 1
        action = {"Type": "forward", "TargetGroupArn": arn}
        self.elbv2.create_listener(
            LoadBalancerArn=balancer, Protocol=protocol, Port=self.next_port, DefaultActions=[action]
        )

    def settle(self, seconds: float = 60) -> None:
        """Let time pass, and forget the calls so far."""
        self.cloud.clock.advance(seconds)
        self.cloud.calls.clear()
        self.pauses.clear()

    def serving(self, name: str, ids: list[str], **settings: Any) -> str:
        """A group with these targets, healthy."""
        arn = self.group(name, **settings)
        self.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": item} for item in ids])
        self.settle()
        return arn

    def remote(self, **instead: Callable[..., Any]) -> Remote:
        """The account; ``instead`` are methods of the client that somebody else answers, given the client's own."""
        calls = Calls()
        elbv2 = counted(self.cloud.client("elbv2"), calls)
        for name, answer in instead.items():
            method = functools.partial(answer, getattr(elbv2, name))
            setattr(elbv2, name, functools.update_wrapper(method, getattr(elbv2, name)))
        return Remote(elbv2, lambda: counted(self.cloud.client("ec2"), calls), Retries(clock=self.clock))

    def run(
        self, groups: list[str], ids: list[Any], check: bool = False, remote: Remote | None = None, **params: Any
    ) -> dict[str, Any]:
        """The module's result."""
        targets = [item if isinstance(item, dict) else {"id": item} for item in ids]
        told = {**DEFAULTS, "target_groups": groups, "targets": targets, **params}
        with self.cloud.clock.stopped():
            return bring_to_state(told, remote or self.remote(), check)

    def info(self, groups: list[str] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        result = info.read({"target_groups": groups, "targets": targets}, self.remote())
        told: dict[str, Any] = result["target_groups"]
        return told

    def states(self, arn: str) -> dict[str, str]:
        """By the target's id, its state as the API tells it."""
        told = self.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {entry["Target"]["Id"]: entry["TargetHealth"]["State"] for entry in told}

    def calls(self) -> dict[str, int]:
        """Calls by operation since the account settled."""
        return dict(self.cloud.calls.count())


def after(result: dict[str, Any], group: str) -> dict[str, str]:
    """By id, the states at the end of a run."""
    return {target["id"]: target["after"] for target in result["target_groups"][group]["targets"]}
