# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VPC's block divided into subnets."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._network.layout import (
    LayoutError,
    network,
    subnet_layout,
    subnet_prefix,
)
from hypothesis import assume, given
from hypothesis import strategies as st

TIERS = ["public", "private", "database"]
ZONES = [f"eu-central-1{letter}" for letter in "abcdef"]
blocks = st.integers(16, 27).flatmap(
    lambda prefix: st.integers(0, 2 ** (prefix - 8) - 1).map(
        lambda number: IPv4Network((0x0A000000 + (number << (32 - prefix)), prefix))
    )
)


@given(block=blocks, zones=st.integers(1, 6), tiers=st.integers(1, 3), prefix=st.sampled_from([0, 20, 24, 28]))
def test_subnets_have_one_size_lie_inside_and_overlap_nowhere(
    block: IPv4Network, zones: int, tiers: int, prefix: int
) -> None:
    length = prefix or subnet_prefix(block)
    room = 2 ** (length - block.prefixlen) if length >= block.prefixlen else 0
    if room < zones * tiers:
        with pytest.raises(LayoutError, match=f"{block} is too small"):
            subnet_layout(str(block), ZONES[:zones], TIERS[:tiers], prefix)
        return
    places = subnet_layout(str(block), ZONES[:zones], TIERS[:tiers], prefix)
    assert [(place.tier, place.zone) for place in places] == [(t, z) for t in TIERS[:tiers] for z in ZONES[:zones]]
    for place in places:
        assert place.network.prefixlen == length
        assert place.network.subnet_of(block)
    assert not any(one.network.overlaps(other.network) for one, other in combinations(places, 2))


@given(block=blocks, zones=st.integers(1, 5), tiers=st.integers(1, 3))
def test_a_zone_at_the_end_moves_nothing(block: IPv4Network, zones: int, tiers: int) -> None:
    try:
        more = subnet_layout(str(block), ZONES[: zones + 1], TIERS[:tiers])
    except LayoutError:
        assume(False)
    assert set(subnet_layout(str(block), ZONES[:zones], TIERS[:tiers])) <= set(more)


@given(block=blocks, zones=st.permutations(ZONES), first=st.integers(1, 3), tiers=st.permutations(TIERS))
def test_subnets_that_are_there_stay_whatever_zones_and_tiers_come_and_go(
    block: IPv4Network, zones: list[str], first: int, tiers: list[str]
) -> None:
    try:
        before = subnet_layout(str(block), sorted(zones[:first]), ["public"])
        there = {(place.tier, place.zone): str(place.network) for place in before}
        after = subnet_layout(str(block), zones[:4], tiers, given=there, reserved=there.values())
    except LayoutError:
        assume(False)
    assert set(before) <= set(after)
    assert not any(one.network.overlaps(other.network) for one, other in combinations(after, 2))


@given(block=blocks, taken=st.integers(0, 15))
def test_a_block_that_is_taken_is_left_alone(block: IPv4Network, taken: int) -> None:
    length = subnet_prefix(block)
    assume(length - block.prefixlen == 4)
    reserved = list(block.subnets(new_prefix=length))[taken]
    places = subnet_layout(str(block), ZONES[:5], TIERS, reserved=[str(reserved)])
    assert not any(place.network.overlaps(reserved) for place in places)


@pytest.mark.parametrize(
    ("cidr", "words"),
    [
        ("ten", "'ten', is no IPv4 network"),
        ("10.0.0.0/33", "is no IPv4 network"),
        ("10.0.0.0/8", "needs a prefix of /16 to /28"),
        ("10.0.0.0/29", "needs a prefix of /16 to /28"),
        ("10.0.0.0", "needs a prefix of /16 to /28"),
        ("10.0.1.0/16", "is an address in 10.0.0.0/16; say 10.0.0.0/16"),
        ("fd00::/56", "is no IPv4 network"),
    ],
)
def test_a_block_that_is_none_is_told(cidr: str, words: str) -> None:
    with pytest.raises(LayoutError) as told:
        network(cidr, "the VPC's block")
    assert words in str(told.value)


def test_everything_wrong_with_given_blocks_is_told_at_once() -> None:
    given_blocks = {
        ("public", "a"): "10.0.0.0/24",
        ("public", "b"): "10.0.0.128/25",
        ("private", "a"): "10.1.0.0/24",
        ("private", "b"): "10.0.2.0/30",
    }
    with pytest.raises(LayoutError) as told:
        subnet_layout("10.0.0.0/16", ["a", "b"], ["public", "private"], given=given_blocks)
    assert told.value.findings == [
        "the subnet for private in b, '10.0.2.0/30', needs a prefix of /16 to /28",
        "the subnet for private in a, 10.1.0.0/24, is not inside of the VPC's 10.0.0.0/16",
        "the subnet for public in b, 10.0.0.128/25, overlaps that for public in a, 10.0.0.0/24",
    ]
