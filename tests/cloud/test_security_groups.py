# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""security_groups against a control plane over HTTP: what is there afterwards, and what it took."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api

from lab.cloud import ControlPlane
from tests.cloud.vpcs import SHOP, Vpc, app, make, opened, permission


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    return make(cloud)


def test_a_set_is_there_after_its_first_run_and_the_second_is_one_call(vpc: Vpc) -> None:
    result = vpc.run(*reversed(SHOP))
    assert result["calls"] == vpc.operations.total() == 13
    assert vpc.changes == Counter(
        CreateSecurityGroup=3,
        AuthorizeSecurityGroupIngress=3,
        AuthorizeSecurityGroupEgress=1,
        RevokeSecurityGroupEgress=2,
    )
    assert vpc.rules("shop-app") == {"8080/tcp shop-alb", "8080/tcp shop-app", "icmp type 3 code 4 10.0.0.0/16"} | {
        "protocol 50 10.1.0.0/16"
    }
    assert vpc.rules("shop-db", "egress") == set()
    assert vpc.groups["shop-alb"].tags == {"gatehouse:platform": "shop", "Tier": "edge"}
    there = vpc.groups["shop-db"]
    assert result["groups"]["shop-db"] == {"id": there.id, "arn": there.arn}
    again = vpc.run(*SHOP)
    assert (again["changed"], again["plan"], again["diff"], again["calls"]) == (False, [], [], 1)
    assert vpc.operations == Counter(DescribeSecurityGroups=1)


def test_check_mode_says_exactly_what_the_run_does(vpc: Vpc) -> None:
    changed = ({**SHOP[0], "ingress": [opened(443, "0.0.0.0/0", description="TLS")]}, SHOP[1])
    for groups, options in ((SHOP, {}), (changed, {"purge_groups": True})):
        groups = tuple({**group, "egress": []} for group in groups) if options else groups
        foreseen = vpc.run(*groups, check=True, **options)
        assert vpc.changes == Counter()
        done = vpc.run(*groups, **options)
        assert (foreseen["plan"], foreseen["diff"]) == (done["plan"], done["diff"])
        assert foreseen["changed"]
        assert vpc.run(*groups, check=True, **options)["plan"] == []


def test_the_vpc_may_be_unknown_in_check_mode_and_no_call_is_made(vpc: Vpc) -> None:
    result = vpc.run(*SHOP, check=True, vpc_id="")
    assert result["calls"] == 0
    assert result["plan"][:3] == ["shop-alb: new", "shop-app: new", "shop-db: new"]
    assert result["groups"]["shop-db"] == {"id": "", "arn": ""}


def test_a_vpc_that_does_not_exist_is_told_at_once(vpc: Vpc) -> None:
    for check in (True, False):
        text = vpc.refuses(*SHOP, check=check, vpc_id="vpc-0123456789abcdef0")
        assert text == "vpc_id vpc-0123456789abcdef0: there is no such VPC in this account and region"
        assert vpc.operations == Counter(DescribeSecurityGroups=1, DescribeVpcs=1)


def test_a_new_group_with_omitted_egress_keeps_what_aws_gives_it(cloud: ControlPlane) -> None:
    for ipv6, kept in ((False, {"all traffic 0.0.0.0/0"}), (True, {"all traffic 0.0.0.0/0", "all traffic ::/0"})):
        vpc = make(cloud, AmazonProvidedIpv6CidrBlock=ipv6)
        vpc.run({"name": "kept"}, {"name": "empty", "egress": []})
        assert vpc.rules("kept", "egress") == kept
        assert vpc.rules("empty", "egress") == set()
        vpc.run({"name": "empty", "egress": [{"protocol": "-1", "destinations": ["0.0.0.0/0"]}]})
        assert vpc.rules("empty", "egress") == {"all traffic 0.0.0.0/0"}


def test_what_aws_keeps_of_a_declaration_is_no_change(vpc: Vpc) -> None:
    lists = vpc.ec2.create_managed_prefix_list(
        PrefixListName="offices", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24"}]
    )["PrefixList"]["PrefixListId"]
    rules = [
        opened(22, "10.1.2.3/16", "2001:DB8:0::1/32", lists, lists.upper().replace("PL-", "pl-")),
        {"protocol": "17", "ports": "53", "sources": ["10.0.0.0/8"]},
        {"protocol": 6, "ports": [53, "100-200"], "sources": ["10.0.0.0/8"]},
        {"protocol": "icmpv6", "sources": ["::/0"]},
        {"protocol": "58", "icmp_type": 128, "sources": ["::/0"]},
        {"protocol": "ALL", "sources": ["app"]},
        {"protocol": "esp", "sources": ["10.0.0.0/8"]},
    ]
    vpc.run({"name": "App", "ingress": rules})
    assert len(vpc.rules("app")) == 10
    assert vpc.run({"name": "aPP", "ingress": rules})["calls"] == 1


def test_all_pages_are_read(vpc: Vpc, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"g{number}" for number in range(12)]
    vpc.run(*({"name": name, "ingress": []} for name in names))
    monkeypatch.setattr(api, "PAGE", 5)
    assert vpc.run(*({"name": name, "ingress": []} for name in names))["plan"] == []
    assert vpc.operations == Counter(DescribeSecurityGroups=3)


def test_descriptions_of_rules_are_updated_in_place(vpc: Vpc) -> None:
    rules = [opened(22, "10.0.0.0/8", "app", description="old")]
    vpc.run({"name": "app", "ingress": rules, "egress": rules})
    new = [opened(22, "10.0.0.0/8", description="new"), opened(22, "app")]
    vpc.run({"name": "app", "ingress": new, "egress": new})
    assert vpc.changes == Counter(
        UpdateSecurityGroupRuleDescriptionsIngress=1, UpdateSecurityGroupRuleDescriptionsEgress=1
    )
    assert sorted(vpc.groups["app"].ingress.values()) == sorted(vpc.groups["app"].egress.values()) == ["", "new"]


def test_undeclared_rules_are_kept_without_purge_rules(vpc: Vpc) -> None:
    vpc.run(app("10.0.0.0/8"))
    vpc.run(app("10.1.0.0/16"), purge_rules=False)
    assert vpc.rules("app") == {"80/tcp 10.0.0.0/8", "80/tcp 10.1.0.0/16"}
    assert vpc.run(app(), purge_rules=False)["plan"] == []


def test_tags_are_brought_to_the_declared_ones_and_the_owners_stays(vpc: Vpc) -> None:
    vpc.run({"name": "app", "tags": {"Tier": "web", "Old": "x"}})
    assert vpc.run({"name": "app"})["plan"] == []
    vpc.run({"name": "app", "tags": {"Tier": "app"}})
    assert vpc.groups["app"].tags == {"gatehouse:platform": "shop", "Tier": "app"}
    vpc.run({"name": "app", "tags": {}})
    assert vpc.groups["app"].tags == {"gatehouse:platform": "shop"}


def test_a_group_of_somebody_else_is_taken_over_when_told(vpc: Vpc) -> None:
    group_id = vpc.create("APP", permission(22, IpRanges=[{"CidrIp": "10.0.0.0/8"}]))
    assert f"app: {group_id} of that name is there already and has no tag" in vpc.refuses(app())
    assert vpc.changes == Counter()
    result = vpc.run(app("10.0.0.0/8", port=22), adopt=True)
    assert result["plan"] == ["APP: taken over by 'shop' from nobody"]
    assert vpc.groups["app"].owner == "shop"
    assert "belongs to 'shop'" in vpc.refuses(app(), owner="other")
