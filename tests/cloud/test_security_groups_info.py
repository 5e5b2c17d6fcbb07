# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VPC read back in the form in which it is declared."""

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api

from lab.cloud import ControlPlane
from tests.cloud.vpcs import SHOP, Vpc, make, permission


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    return make(cloud)


def test_a_vpc_read_back_and_declared_is_no_change(vpc: Vpc) -> None:
    vpc.run(*SHOP)
    odd = vpc.create("10.0.0.0/8", tags={"aws-like": "x"})
    default = vpc.groups["default"].id
    pairs = [{"GroupId": group, "Description": "odd"} for group in (odd, default, vpc.groups["shop-db"].id)]
    vpc.create("Odd One", permission(22, UserIdGroupPairs=pairs, IpRanges=[{"CidrIp": "10.0.0.0/8"}]))
    told = vpc.info()
    assert told["calls"] == 1
    assert sorted(group["name"] for group in told["groups"]) == ["Odd One", "shop-alb", "shop-app", "shop-db"]
    assert set(told["left_out"]) == {"default", "10.0.0.0/8"}
    result = vpc.run(*told["groups"], owner=None)
    assert (result["plan"], result["calls"]) == ([], 1)
    adopted = vpc.run(*told["groups"], adopt=True)
    assert adopted["plan"] == ["Odd One: taken over by 'shop' from nobody"]


def test_what_is_read_back_is_as_short_as_it_was_declared(vpc: Vpc) -> None:
    vpc.run(*SHOP)
    (group,) = vpc.info(names=["SHOP-ALB"])["groups"]
    assert group == {
        "name": "shop-alb",
        "description": "Public entry",
        "tags": {"Tier": "edge"},
        "ingress": [
            {"protocol": "tcp", "ports": [80, 443], "sources": ["0.0.0.0/0", "::/0"], "description": "web"},
        ],
        "egress": [{"protocol": "-1", "destinations": ["0.0.0.0/0"]}],
    }
    assert {group["name"] for group in vpc.info(owner="shop")["groups"]} == {"shop-alb", "shop-app", "shop-db"}
    assert vpc.info(owner="other")["groups"] == []


def test_a_group_read_alone_refers_to_the_others_by_id(vpc: Vpc) -> None:
    vpc.run(*SHOP)
    told = vpc.info(names=["shop-db"])["groups"]
    assert {source for rule in told[0]["ingress"] for source in rule["sources"]} == {
        vpc.groups["shop-app"].id,
        vpc.groups["shop-alb"].id,
    }
    assert vpc.run(*told)["plan"] == []


def test_reading_asks_for_the_largest_pages(vpc: Vpc, cloud: ControlPlane) -> None:
    vpc.info()
    assert cloud.calls.entries[0].parameters["MaxResults"] == api.PAGE == 1000
