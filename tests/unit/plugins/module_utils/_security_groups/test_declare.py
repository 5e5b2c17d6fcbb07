# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.declare import from_params
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    Desired,
    Rule,
    SecurityGroupsError,
    Source,
)


def declared(*groups: dict[str, Any], **others: Any) -> Desired:
    return from_params({"vpc_id": "vpc-1", "owner": "shop", "groups": list(groups), **others})


def findings(*groups: dict[str, Any], **others: Any) -> list[str]:
    with pytest.raises(SecurityGroupsError) as raised:
        declared(*groups, **others)
    return str(raised.value).split("\n")


def with_rule(**rule: Any) -> dict[str, Any]:
    return {"name": "web", "ingress": [rule]}


def test_every_port_and_source_is_a_rule() -> None:
    (group,) = declared(with_rule(ports=[80, "443"], sources=["10.0.0.1/8", "::/0", "WEB"], description="d")).groups
    sources = (Source("ipv4", "10.0.0.0/8"), Source("ipv6", "::/0"), Source("group", "web"))
    assert group.ingress == {Rule("tcp", port, port, source): "d" for port in (80, 443) for source in sources}
    assert group.egress is None


def test_an_empty_direction_is_declared_and_an_omitted_one_is_not() -> None:
    (group,) = declared({"name": "web", "ingress": [], "egress": None}).groups
    assert (group.ingress, group.egress) == ({}, None)


def test_egress_has_destinations_or_sources() -> None:
    rule = {"protocol": "-1", "destinations": ["0.0.0.0/0"]}
    other = {"protocol": "all", "sources": ["0.0.0.0/0"]}
    one, two = declared({"name": "a", "egress": [rule]}, {"name": "b", "egress": [other]}).groups
    assert one.egress == two.egress == {Rule("-1", -1, -1, Source("ipv4", "0.0.0.0/0")): ""}


@pytest.mark.parametrize(
    ("rule", "finding"),
    [
        ({"ports": "http", "sources": ["::/0"]}, "groups[0] web ingress[0]: 'http' is no port"),
        ({"sources": ["::/0"]}, "groups[0] web ingress[0]: tcp needs ports"),
        ({"protocol": "udp", "ports": [], "sources": ["::/0"]}, "groups[0] web ingress[0]: udp needs ports"),
        ({"protocol": "-1", "ports": 1, "sources": ["::/0"]}, "ports cannot be told apart for the protocol -1"),
        ({"protocol": "icmp", "ports": 1, "sources": ["::/0"]}, "icmp has no ports: give icmp_type"),
        ({"protocol": "icmp", "icmp_code": 1, "sources": ["::/0"]}, "an icmp_code needs its icmp_type"),
        ({"protocol": "icmp", "icmp_type": 256, "sources": ["::/0"]}, "numbers from 0 to 255"),
        ({"ports": 1, "icmp_type": 1, "sources": ["::/0"]}, "belong to the protocols icmp and icmpv6"),
        ({"protocol": "htp", "ports": 1, "sources": ["::/0"]}, "ingress[0]: 'htp' is no protocol"),
        ({"ports": 1, "sources": []}, "groups[0] web ingress[0]: sources is empty"),
        (
            {"ports": 1, "sources": ["::/0", "10.0.0.0/33"]},
            "groups[0] web ingress[0].sources[1] '10.0.0.0/33': does not appear to be an IPv4 or IPv6 network",
        ),
        ({"ports": 1, "sources": ["app"]}, "groups[0] web ingress[0].sources[0] 'app': names no group of this set"),
        (
            {"ports": 1, "sources": ["::/0"], "description": "ä"},
            "groups[0] web ingress[0] description 'ä': at most 255",
        ),
        ({"ports": 1, "sources": ["web"], "description": "a&b"}, "description 'a&b'"),
    ],
)
def test_a_bad_rule_is_told_with_its_place(rule: dict[str, Any], finding: str) -> None:
    (told,) = findings(with_rule(**rule))
    assert finding in told
    assert told.startswith("groups[0] web ingress[0]")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("default", "the VPC's own"),
        ("DEFAULT", "the VPC's own"),
        ("sg-0123", "id of a group"),
        ("SG-web", "id of a group"),
        ("444455556666/sg-1", "id of a group"),
        ("pl-0123", "prefix list"),
        ("10.0.0.0/8", "CIDR"),
        ("10.0.0.7", "CIDR"),
        ("::/0", "CIDR"),
        ("fd00::1", "CIDR"),
        ("", "1 to 255"),
        ("a" * 256, "1 to 255"),
        ("wéb", "1 to 255"),
    ],
)
def test_names_that_mean_something_else_are_refused(name: str, why: str) -> None:
    (told,) = findings({"name": name})
    assert why in told
    assert told.startswith(f"groups[0] {name}")


