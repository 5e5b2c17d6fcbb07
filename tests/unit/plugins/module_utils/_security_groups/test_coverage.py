# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.coverage import (
    common,
    covered,
    cut,
    traffic,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import Rule, Source


def rule(text: str) -> Rule:
    """``tcp 80-90 10.0.0.0/8``; ICMP's type and code are told in the same way."""
    protocol, span, other = text.split()
    first, _dash, last = span.partition("/" if protocol == "icmp" else "-") if span != "all" else ("-1", "", "-1")
    if other.startswith(("sg-", "pl-")):
        source = Source("group_id" if other.startswith("sg-") else "prefix_list", other)
    else:
        source = Source(f"ipv{ipaddress.ip_network(other).version}", other)
    return Rule(protocol, int(first), int(last or first), source)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("tcp 22 203.0.113.7/32", ["tcp 22 203.0.113.7/32"]),
        ("tcp 22 203.0.113.7/32", ["tcp 22 0.0.0.0/0"]),
        ("tcp 22 203.0.113.7/32", ["-1 all 203.0.113.0/24"]),
        ("tcp 22 203.0.113.7/32", ["tcp 0-65535 203.0.113.7/32"]),
        ("tcp 80-90 10.0.0.0/8", ["tcp 80-85 10.0.0.0/8", "tcp 86-90 0.0.0.0/0"]),
        ("tcp 80 10.0.0.0/8", ["tcp 80 10.0.0.0/9", "tcp 80 10.128.0.0/9"]),
        ("tcp 80 10.0.0.0/8", ["tcp 80 10.128.0.0/9", "tcp 70-80 10.0.0.0/10", "-1 all 10.64.0.0/10"]),
        (
            "tcp 80-90 10.0.0.0/8",
            ["tcp 80-85 10.0.0.0/9", "tcp 86-90 10.0.0.0/9", "tcp 80-82 10.128.0.0/9", "tcp 83-99 10.128.0.0/9"],
        ),
        ("tcp 443 2001:db8::/32", ["tcp 443 ::/0"]),
        ("icmp 3/4 10.0.0.0/8", ["icmp 3/-1 10.0.0.0/8"]),
        ("icmp 3/4 10.0.0.0/8", ["icmp -1/-1 0.0.0.0/0"]),
        ("tcp 5432 sg-1", ["tcp 5432 sg-1"]),
        ("tcp 5432 sg-1", ["-1 all sg-1"]),
        ("50 all 10.0.0.0/8", ["50 all 10.0.0.0/8"]),
        ("-1 all 10.0.0.0/8", ["-1 all 10.0.0.0/9", "-1 all 10.128.0.0/9"]),
    ],
)
def test_rules_together_cover(wanted: str, given: list[str]) -> None:
    assert covered(traffic(rule(wanted)), map(rule, given))


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("tcp 22 203.0.113.7/32", []),
        ("tcp 22 203.0.113.7/32", ["udp 22 0.0.0.0/0"]),
        ("tcp 22 203.0.113.7/32", ["tcp 23 0.0.0.0/0"]),
        ("tcp 22 203.0.113.7/32", ["tcp 22 203.0.113.8/32"]),
        ("tcp 22 203.0.113.7/32", ["tcp 22 ::/0"]),
        ("tcp 80-90 10.0.0.0/8", ["tcp 80-84 10.0.0.0/8", "tcp 86-90 10.0.0.0/8"]),
        ("tcp 80-90 10.0.0.0/8", ["tcp 80-85 10.0.0.0/9", "tcp 85-90 10.128.0.0/9"]),
        ("tcp 80 10.0.0.0/8", ["tcp 80 10.0.0.0/9", "tcp 80 10.128.0.0/10"]),
        ("tcp 80 10.0.0.0/8", ["tcp 80 10.0.0.0/9", "tcp 81 10.128.0.0/9"]),
        ("icmp 3/-1 10.0.0.0/8", ["icmp 3/4 10.0.0.0/8"]),
        ("icmp -1/-1 10.0.0.0/8", ["icmp 3/-1 10.0.0.0/8"]),
        ("tcp 5432 sg-1", ["tcp 5432 0.0.0.0/0", "tcp 5432 sg-2", "tcp 5432 pl-1"]),
        ("-1 all 10.0.0.0/8", ["tcp 0-65535 10.0.0.0/8", "udp 0-65535 10.0.0.0/8"]),
        ("50 all 10.0.0.0/8", ["51 all 10.0.0.0/8"]),
    ],
)
def test_rules_together_do_not_cover(wanted: str, given: list[str]) -> None:
    assert not covered(traffic(rule(wanted)), map(rule, given))


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("tcp 80-90 10.0.0.0/8", "tcp 85-95 10.1.0.0/16", "tcp 85-90 10.1.0.0/16"),
        ("-1 all 0.0.0.0/0", "tcp 22 10.0.0.0/8", "tcp 22 10.0.0.0/8"),
        ("icmp -1/-1 0.0.0.0/0", "icmp 3/4 10.0.0.0/8", "icmp 3/4 10.0.0.0/8"),
        ("tcp 22 sg-1", "-1 all sg-1", "tcp 22 sg-1"),
        ("tcp 22 10.0.0.0/8", "tcp 22 11.0.0.0/8", None),
        ("tcp 22 10.0.0.0/8", "udp 22 10.0.0.0/8", None),
        ("tcp 22 sg-1", "tcp 22 0.0.0.0/0", None),
        ("tcp 22 ::/0", "tcp 22 0.0.0.0/0", None),
    ],
)
def test_what_two_rules_have_in_common(one: str, other: str, both: str | None) -> None:
    expected = [traffic(rule(both))] if both else []
    assert list(common([rule(one)], [rule(other)])) == expected
    assert list(common([rule(other)], [rule(one)])) == expected


def test_what_is_cut_is_what_both_ends_allow_and_the_middle_does_not() -> None:
    before, after = [rule("tcp 22 10.0.0.0/8"), rule("tcp 80 0.0.0.0/0")], [rule("tcp 22 10.1.0.0/16")]
    assert cut(before, after, [*before, *after]) == []
    assert cut(before, after, [rule("tcp 22 10.0.0.0/9")]) == []
    assert cut(before, after, [rule("tcp 80 0.0.0.0/0")]) == [traffic(rule("tcp 22 10.1.0.0/16"))]
