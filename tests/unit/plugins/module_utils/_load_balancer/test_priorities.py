# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Priorities stay as far as the order lets them."""

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.priorities import priorities
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.lists(st.integers(0, 30), unique=True, max_size=20)
NUMBERS = st.dictionaries(st.integers(0, 30), st.integers(1, 60), max_size=20)


@given(KEYS, NUMBERS, st.sets(st.integers(1, 80)))
def test_numbers_grow_and_new_ones_are_nobody_s(wanted: list[int], current: dict[int, int], taken: set[int]) -> None:
    current = {key: number for key, number in current.items() if number not in taken}
    current = {number: key for key, number in current.items()}
    current = {key: number for number, key in current.items()}
    found = priorities(wanted, current, taken)
    assert len(found) == len(wanted)
    assert found == sorted(set(found))
    used = {*taken, *current.values()}
    for key, number in zip(wanted, found, strict=True):
        assert number == current.get(key) or number not in used


@given(KEYS, NUMBERS)
def test_what_is_in_order_is_left_alone(wanted: list[int], current: dict[int, int]) -> None:
    first = priorities(wanted, current, set())
    assert priorities(wanted, dict(zip(wanted, first, strict=True)), set()) == first


@pytest.mark.parametrize(
    ("wanted", "current", "found"),
    [
        ("abc", {}, [100, 200, 300]),
        ("abc", {"a": 100, "c": 200}, [100, 150, 200]),
        ("xabc", {"a": 100, "b": 200, "c": 300}, [50, 100, 200, 300]),
        ("ac", {"a": 100, "b": 200, "c": 300}, [100, 300]),
        ("bca", {"a": 100, "b": 200, "c": 300}, [200, 300, 400]),
        ("axb", {"a": 1, "b": 2}, [100, 200, 300]),
    ],
)
def test_as_few_as_possible_move(wanted: str, current: dict[str, int], found: list[int]) -> None:
    assert priorities(wanted, current, set()) == found


def test_numbers_of_rules_that_go_are_not_given_away_before_they_are_gone() -> None:
    assert priorities("ab", {}, {100, 300}) == [200, 400]


def test_there_is_room_at_the_end_of_the_numbers() -> None:
    assert priorities("ab", {"a": 50000}, set()) == [100, 200]
