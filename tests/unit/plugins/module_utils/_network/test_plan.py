# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role network does, compared as plain data."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._network.found import OWNER_TAG
from ansible_collections.gatehouse.platform.plugins.module_utils._network.plan import network_plan

REGION = "eu-central-1"
DECLARED: dict[str, Any] = {
    "platform": "shop",
    "state": "present",
    "tags": {"team": "web"},
    "cidr": "10.0.0.0/16",
    "zones": ["eu-central-1a", "eu-central-1b"],
    "zone_count": 2,
    "tiers": ["public", "private"],
    "subnet_prefix": 0,
    "subnets": [],
    "nat": "per_zone",
    "s3_endpoint": True,
    "flow_logs": "",
    "purge": False,
    "vpc_id": "",
    "use_default": False,
    "check_mode": False,
}
ZONES = [
    {
        "zone_name": f"{REGION}{letter}",
        "region_name": REGION,
        "state": "available",
        "opt_in_status": "opt-in-not-required",
    }
    for letter in "abc"
]


def declared(**others: Any) -> dict[str, Any]:
    return {**DECLARED, **others}


def tagged(name: str, **others: Any) -> dict[str, Any]:
    return {"tags": {"team": "web", "Name": name, OWNER_TAG: "shop"}, **others}


def subnet(name: str, number: int, zone: str, public: bool = False) -> dict[str, Any]:
    told = {"subnet_id": f"subnet-{name}", "vpc_id": "vpc-1", "cidr_block": f"10.0.{number}.0/20"}
    return tagged(f"shop-{name}", **told, availability_zone=zone, map_public_ip_on_launch=public)


def table(name: str, subnets: list[str], target: dict[str, str]) -> dict[str, Any]:
    routes = [{"destination_cidr_block": "0.0.0.0/0", "origin": "CreateRoute", **target}]
    associations = [{"subnet_id": f"subnet-{subnet}", "main": False} for subnet in subnets]
    told = {"route_table_id": f"rtb-{name}", "vpc_id": "vpc-1", "associations": associations, "routes": routes}
    return tagged(f"shop-{name}", **told)


def nat_gateway(zone: str) -> dict[str, Any]:
    address = {
        "allocation_id": f"eipalloc-{zone}",
        "public_ip": f"192.0.2.{ord(zone)}",
        "network_interface_id": f"eni-{zone}",
    }
    told = {
        "nat_gateway_id": f"nat-{zone}",
        "subnet_id": f"subnet-public-{zone}",
        "vpc_id": "vpc-1",
        "state": "available",
    }
    return tagged(f"shop-nat-{zone}", **told, nat_gateway_addresses=[address])


def account(**others: Any) -> dict[str, Any]:
    """One in which DECLARED is there."""
    main = {"route_table_id": "rtb-main", "vpc_id": "vpc-1", "tags": {}, "associations": [{"main": True}], "routes": []}
    return {
        "zones": ZONES,
        "vpcs": [tagged("shop-vpc", vpc_id="vpc-1", cidr_block="10.0.0.0/16")],
        "subnets": [
            subnet("public-a", 0, "eu-central-1a", True),
            subnet("private-a", 16, "eu-central-1a"),
            subnet("public-b", 32, "eu-central-1b", True),
            subnet("private-b", 48, "eu-central-1b"),
        ],
        "gateways": [tagged("shop-internet", internet_gateway_id="igw-1", attachments=[{"vpc_id": "vpc-1"}])],
        "addresses": [
            tagged(f"shop-nat-{zone}", allocation_id=f"eipalloc-{zone}", public_ip=f"192.0.2.{ord(zone)}")
            for zone in "ab"
        ],
        "nat_gateways": [nat_gateway(zone) for zone in "ab"],
        "tables": [
            main,
            table("public", ["public-a", "public-b"], {"gateway_id": "igw-1"}),
            table("private-a", ["private-a"], {"nat_gateway_id": "nat-a"}),
            table("private-b", ["private-b"], {"nat_gateway_id": "nat-b"}),
        ],
        # As ec2_vpc_endpoint_info tells tags.
        "endpoints": [
            {
                "vpc_endpoint_id": f"vpce-{zone}",
                "vpc_id": "vpc-1",
                "state": "available",
                "tags": [
                    {"key": key, "value": value}
                    for key, value in {"team": "web", "Name": f"shop-s3-{zone}", OWNER_TAG: "shop"}.items()
                ],
            }
            for zone in "ab"
        ],
        **others,
    }


