# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import rules
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import Rule, Source

NAMES = {"sg-1": ("Web", "111122223333"), "sg-2": ("db", "111122223333")}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("6", "tcp"),
        ("TCP", "tcp"),
        ("17", "udp"),
        ("1", "icmp"),
        ("58", "icmpv6"),
        ("050", "50"),
        ("esp", "50"),
        ("all", "-1"),
        ("-1", "-1"),
        ("any", "-1"),
        ("132", "132"),
    ],
)
def test_protocols_go_by_the_name_that_aws_uses(written: str, kept: str) -> None:
    assert rules.protocol(written) == kept


@pytest.mark.parametrize("written", ["", "htp", "256", "-2", "6.0"])
def test_what_is_no_protocol_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no protocol"):
        rules.protocol(written)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (80, [(80, 80)]),
        ("80", [(80, 80)]),
        ("9000-9010", [(9000, 9010)]),
        (" 9000 - 9010 ", [(9000, 9010)]),
        ([80, "443", "8000-8010"], [(80, 80), (443, 443), (8000, 8010)]),
        (0, [(0, 0)]),
    ],
)
def test_ports_are_numbers_ranges_and_lists(written: Any, kept: list[tuple[int, int]]) -> None:
    assert list(rules.ports(written)) == kept


@pytest.mark.parametrize("written", ["http", 65536, "90-80", -1, True, 80.5, "80-", "80,443", {}, "1-2-3"])
def test_what_is_no_port_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match=r"is no (port|range)"):
        list(rules.ports(written))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("10.1.2.3/16", Source("ipv4", "10.1.0.0/16")),
        ("0.0.0.0/0", Source("ipv4", "0.0.0.0/0")),
        ("2001:DB8:0:0::1/32", Source("ipv6", "2001:db8::/32")),
        ("::/0", Source("ipv6", "::/0")),
        ("SG-0ABC", Source("group_id", "sg-0abc")),
        ("444455556666/sg-0123", Source("group_id", "sg-0123", account="444455556666")),
        ("pl-0ABC", Source("prefix_list", "pl-0abc")),
        ("Shop-App", Source("group", "shop-app")),
        (" shop-app ", Source("group", "shop-app")),
    ],
)
def test_sources_are_told_apart(written: str, kept: Source) -> None:
    found = rules.source(written, {"shop-app": "shop-app"})
    assert (found, found.account) == (kept, kept.account)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("10.0.0.0/33", "does not appear to be an IPv4 or IPv6 network"),
        ("10.0.0.7", "give 10.0.0.7/32"),
        ("2001:db8::1", "give 2001:db8::1/128"),
        ("10.0.0.0/255.0.0.0", "number of bits"),
        ("300.0.0.0/8", "does not appear"),
        ("shop-web", "names no group of this set"),
        ("", "names no group of this set"),
        ("pl-xyz", "names no group of this set"),
        ("fe80::1%eth0/64", "names no group of this set"),
    ],
)
def test_what_is_no_source_is_refused(written: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        rules.source(written, {"shop-app": "shop-app"})


def test_permissions_of_aws_are_read_one_rule_at_a_time() -> None:
    told = [
        {
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 81,
            "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "x"}, {"CidrIp": "0.0.0.0/0"}],
            "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
            "PrefixListIds": [{"PrefixListId": "pl-1"}],
            "UserIdGroupPairs": [
                {"GroupId": "sg-1", "UserId": "111122223333"},
                {"GroupId": "sg-9", "UserId": "444455556666", "VpcPeeringConnectionId": "pcx-1"},
            ],
        },
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-8"}]},
        {"IpProtocol": "50", "FromPort": 0, "ToPort": 0, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {"IpProtocol": "icmpv6", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
    ]
    found = rules.from_permissions(told, NAMES)
    assert found == {
        Rule("tcp", 80, 81, Source("ipv4", "10.0.0.0/8")): "x",
        Rule("tcp", 80, 81, Source("ipv4", "0.0.0.0/0")): "",
        Rule("tcp", 80, 81, Source("ipv6", "::/0")): "",
        Rule("tcp", 80, 81, Source("prefix_list", "pl-1")): "",
        Rule("tcp", 80, 81, Source("group", "web")): "",
        Rule("tcp", 80, 81, Source("group_id", "sg-9")): "",
        Rule("-1", -1, -1, Source("group_id", "sg-8")): "",
        Rule("50", -1, -1, Source("ipv4", "10.0.0.0/8")): "",
        Rule("icmpv6", -1, -1, Source("ipv6", "::/0")): "",
    }
    shown = {str(rule.source) for rule in found}
    assert {"Web", "444455556666/sg-9", "sg-8"} <= shown


def test_a_rule_is_revoked_in_the_words_in_which_it_was_told() -> None:
    told = [{"IpProtocol": "50", "FromPort": 0, "ToPort": 7, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    assert rules.to_permissions(rules.from_permissions(told, {}), {}) == told
    told = [{"IpProtocol": "icmpv6", "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "x"}]}]
    assert rules.to_permissions(rules.from_permissions(told, {}), {}) == told


def test_rules_are_sent_in_one_entry_for_each_range_of_ports() -> None:
    wanted = {
        Rule("tcp", 80, 80, Source("ipv4", "10.0.0.0/8")): "web",
        Rule("tcp", 80, 80, Source("group", "db")): "",
        Rule("tcp", 80, 80, Source("group_id", "sg-9", account="444455556666")): "",
        Rule("icmp", -1, -1, Source("ipv4", "10.0.0.0/8")): "",
        Rule("-1", -1, -1, Source("prefix_list", "pl-1")): "",
    }
    assert rules.to_permissions(wanted, {"db": "sg-2"}) == [
        {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-1"}]},
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "web"}],
            "UserIdGroupPairs": [{"GroupId": "sg-2"}, {"GroupId": "sg-9", "UserId": "444455556666"}],
        },
    ]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule("tcp", 22, 22, Source("ipv4", "10.0.0.0/8")), "22/tcp"),
        (Rule("udp", 5000, 5010, Source("ipv4", "10.0.0.0/8")), "5000-5010/udp"),
        (Rule("icmp", -1, -1, Source("ipv4", "10.0.0.0/8")), "icmp"),
        (Rule("icmp", 3, 4, Source("ipv4", "10.0.0.0/8")), "icmp type 3 code 4"),
        (Rule("icmpv6", 128, -1, Source("ipv6", "::/0")), "icmpv6 type 128"),
        (Rule("-1", -1, -1, Source("ipv4", "10.0.0.0/8")), "all traffic"),
        (Rule("50", -1, -1, Source("ipv4", "10.0.0.0/8")), "protocol 50"),
    ],
)
def test_traffic_is_told_in_words(rule: Rule, words: str) -> None:
    assert rule.traffic == words