def test_names_are_compared_without_regard_to_case() -> None:
    (told,) = findings({"name": "web"}, {"name": "Web"})
    assert told == "groups[1] Web: the same name as groups[0] web, names are compared without regard to case"


def test_a_rule_declared_twice_with_different_descriptions_is_refused() -> None:
    one = {"ports": [80, 443], "sources": ["10.0.0.0/8"], "description": "a"}
    other = {"protocol": "6", "ports": 80, "sources": ["10.1.0.0/8"], "description": "b"}
    (told,) = findings({"name": "web", "ingress": [one, other]})
    assert told == (
        "groups[0] web ingress[1]: 80/tcp with 10.0.0.0/8 is declared with the description 'b' here "
        "and 'a' in groups[0] web ingress[0]"
    )
    assert len(declared({"name": "web", "ingress": [one, {**other, "description": "a"}]}).groups[0].ingress or ()) == 2


def test_all_findings_are_told_at_once() -> None:
    told = findings(
        {"name": "default", "tags": {"gatehouse:platform": "x", "aws:y": "z"}},
        {"name": "web", "description": "ü", "ingress": [{"ports": 99999, "sources": ["10.0.0.0/99", "nobody"]}]},
        vpc_id="subnet-1",
        owner="",
        purge_groups=True,
        protect=[
            {"group": "web", "port": "x", "source": "10.0.0.0/8"},
            {"group": "web", "port": 22, "source": "1.2.3.4"},
        ],
    )
    assert len(told) == 11
    assert [line.split(" ")[0] for line in told] == [
        "vpc_id",
        "purge_groups",
        "groups[0]",
        "groups[0]",
        "groups[0]",
        "groups[1]",
        "groups[1]",
        "groups[1]",
        "groups[1]",
        "protect[0]",
        "protect[1]",
    ]


@pytest.mark.parametrize(
    ("others", "finding"),
    [
        ({"vpc_id": ""}, "vpc_id is empty: only in check mode may the VPC be unknown"),
        ({"owner": None, "state": "absent"}, "state: absent needs owner"),
        ({"owner": None, "purge_groups": True}, "purge_groups needs owner"),
        ({"owner": None, "adopt": True}, "adopt needs owner"),
        ({"purge_groups": True}, "purge_groups with no groups would delete all of 'shop': give state: absent for that"),
        ({"owner": "x" * 257}, "owner has more than 256 characters"),
    ],
)
def test_what_does_not_go_together_is_refused(others: dict[str, Any], finding: str) -> None:
    (told,) = findings(**others)
    assert finding in told


def test_a_group_has_at_most_fifty_tags_with_that_of_the_owner() -> None:
    fifty = {"name": "web", "tags": {str(number): "x" for number in range(50)}}
    assert findings(fifty) == ["groups[0] web tags: 50, and a group has at most 50, that of the owner included"]
    assert declared(fifty, owner="").groups


def test_the_vpc_may_be_unknown_in_check_mode() -> None:
    assert from_params({"vpc_id": "", "groups": []}, check_mode=True).vpc_id == ""


def test_a_protected_path_may_be_of_any_group_of_the_vpc() -> None:
    given = [
        {"group": "bastion", "port": "20-22", "source": "203.0.113.7/32"},
        {"group": "sg-0abc", "port": 5432, "source": "shop-app"},
        {"group": "db", "protocol": "icmp", "icmp_type": 8, "source": "10.0.0.0/8"},
    ]
    assert [str(path) for path in declared(protect=given).protect] == [
        "20-22/tcp from 203.0.113.7/32 into bastion",
        "5432/tcp from shop-app into sg-0abc",
        "icmp type 8 from 10.0.0.0/8 into db",
    ]