def test_nothing_changes_where_all_is_as_declared() -> None:
    plan = network_plan(DECLARED, account())
    assert plan["findings"] == plan["sentences"] == plan["waiting"] == plan["surplus"] == plan["pending"] == []
    assert plan["result"]["subnets"]["public"] == [
        {"id": "subnet-public-a", "zone": "eu-central-1a", "cidr": "10.0.0.0/20", "name": "shop-public-a"},
        {"id": "subnet-public-b", "zone": "eu-central-1b", "cidr": "10.0.32.0/20", "name": "shop-public-b"},
    ]
    assert plan["result"]["private_route_tables"] == ["rtb-private-a", "rtb-private-b"]
    assert plan["result"]["nat_addresses"] == ["192.0.2.97", "192.0.2.98"]


def test_on_an_empty_account_what_needs_an_id_waits_for_it() -> None:
    plan = network_plan(declared(nat="one"), {"zones": ZONES, "vpcs": []})
    assert [entry["name"] for kind in plan["make"].values() for entry in kind] == ["shop-nat-a", "shop-vpc"]
    assert plan["waiting"] == [
        "subnet shop-public-a 10.0.0.0/20 in eu-central-1a",
        "subnet shop-public-b 10.0.32.0/20 in eu-central-1b",
        "subnet shop-private-a 10.0.16.0/20 in eu-central-1a",
        "subnet shop-private-b 10.0.48.0/20 in eu-central-1b",
        "Internet gateway shop-internet",
        "NAT gateway shop-nat-a in shop-public-a",
        "route table shop-public with a route to the Internet gateway shop-internet",
        "route table shop-private-a with a route to the NAT gateway shop-nat-a",
        "route table shop-private-b with a route to the NAT gateway shop-nat-a",
        "S3 gateway endpoint shop-s3-a for shop-private-a",
        "S3 gateway endpoint shop-s3-b for shop-private-b",
    ]
    assert plan["result"]["vpc_id"] == plan["result"]["subnets"]["private"][1]["id"] == ""


def test_what_a_step_made_is_there_for_the_next_one() -> None:
    first = network_plan(DECLARED, {"zones": ZONES, "vpcs": []})
    item = first["make"]["vpc"][0]
    made = {"results": [{"ansible_loop_var": "it", "it": item, "vpc": {"id": "vpc-9", "cidr_block": "10.0.0.0/16"}}]}
    foreseen = {"results": [{"ansible_loop_var": "it", "it": item, "changed": True}]}
    assert network_plan(DECLARED, {"zones": ZONES, "vpcs": [], "made": [foreseen, {}]})["make"]["subnet"] == []
    then = network_plan(DECLARED, {"zones": ZONES, "vpcs": [], "made": [made]})
    assert then["result"]["vpc_id"] == "vpc-9"
    assert len(then["make"]["subnet"]) == 4
    assert then["make"]["vpc"] == []


@pytest.mark.parametrize(
    ("kind", "index", "wrong", "name"),
    [
        ("vpcs", 0, {"enable_dns_hostnames": False}, "shop-vpc"),
        ("subnets", 1, {"map_public_ip_on_launch": True}, "shop-private-a"),
        ("gateways", 0, {"attachments": []}, "shop-internet"),
        ("tables", 1, {"associations": []}, "shop-public"),
        ("tables", 2, {"routes": []}, "shop-private-a"),
        ("nat_gateways", 1, {"state": "failed"}, "shop-nat-b"),
        ("endpoints", 0, {"state": "deleted"}, "shop-s3-a"),
        ("addresses", 0, {"tags": {"Name": "shop-nat-a", OWNER_TAG: "shop"}}, "shop-nat-a"),
    ],
)
def test_what_is_not_as_declared_is_changed(kind: str, index: int, wrong: dict[str, Any], name: str) -> None:
    found = account()
    found[kind][index] = {**found[kind][index], **wrong}
    plan = network_plan(DECLARED, found)
    assert plan["findings"] == []
    assert name in [entry["name"] for entries in plan["make"].values() for entry in entries]


def test_routes_lead_elsewhere_before_the_other_nat_gateway_goes() -> None:
    kept = network_plan(declared(nat="one"), account())
    assert [(item["name"], item["routes"]) for item in kept["make"]["table"]] == [
        ("shop-private-b", [{"dest": "0.0.0.0/0", "gateway_id": "nat-a"}])
    ]
    assert kept["surplus"] == ["NAT gateway nat-b (shop-nat-b)", "Elastic IP eipalloc-b (shop-nat-b)"]
    assert not any(kept["remove"].values())
    purged = network_plan(declared(nat="one", purge=True), account())
    assert [entry["id"] for entry in purged["remove"]["nat_gateway"]] == ["nat-b"]
    assert [entry["public_ip"] for entry in purged["remove"]["address"]] == ["192.0.2.98"]
    assert not purged["remove"]["subnet"]


