# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS shows a change only later, or does not let a group go for a while."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.cloud import ControlPlane
from tests.cloud.vpcs import SHOP, Answer, Odd, Vpc, app, make, opened


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    return make(cloud)


def late(vpc: Vpc, lag: float) -> Odd:
    """The VPC as it was so many seconds before, whenever its groups are asked for."""
    answers: list[tuple[float, Any]] = []

    def wrapped(describe: Answer) -> Answer:
        def stale(**arguments: Any) -> Any:
            answers.append((odd.seconds[0], describe(**arguments)))
            old = [answer for told, answer in answers if told <= odd.seconds[0] - lag]
            return old[-1] if old else answers[0][1]

        return stale

    odd = Odd(vpc, describe_security_groups=wrapped)
    return odd


@pytest.mark.parametrize("lag", [1, 6, 12])
def test_groups_that_show_late_are_waited_for_and_sent_once(vpc: Vpc, cloud: ControlPlane, lag: float) -> None:
    odd = late(vpc, lag)
    odd.run(*SHOP)
    assert odd.operations["CreateSecurityGroup"] == 3
    assert all(call.took_effect for call in cloud.calls.entries)
    assert vpc.run(*SHOP)["plan"] == []


def test_rules_that_show_late_are_waited_for_and_sent_once(vpc: Vpc) -> None:
    vpc.run(app("10.0.0.0/8"), {"name": "old"})
    odd = late(vpc, 6)
    odd.run(app("10.1.0.0/16"), purge_groups=True)
    assert odd.changes.total() == 3
    assert vpc.rules("app") == {"80/tcp 10.1.0.0/16"}


def held(vpc: Vpc, seconds: float) -> Odd:
    """Nothing of the VPC may be deleted for so many seconds, as while AWS itself lets go of something."""

    def wrapped(delete: Answer) -> Answer:
        def refusing(**arguments: Any) -> Any:
            if odd.seconds[0] < seconds:
                told = {"Code": "DependencyViolation", "Message": "resource sg-1 has a dependent object"}
                raise ClientError({"Error": told, "ResponseMetadata": {"HTTPStatusCode": 400}}, "DeleteSecurityGroup")
            return delete(**arguments)

        return refusing

    odd = Odd(vpc, delete_security_group=wrapped)
    return odd


def test_a_group_that_aws_holds_back_is_waited_for_like_an_interface(vpc: Vpc) -> None:
    vpc.run(app("10.0.0.0/8"), {"name": "web", "ingress": [opened(80, "app")]})
    odd = held(vpc, 200)
    odd.run(app("10.0.0.0/8"), purge_groups=True, wait_timeout=300)
    assert set(vpc.groups) == {"default", "app"}
    assert 200 <= odd.seconds[0] < 230


def test_a_path_of_a_group_that_has_gone_meanwhile_is_no_unknown_one(vpc: Vpc) -> None:
    vpc.run(app(), {"name": "web", "ingress": [opened(80, "app")]})
    web = vpc.groups["web"].id

    def wrapped(delete: Answer) -> Answer:
        def web_first(**arguments: Any) -> Any:
            if arguments["GroupId"] != web and odd.seconds[0] < 20:
                told = {"Code": "DependencyViolation", "Message": "resource sg-1 has a dependent object"}
                raise ClientError({"Error": told, "ResponseMetadata": {"HTTPStatusCode": 400}}, "DeleteSecurityGroup")
            return delete(**arguments)

        return web_first

    odd = Odd(vpc, delete_security_group=wrapped)
    odd.run(
        state="absent",
        wait_timeout=60,
        protect=[{"group": "app", "port": 22, "source": web}, {"group": web, "port": 22, "source": "app"}],
    )
    assert set(vpc.groups) == {"default"}


def test_a_group_that_stays_held_back_is_told_with_what_refers_to_it(vpc: Vpc) -> None:
    vpc.run(app("10.0.0.0/8"))
    odd = held(vpc, 1000)
    text = odd.refuses(state="absent", wait_timeout=90)
    assert odd.seconds[0] == pytest.approx(90)
    assert "app: DeleteSecurityGroup: DependencyViolation: resource sg-1 has a dependent object" in text
    assert "Still in use after 90 seconds, and not deleted; neither an interface nor" in text
    theirs = vpc.create("theirs")

    def wrapped(delete: Answer) -> Answer:
        def refusing(**_arguments: Any) -> Any:
            pairs = [{"GroupId": vpc.groups["app"].id}]
            rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": pairs}
            if not vpc.groups["theirs"].ingress:
                vpc.ec2.authorize_security_group_ingress(GroupId=theirs, IpPermissions=[rule])
            return delete(**_arguments)

        return refusing

    text = Odd(vpc, delete_security_group=wrapped).refuses(state="absent", wait_timeout=0)
    assert f"app: theirs ({theirs}) refers to it in its ingress rule for 80/tcp" in text


def test_what_may_have_been_done_before_an_error_counts_as_a_change(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.faults.add("lost", operation="CreateSecurityGroup")
    cloud.faults.add("refused", number=2, operation="DescribeSecurityGroups")
    with pytest.raises(Exception, match="Perhaps done: app: new") as raised:
        vpc.run(app("10.0.0.0/8"))
    assert getattr(raised.value, "changed", None) is True
    assert "app" in vpc.groups
