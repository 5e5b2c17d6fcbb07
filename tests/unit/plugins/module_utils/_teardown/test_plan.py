# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes when a platform is torn down, in words."""

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._teardown.plan import OWNER_TAG, teardown_plan

OURS = {"tags": {OWNER_TAG: "shop"}}


def named(name: str, platform: str = "shop") -> dict[str, Any]:
    return {"tags": {OWNER_TAG: platform, "Name": name}}


SURVEY: dict[str, Any] = {
    # As autoscaling_group_info tells tags.
    "auto_scaling_groups": [
        {"auto_scaling_group_name": "shop-web", "tags": [{"key": OWNER_TAG, "value": "shop"}]},
        {"auto_scaling_group_name": "toys-web", "tags": [{"key": OWNER_TAG, "value": "toys"}]},
    ],
    "instances": [
        {"instance_id": "i-1", "vpc_id": "vpc-1", "state": {"name": "running"}, **named("shop-bastion")},
        {"instance_id": "i-2", "vpc_id": "vpc-1", "state": {"name": "terminated"}, **named("shop-web")},
        {"instance_id": "i-3", "vpc_id": "vpc-2", "state": {"name": "running"}, "tags": {}},
    ],
    "load_balancers": [{"load_balancer_name": "shop", "deletion_protection_enabled": "false", **OURS}],
    "target_groups": ["shop-api"],
    "certificates": ["arn:aws:acm:1"],
    "security_groups": [
        {"group_id": "sg-1", "group_name": "shop-web", "vpc_id": "vpc-1", **OURS},
        {"group_id": "sg-2", "group_name": "default", "vpc_id": "vpc-1", "tags": {}},
    ],
    "tables": [{"route_table_id": "rtb-1", "vpc_id": "vpc-1", "tags": {}, "associations": [{"main": True}]}],
    "nat_gateways": [{"nat_gateway_id": "nat-1", "state": "deleted", **OURS}],
    "addresses": [{"allocation_id": "eipalloc-1", "public_ip": "192.0.2.1", **OURS}],
    "vpcs": [{"vpc_id": "vpc-1", **named("shop-vpc")}],
    "buckets": [
        {"name": "shop-releases", "bucket_tagging": {OWNER_TAG: "shop"}},
        {"name": "shop-photos", "bucket_tagging": {}},
    ],
}


def test_what_carries_the_tag_goes_in_order_and_buckets_are_protected() -> None:
    plan = teardown_plan(SURVEY, "shop")
    assert plan["findings"] == []
    assert plan["lines"] == [
        "Goes (8):",
        "  Auto Scaling group shop-web",
        "  instance i-1 (shop-bastion)",
        "  load balancer shop",
        "  target group shop-api",
        "  certificate arn:aws:acm:1",
        "  security group sg-1 (shop-web)",
        "  Elastic IP eipalloc-1 (192.0.2.1)",
        "  VPC vpc-1 (shop-vpc)",
        "Is lost with it:",
        "  the disks of the instance i-1",
        "  the DNS name of the load balancer shop",
        "  the certificate arn:aws:acm:1, with its private key",
        "  the public address 192.0.2.1, for good",
        "Is protected, and stays:",
        "  bucket shop-releases; -e delete_data=true removes it with all that is in it",
    ]
    assert plan["vpcs"] == ["vpc-1"]


def test_data_goes_when_that_is_said() -> None:
    plan = teardown_plan(SURVEY, "shop", delete_data=True)
    assert plan["goes"][-1] == "bucket shop-releases"
    assert plan["lost"][-1] == "all that is in the bucket shop-releases: releases and logs, in all versions"
    assert plan["protected"] == []


def test_what_is_not_the_platform_s_and_in_its_vpc_stands_in_the_way() -> None:
    foreign = [
        {"instance_id": "i-7", "vpc_id": "vpc-1", "state": {"name": "running"}, "tags": {"Name": "cache"}},
        {"instance_id": "i-8", "vpc_id": "vpc-1", "state": {"name": "terminated"}, "tags": {}},
    ]
    protected = [{"load_balancer_name": "shop", "deletion_protection_enabled": True, **OURS}]
    plan = teardown_plan({**SURVEY, "instances": foreign, "load_balancers": protected}, "shop")
    assert plan["findings"] == [
        "the load balancer shop is protected against deletion; provision it once with deletion_protection: false",
        "vpc-1 holds the instance i-7 (cache), which does not carry the tag of shop; "
        "remove it first, or move it elsewhere",
    ]


def test_an_account_without_the_platform_has_nothing_to_go() -> None:
    plan = teardown_plan(SURVEY | {"target_groups": [], "certificates": []}, "books")
    assert plan["goes"] == plan["protected"] == plan["vpcs"] == plan["findings"] == []
    assert plan["lines"] == ["Nothing in the account carries the tag gatehouse:platform: books."]
