# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups of a region that name each other, with members that come and go; and who can get around them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from lab.region.hosts import containers
from lab.region.place import namespace_file
from tests.region.account import ANYWHERE, Account, Vpc, eventually
from tests.region.namespaces import Namespace

# What a change of rules or members may take, in seconds; a machine that is busy otherwise is slower.
SECONDS = 2.0
WEB, SHELL = 8080, 22


class Fleet:
    """Instances of one VPC; each listens on two ports from the moment that it runs."""

    def __init__(self, account: Account) -> None:
        self.account, self.ec2 = account, account.ec2
        self.vpc: Vpc = account.vpc()
        self.ids: dict[str, str] = {}
        self.sockets: list[Any] = []

    def group(self, name: str) -> str:
        """A group that lets nothing in or out."""
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc.id)["GroupId"]
        self.ec2.revoke_security_group_egress(GroupId=made, IpPermissions=[ANYWHERE])
        return str(made)

    def open(self, group: str, *sources: str, port: int = WEB) -> None:
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permitted(port, *sources)])

    def let_out(self, group: str, *destinations: str, port: int = WEB) -> None:
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[permitted(port, *destinations)])

    def launch(self, *groups: str, subnet: str | None = None) -> str:
        made = self.account.launch(subnet or self.vpc.private, groups[0])
        if groups[1:]:
            self.join(made, *groups)
        return made

    def join(self, instance: str, *groups: str) -> None:
        """From now on it has these groups and no others."""
        self.ec2.modify_instance_attribute(InstanceId=instance, Groups=list(groups))

    def run(self, *instances: str) -> list[Namespace]:
        """Their network namespaces, once they run."""
        assert all(self.account.becomes(instance, "running") for instance in instances)
        return [self.serving(self.place(instance)) for instance in instances]

    def place(self, instance: str) -> Namespace:
        name = namespace_file(self.account.region.place.namespace_of(instance)).name
        return Namespace(name, str(self.account.instance(instance)["PrivateIpAddress"]))

    def serving(self, host: Namespace) -> Namespace:
        self.sockets += [host.listen(WEB)]
        return host


def permitted(port: int, *sources: str) -> dict[str, Any]:
    """TCP for groups and ranges."""
    groups = [{"GroupId": source} for source in sources if source.startswith("sg-")]
    ranges = [{"CidrIp": source} for source in sources if not source.startswith("sg-")]
    named = {"UserIdGroupPairs": groups, "IpRanges": ranges}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **{key: told for key, told in named.items() if told}}


@pytest.fixture
def fleet(account: Account) -> Any:
    made = Fleet(account)
    yield made
    for opened in made.sockets:
        opened.close()


def soon(what: Callable[[], bool]) -> bool:
    began = time.monotonic()
    return bool(eventually(what, 10, 0.05)) and time.monotonic() - began < SECONDS


def closes(one: Namespace, other: Namespace, port: int = WEB) -> bool:
    return soon(lambda: not one.reaches(other.address, port))


def opens(one: Namespace, other: Namespace, port: int = WEB) -> bool:
    return soon(lambda: one.reaches(other.address, port))