def test_the_only_nat_gateway_stays_where_it_is() -> None:
    found = account(nat_gateways=[nat_gateway("b")])
    plan = network_plan(declared(nat="one"), found)
    assert plan["make"]["nat_gateway"] == []
    assert plan["make"]["table"][0]["routes"] == [{"dest": "0.0.0.0/0", "gateway_id": "nat-b"}]


def test_without_nat_the_default_route_goes_when_asked_and_others_stay() -> None:
    found = account()
    found["tables"][2]["routes"].append({"destination_cidr_block": "10.9.0.0/16", "origin": "CreateRoute"})
    assert network_plan(declared(nat="none"), found)["make"]["table"] == []
    item = network_plan(declared(nat="none", purge=True), found)["make"]["table"][0]
    assert (item["purge_routes"], item["routes"]) == (True, [{"dest": "10.9.0.0/16"}])


def test_a_zone_that_is_not_declared_goes_when_asked_unless_it_is_in_use() -> None:
    wanted = declared(zones=["eu-central-1a"], purge=True)
    plan = network_plan(wanted, account())
    assert plan["findings"] == []
    assert [word for kind in plan["remove"].values() for word in (entry["words"] for entry in kind)] == [
        "NAT gateway nat-b (shop-nat-b)",
        "Elastic IP eipalloc-b (shop-nat-b)",
        "endpoint vpce-b (shop-s3-b)",
        "route table rtb-private-b (shop-private-b)",
        "subnet subnet-public-b (shop-public-b)",
        "subnet subnet-private-b (shop-private-b)",
    ]
    user = {"network_interface_id": "eni-7", "subnet_id": "subnet-private-b", "attachment": {"instance_id": "i-7"}}
    own = {"network_interface_id": "eni-b", "subnet_id": "subnet-public-b"}
    assert network_plan(wanted, account(interfaces=[user, own]))["findings"] == [
        "subnet-private-b is in use by i-7 (eni-7); remove that first"
    ]


def test_a_subnet_with_another_route_table_is_associated_twice() -> None:
    found = account()
    found["tables"][0]["associations"].append({"subnet_id": "subnet-private-a", "main": False})
    found["tables"][2]["associations"] = []
    assert [item["moved"] for item in network_plan(DECLARED, found)["make"]["table"]] == [True]


@pytest.mark.parametrize(
    ("kind", "resource", "words"),
    [
        (
            "vpcs",
            {"vpc_id": "vpc-8", "tags": {"Name": "shop-vpc"}},
            "the VPC vpc-8 (shop-vpc) is there and does not carry",
        ),
        ("gateways", {"internet_gateway_id": "igw-8", "tags": {"Name": "shop-internet"}}, "the Internet gateway igw-8"),
        (
            "addresses",
            {"allocation_id": "eipalloc-8", "tags": {"Name": "shop-nat-a", OWNER_TAG: "toys"}},
            "platform toys",
        ),
    ],
)
def test_what_has_a_name_and_not_the_tag_is_told(kind: str, resource: dict[str, Any], words: str) -> None:
    plan = network_plan(DECLARED, {"zones": ZONES, kind: [resource]})
    assert len(plan["findings"]) == 1
    assert words in plan["findings"][0]


def test_everything_wrong_is_told_at_once() -> None:
    wrong = declared(
        platform="Shop", zones=["eu-central-1a", "eu-west-1a"], cidr="10.0.0.0/27", flow_logs="logs", vpc_id="vpc-1"
    )
    assert len(network_plan(wrong, {"zones": ZONES})["findings"]) == 5
    plan = network_plan(
        declared(zones=["eu-central-1a", "eu-west-1a"], cidr="10.0.0.0/27", tiers=["public", "nat"]), {"zones": ZONES}
    )
    assert plan["findings"] == [
        "network_zones[1] 'eu-west-1a': the region eu-central-1 has no such zone; it has "
        "eu-central-1a, eu-central-1b, eu-central-1c",
        "network_tiers 'nat': is no name that a tier can have",
        "network_cidr: 10.0.0.0/27 is too small: 2 zones with 2 tiers need 4 subnets of /27, and there is room for 1; "
        "take a larger block, fewer zones, or smaller subnets",
    ]


