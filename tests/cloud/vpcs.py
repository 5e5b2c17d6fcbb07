# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VPC of the control plane, and runs of security_groups against it as a task makes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, counted
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.info import read_back
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    Group,
    SecurityGroupsError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.run import bring_to_state

from lab.cloud import ControlPlane

Answer = Callable[..., Any]
READING = ("Describe", "Get", "List")


@dataclass
class Vpc:
    """``seconds`` is the time that runs have slept, which takes none."""

    cloud: ControlPlane
    id: str
    seconds: list[float] = field(default_factory=lambda: [0.0])
    ec2: Any = None

    def __post_init__(self) -> None:
        self.ec2 = self.cloud.client("ec2")

    def connect(self, service: str) -> Any:
        return self.cloud.client(service)

    def retries(self) -> Retries:
        return Retries(60, clock=Clock(lambda: self.seconds[0], self.sleep))

    def sleep(self, pause: float) -> None:
        self.seconds[0] += pause

    def run(self, *groups: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        """The result of a task; the control plane's log holds its calls alone."""
        self.cloud.calls.clear()
        calls = Calls()
        given = {"vpc_id": self.id, "owner": "shop", "groups": list(groups), **options}
        return bring_to_state(
            given, lambda service: counted(self.connect(service), calls), calls, self.retries(), check
        )

    def refuses(self, *groups: dict[str, Any], check: bool = False, **options: Any) -> str:
        """What a task says that fails."""
        with pytest.raises((SecurityGroupsError, AwsError)) as raised:
            self.run(*groups, check=check, **options)
        return str(raised.value)

    def info(self, **options: Any) -> dict[str, Any]:
        self.cloud.calls.clear()
        calls = Calls()
        given = {"vpc_id": self.id, **options}
        return read_back(given, lambda service: counted(self.connect(service), calls), calls, self.retries())

    @property
    def groups(self) -> dict[str, Group]:
        """What is there now."""
        return api.groups(self.ec2, self.id)

    def rules(self, name: str, direction: str = "ingress") -> set[str]:
        """The rules of a group in words."""
        return {f"{rule.traffic} {rule.source}" for rule in self.groups[name].rules(direction)}

    @property
    def operations(self) -> Counter[str]:
        """The calls of the last run."""
        return self.cloud.calls.count()

    @property
    def changes(self) -> Counter[str]:
        """Those of them that change something."""
        return Counter({name: number for name, number in self.operations.items() if not name.startswith(READING)})

    def create(self, name: str, *permissions: dict[str, Any], tags: dict[str, str] | None = None) -> str:
        """A group that somebody else makes."""
        group_id = str(self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.id)["GroupId"])
        if permissions:
            self.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=list(permissions))
        if tags:
            told = [{"Key": key, "Value": value} for key, value in tags.items()]
            self.ec2.create_tags(Resources=[group_id], Tags=told)
        return group_id

    def interface(self, *group_ids: str) -> str:
        """A network interface that uses the groups."""
        subnet = self.ec2.create_subnet(VpcId=self.id, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        told = self.ec2.create_network_interface(SubnetId=subnet, Groups=list(group_ids), Description="a batch job")
        return str(told["NetworkInterface"]["NetworkInterfaceId"])


class Odd(Vpc):
    """A VPC some of whose calls are answered otherwise: ``instead`` holds functions that are given the real call."""

    def __init__(self, vpc: Vpc, **instead: Callable[[Answer], Answer]) -> None:
        super().__init__(vpc.cloud, vpc.id)
        self.instead = instead

    def connect(self, service: str) -> Any:
        client = self.cloud.client(service)
        for name, wrapped in self.instead.items():
            if service == "ec2":
                answer = wrapped(getattr(client, name))
                answer.__name__ = name
                setattr(client, name, answer)
        return client


def make(cloud: ControlPlane, **options: Any) -> Vpc:
    """A new VPC."""
    told = cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16", **options)
    return Vpc(cloud, str(told["Vpc"]["VpcId"]))


def opened(ports: Any, *sources: str, **others: Any) -> dict[str, Any]:
    """A declared rule."""
    return {"ports": ports, "sources": list(sources), **others}


def permission(port: int, **source: Any) -> dict[str, Any]:
    """A rule as the API takes it."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}


def many(number: int, start: int = 0) -> list[str]:
    return [f"10.0.{start + index}.0/24" for index in range(number)]


def app(*sources: str, port: int = 80, **others: Any) -> dict[str, Any]:
    return {"name": "app", "ingress": [opened(port, *sources)] if sources else [], **others}


# A set with references in every direction.
SHOP = (
    {
        "name": "shop-alb",
        "description": "Public entry",
        "ingress": [opened([80, 443], "0.0.0.0/0", "::/0", description="web")],
        "tags": {"Tier": "edge"},
    },
    {
        "name": "shop-app",
        "ingress": [
            opened(8080, "shop-alb", "Shop-App"),
            {"protocol": "icmp", "icmp_type": 3, "icmp_code": 4, "sources": ["10.0.0.0/16"]},
            {"protocol": "50", "sources": ["10.1.2.3/16"]},
        ],
        "egress": [opened(5432, "shop-db")],
    },
    {"name": "shop-db", "ingress": [opened(5432, "shop-app"), opened("9000-9010", "shop-alb")], "egress": []},
)
