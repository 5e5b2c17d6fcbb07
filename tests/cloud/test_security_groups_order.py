# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add before remove, and nothing twice: what comes of calls that fail, are throttled or whose answer is lost."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from lab.cloud import ControlPlane
from tests.cloud.vpcs import SHOP, Vpc, app, make, opened


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    return make(cloud)


def test_nothing_is_revoked_when_something_cannot_be_added(vpc: Vpc, cloud: ControlPlane) -> None:
    groups = [{"name": name, "ingress": [opened(80, "10.0.0.0/8")]} for name in ("a", "b", "c")]
    vpc.run(*groups)
    changed = [{"name": name, "ingress": [opened(443, "10.0.0.0/8")]} for name in ("a", "b", "c")]
    cloud.faults.add("refused", number=2, operation="AuthorizeSecurityGroupIngress")
    lines = vpc.refuses(*changed).split("\n")
    assert "UnauthorizedOperation" in lines[0]
    assert "(request " in lines[0]
    assert lines[1] == "Nothing was revoked."
    refused = lines[0][0]
    added = [f"{name}: opens 443/tcp from 10.0.0.0/8" for name in "abc" if name != refused]
    assert lines[2:] == [f"Added: {'; '.join(added)}.", f"Not added: {refused}: opens 443/tcp from 10.0.0.0/8."]
    assert "RevokeSecurityGroupIngress" not in vpc.operations
    vpc.run(*changed)
    assert [vpc.rules(name) for name in "abc"] == [{"443/tcp 10.0.0.0/8"}] * 3


def test_every_addition_comes_before_every_removal(vpc: Vpc, cloud: ControlPlane) -> None:
    vpc.run(*SHOP, {"name": "old"})
    vpc.run(*({**group, "ingress": [opened(81, "10.0.0.0/8")]} for group in SHOP), purge_groups=True)
    order = [call.operation for call in cloud.calls.entries]
    last = max(index for index, name in enumerate(order) if name.startswith(("Create", "Authorize", "Update")))
    first = min(index for index, name in enumerate(order) if name.startswith(("Revoke", "Delete")))
    assert "DescribeSecurityGroups" in order[last:first]
    assert not any(name.startswith(("Revoke", "Delete")) for name in order[:last])


class Forgetful(Vpc):
    """A VPC whose first reading is what AWS goes on telling for some readings, as eventual consistency allows."""

    stale = 0

    def connect(self, service: str) -> Any:
        client = self.cloud.client(service)
        if service == "ec2":
            reads, original = [], client.describe_security_groups

            def describe_security_groups(**arguments: Any) -> Any:
                answer = original(**arguments)
                reads.append(answer)
                return reads[0] if len(reads) <= 1 + self.stale else answer

            client.describe_security_groups = describe_security_groups
        return client


def test_what_is_not_there_after_all_means_that_nothing_is_revoked(vpc: Vpc) -> None:
    vpc.run(app("10.0.0.0/8"))
    forgetful = Forgetful(vpc.cloud, vpc.id)
    forgetful.stale = 1000
    text = forgetful.refuses(app("10.1.0.0/16"))
    assert "RevokeSecurityGroupIngress" not in vpc.operations
    assert "AWS does not show what was done, so nothing was revoked: app: opens 80/tcp from" in text
    assert vpc.operations["AuthorizeSecurityGroupIngress"] == 1
    assert 30 < forgetful.seconds[0] <= 60
    assert vpc.rules("app") == {"80/tcp 10.0.0.0/8", "80/tcp 10.1.0.0/16"}


def test_what_is_there_a_little_later_is_waited_for(vpc: Vpc) -> None:
    vpc.run(app("10.0.0.0/8"))
    forgetful = Forgetful(vpc.cloud, vpc.id)
    forgetful.stale = 2
    forgetful.run(app("10.1.0.0/16"), {"name": "new", "ingress": [opened(80, "app")]})
    assert vpc.rules("app") == {"80/tcp 10.1.0.0/16"}
    assert vpc.rules("new") == {"80/tcp app"}