def test_a_block_that_another_subnet_of_the_vpc_has_is_told() -> None:
    mine = {"tier": "public", "zone": "eu-central-1c", "cidr": "10.0.200.0/24"}
    zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    there = account()
    there["subnets"].append({**subnet("cache", 192, "eu-central-1a"), "tags": {"Name": "cache"}})
    assert network_plan(declared(zones=zones, subnets=[mine]), there)["findings"] == [
        "network_subnets[0]: 10.0.200.0/24 overlaps 10.0.192.0/20, which subnet-cache (cache) has in this VPC; "
        "give a block that is free"
    ]
    free = {**mine, "cidr": "10.0.240.0/24"}
    assert network_plan(declared(zones=zones, subnets=[free]), there)["findings"] == []


def test_what_aws_cannot_change_is_told() -> None:
    given = [{"tier": "public", "zone": "eu-central-1a", "cidr": "10.0.64.0/24"}]
    findings = network_plan(declared(cidr="10.0.0.0/17", subnets=given), account())["findings"]
    assert findings == [
        "network_cidr is 10.0.0.0/17, and vpc-1 (shop-vpc) has 10.0.0.0/16, which cannot be changed",
        "network_subnets[0]: subnet-public-a (shop-public-a) has 10.0.0.0/20, which cannot be changed to 10.0.64.0/24",
    ]


def test_a_vpc_that_is_used_is_read_by_its_routes() -> None:
    plan = network_plan(declared(vpc_id="vpc-1", s3_endpoint=False, zones=["eu-central-1b"]), account())
    assert plan["findings"] == plan["sentences"] == []
    assert plan["result"]["vpc_id"] == "vpc-1"
    assert [item["id"] for item in plan["result"]["subnets"]["public"]] == ["subnet-public-b"]
    assert [item["id"] for item in plan["result"]["subnets"]["private"]] == ["subnet-private-b"]
    assert plan["result"]["private_route_tables"] == ["rtb-private-b"]
    missing = network_plan(declared(vpc_id="vpc-9", s3_endpoint=False), {"zones": ZONES})
    assert missing["findings"] == ["network_vpc_id 'vpc-9': there is no such VPC in this region and account"]


def test_of_several_subnets_in_a_zone_of_a_vpc_that_is_used_those_count_that_are_said() -> None:
    found, zone = account(), "eu-central-1b"
    found["subnets"].append({**subnet("other", 240, zone), "tags": {}})
    found["tables"][1] = table("public", ["public-a", "public-b", "other"], {"gateway_id": "igw-1"})

    def told(*given: dict[str, str]) -> dict[str, Any]:
        return network_plan(declared(vpc_id="vpc-1", s3_endpoint=False, subnets=list(given)), found)

    def public(plan: dict[str, Any]) -> list[str]:
        return [one["id"] for one in plan["result"]["subnets"]["public"]]

    one = {"tier": "public", "zone": zone, "cidr": "10.0.240.0/20"}
    assert public(told()) == ["subnet-public-a", "subnet-other", "subnet-public-b"]
    assert (told(one)["findings"], public(told(one))) == ([], ["subnet-public-a", "subnet-other"])
    assert told({**one, "cidr": "10.0.241.0/24"})["findings"] == [
        "network_subnets[0]: vpc-1 (shop-vpc) has no public subnet 10.0.241.0/24 in eu-central-1b; say which one of "
        "10.0.240.0/20, 10.0.32.0/20 it is"
    ]
    assert told(one, {**one, "cidr": "10.0.32.0/20"})["findings"] == [
        "network_subnets[1]: there is another one for public in eu-central-1b"
    ]
    assert told({**one, "zone": "eu-central-1c"}, {**one, "tier": "data"})["findings"] == [
        "network_subnets[0]: the zone 'eu-central-1c' is not one of the network's: eu-central-1a, eu-central-1b",
        "network_subnets[1]: the tier 'data' is not in network_tiers",
    ]


def test_removal_takes_what_has_the_tag_and_refuses_where_others_are() -> None:
    wanted = declared(state="absent")
    plan = network_plan(wanted, account(addresses=[tagged("shop-bastion", allocation_id="eipalloc-9")]))
    assert plan["findings"] == []
    assert [len(plan["remove"][kind]) for kind in ("nat_gateway", "address", "endpoint", "table", "subnet")] == [
        2,
        0,
        2,
        3,
        4,
    ]
    assert plan["sentences"][-1] == "remove VPC vpc-1 (shop-vpc)"
    foreign = {"subnet_id": "subnet-8", "vpc_id": "vpc-1", "cidr_block": "10.0.240.0/20", "tags": {}}
    found = account(groups=[{"group_id": "sg-1", "group_name": "default", "vpc_id": "vpc-1"}])
    found["subnets"].append(foreign)
    assert network_plan(wanted, found)["findings"] == [
        "vpc-1 holds the subnet subnet-8, which does not carry the tag of shop; remove it first"
    ]
