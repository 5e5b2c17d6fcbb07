# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VPC that accounts share, or whose groups this account shares: its list has more, or less, than this account's."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.vpcs import Answer, Odd, Vpc, app, make, opened

THEIRS = "999988887777"


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    return make(cloud)


def participant(vpc: Vpc) -> Odd:
    """The VPC as an account sees it that it is shared with: without its default group."""

    def wrapped(describe: Answer) -> Answer:
        def listed(**arguments: Any) -> Any:
            answer = describe(**arguments)
            return {"SecurityGroups": [item for item in answer["SecurityGroups"] if item["GroupName"] != "default"]}

        return listed

    return Odd(vpc, describe_security_groups=wrapped)


def sharing(vpc: Vpc) -> Odd:
    """The VPC with groups of another account, all whose name begins with "their", in its list."""

    def wrapped(describe: Answer) -> Answer:
        def listed(**arguments: Any) -> Any:
            answer = describe(**arguments)
            ids = {item["GroupId"] for item in answer["SecurityGroups"] if item["GroupName"].startswith("their")}
            for item in answer["SecurityGroups"]:
                item["OwnerId"] = THEIRS if item["GroupId"] in ids else item["OwnerId"]
                for pair in [pair for rule in item["IpPermissions"] for pair in rule["UserIdGroupPairs"]]:
                    pair["UserId"] = THEIRS if pair["GroupId"] in ids else pair["UserId"]
            return answer

        return listed

    return Odd(vpc, describe_security_groups=wrapped)


def test_who_shares_a_vpc_begins_with_no_group_at_all(vpc: Vpc) -> None:
    odd = participant(vpc)
    assert odd.info()["groups"] == []
    odd.run(app("app"))
    assert vpc.rules("app") == {"80/tcp app"}
    assert odd.run(app("app"))["plan"] == []
    assert odd.operations == Counter(DescribeSecurityGroups=1, GetCallerIdentity=1)


def test_groups_of_another_account_are_nobodys_of_this_set(vpc: Vpc) -> None:
    theirs = vpc.create("theirs", tags={"gatehouse:platform": "shop"})
    vpc.run(app(theirs))
    odd = sharing(vpc)
    assert odd.run(app(f"{THEIRS}/{theirs}"), {"name": "other", "ingress": []}, check=True)["plan"][0] == "other: new"
    assert odd.run(app(theirs), purge_groups=True)["plan"] == []
    assert odd.operations == Counter(DescribeSecurityGroups=1)
    (told,) = odd.info(names=["app"])["groups"]
    assert told["ingress"] == [{"protocol": "tcp", "ports": [80], "sources": [f"{THEIRS}/{theirs}"]}]
    assert "theirs" not in odd.info()["ids"]


def test_groups_whose_names_differ_in_case_alone_are_told(vpc: Vpc) -> None:
    ids = [vpc.create(name) for name in ("app", "other")]

    def wrapped(describe: Answer) -> Answer:
        def listed(**arguments: Any) -> Any:
            answer = describe(**arguments)
            for item in answer["SecurityGroups"]:
                item["GroupName"] = "APP" if item["GroupName"] == "other" else item["GroupName"]
            return answer

        return listed

    text = Odd(vpc, describe_security_groups=wrapped).refuses({"name": "web", "ingress": [opened(80, "web")]})
    assert f"{ids[0]} ('app') and {ids[1]} ('APP') differ in the case of their names alone" in text