@pytest.mark.parametrize("kind", ["lost", "timeout", "error", "throttled"])
@pytest.mark.parametrize(
    "operation", ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupEgress"]
)
def test_after_a_lost_answer_the_groups_are_read_before_anything_is_sent_again(
    vpc: Vpc, cloud: ControlPlane, kind: str, operation: str
) -> None:
    cloud.faults.add(kind, number=2, operation=operation)
    vpc.run(*SHOP)
    order = [call.operation for call in cloud.calls.entries]
    failed = next(index for index, call in enumerate(cloud.calls.entries) if call.fault)
    last = len(order) - order[::-1].index(operation) - 1
    assert "DescribeSecurityGroups" in order[failed:last] or kind == "lost"
    assert "DescribeSecurityGroups" in order[failed:]
    sent = [call for call in cloud.calls.entries if call.operation == operation and call.took_effect]
    assert len({str(call.parameters) for call in sent}) == len(sent)
    assert vpc.run(*SHOP)["plan"] == []


def test_a_budget_of_time_ends_the_retries_and_all_is_told(vpc: Vpc, cloud: ControlPlane) -> None:
    vpc.run({"name": "app", "ingress": []})
    cloud.faults.add("throttled", number=None, operation="AuthorizeSecurityGroupIngress")
    text = vpc.refuses(app("10.0.0.0/8"))
    assert "RequestLimitExceeded" in text
    assert "Not added: app: opens 80/tcp from 10.0.0.0/8." in text
    assert 30 < vpc.seconds[0] <= 60
    # About 16, by chance.
    assert vpc.operations["AuthorizeSecurityGroupIngress"] < 40


def test_references_to_nothing_are_told_before_anything_is_changed(vpc: Vpc) -> None:
    group, listed = "sg-0123456789abcdef0", "pl-0123456789abcdef0"
    path = {"group": "new", "port": 22, "source": group}
    for check in (True, False):
        text = vpc.refuses({"name": "new"}, app("123456789012/" + group, listed), check=check, protect=[path])
        assert f"app ingress: 80/tcp with {listed}: there is no such prefix list in this account and region" in text
        assert f"app ingress: 80/tcp with 123456789012/{group}: there is no such group in this account and" in text
        assert f"protect: 22/tcp from {group} into new: there is no such group" in text
        assert vpc.changes == Counter()
        assert vpc.operations["DescribeSecurityGroups"] == 2


def test_groups_of_other_vpcs_are_looked_for_once(vpc: Vpc) -> None:
    peer = Vpc(vpc.cloud, vpc.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]).create("peer")
    text = vpc.refuses(app(peer, "111122223333/sg-0123456789abcdef0"))
    assert "there is no such group" not in text
    assert vpc.operations["AuthorizeSecurityGroupIngress"] == 1
    assert vpc.seconds == [0.0]


class Disconnected(Vpc):
    """A VPC that nobody reaches for a while, from the first change on."""

    left = 3

    def connect(self, service: str) -> Any:
        client = self.cloud.client(service)
        if service == "ec2":
            for name in ("authorize_security_group_ingress", "describe_security_groups"):
                setattr(client, name, self.interrupted(getattr(client, name)))
        return client

    def interrupted(self, method: Any) -> Any:
        def call(**arguments: Any) -> Any:
            if self.operations["DescribeSecurityGroups"] and self.left:
                self.left -= 1
                raise EndpointConnectionError(endpoint_url=self.cloud.endpoint)
            return method(**arguments)

        call.__name__ = method.__name__
        return call


def test_a_network_that_is_down_for_a_while_does_not_end_a_change(vpc: Vpc) -> None:
    vpc.run(app("10.0.0.0/8"))
    broken = Disconnected(vpc.cloud, vpc.id)
    broken.run(app("10.1.0.0/16"))
    assert broken.left == 0
    assert vpc.rules("app") == {"80/tcp 10.1.0.0/16"}
