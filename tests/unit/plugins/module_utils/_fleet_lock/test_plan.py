# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may lock a fleet, what is suspended, and what is put back."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock import run
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock.model import (
    PROCESSES,
    FleetLockError,
    Group,
    Lock,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock.plan import Wish, plan
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=timezone.utc)
MINE, OTHER = Lock("ada@desk", "10-1", NOW), Lock("bob@desk", "20-2", NOW - timedelta(minutes=5))
OURS = frozenset({"AZRebalance", "ReplaceUnhealthy"})
LOCKED, UNLOCKED = Wish(True, MINE, OURS), Wish(False, MINE, OURS)
some_processes = st.frozensets(st.sampled_from(PROCESSES))


def alive(_lock: Lock) -> bool:
    return False


def dead(_lock: Lock) -> bool:
    return True


@given(some_processes, some_processes)
def test_after_locking_and_unlocking_a_group_is_as_it_was(suspended: frozenset[str], wanted: frozenset[str]) -> None:
    before = Group("web", suspended=suspended)
    locked = plan(before, replace(LOCKED, processes=wanted), alive).after()
    assert (locked.lock, locked.suspended) == (MINE, suspended | wanted)
    assert plan(locked, UNLOCKED, alive).after() == before


@given(some_processes, some_processes)
def test_a_second_time_changes_nothing(suspended: frozenset[str], wanted: frozenset[str]) -> None:
    wish = replace(LOCKED, processes=wanted)
    group = Group("web", suspended=suspended)
    assert not plan(plan(group, wish, alive).after(), wish, alive).changed
    assert not plan(plan(group, UNLOCKED, alive).after(), UNLOCKED, alive).changed


@given(some_processes, some_processes, some_processes, st.integers(0, 2))
def test_whoever_comes_after_a_killed_run_puts_back_what_was_there_before(
    suspended: frozenset[str], wanted: frozenset[str], other: frozenset[str], step: int
) -> None:
    """Killed before anything, between the tags and the suspension, or after both."""
    before = Group("web", suspended=suspended)
    first = plan(before, Wish(True, OTHER, other), alive)
    half = replace(first.after(), suspended=suspended)
    left = (before, half, first.after())[step]
    successor = plan(left, replace(LOCKED, processes=wanted), dead).after()
    assert plan(successor, UNLOCKED, dead).after() == before


def test_somebody_elses_lock_is_respected_until_its_run_is_over_or_it_is_old() -> None:
    group = plan(Group("web"), Wish(True, OTHER, OURS), alive).after()
    for wish in (LOCKED, UNLOCKED):
        with pytest.raises(FleetLockError, match="web is locked: bob@desk run 20-2 since 2026-11-20T19:55:00Z"):
            plan(group, wish, alive)
        for allowed in (plan(group, wish, dead), plan(group, replace(wish, force=True), alive)):
            assert allowed.taken_over == OTHER
        assert plan(group, replace(wish, stale=299), alive).changed
        with pytest.raises(FleetLockError):
            plan(group, replace(wish, stale=300), alive)


@pytest.mark.parametrize(("minutes", "renewed"), [(15, False), (16, True), (600, True)])
def test_a_run_renews_its_own_lock_before_others_may_take_it(minutes: int, renewed: bool) -> None:
    group = plan(Group("web"), LOCKED, alive).after()
    later = Lock("ada@desk", "10-1", NOW + timedelta(minutes=minutes))
    again = plan(group, Wish(False, later, renewed=True), alive)
    assert (again.after().lock, again.changed) == (later if renewed else MINE, renewed)
    assert (again.after().ours, again.after().suspended) == (OURS, OURS)
    assert again.sentences() == (["web: renews the lock"] if renewed else [])
    assert not again.lost


def test_a_run_does_not_win_back_a_lock_that_it_has_lost() -> None:
    renewing = Wish(False, replace(MINE, since=NOW + timedelta(hours=9)), renewed=True)
    for group in (Group("web"), plan(Group("web"), Wish(True, OTHER, OURS), alive).after()):
        for is_dead in (alive, dead):
            renewal = plan(group, renewing, is_dead)
            assert (renewal.changed, renewal.lost) == (False, True)
            assert renewal.sentences() == [f"web: this run has lost its lock to {group.lock or 'nobody'}"]


def test_a_run_of_another_container_of_the_same_name_is_not_known_to_be_over() -> None:
    mine = run.identity(os.getpid())
    assert run.is_alive(mine)
    assert not run.is_alive(f"999999999-1-{run.namespace()}")
    assert run.is_alive("999999999-1-1")


@pytest.mark.parametrize("value", ["", "x", "ada@desk run 1 since yesterday"])
def test_a_lock_that_nobody_can_read_is_held(value: str) -> None:
    with pytest.raises(FleetLockError):
        plan(Group("web", lock=Lock.parse(value)), LOCKED, alive)


def test_the_plan_is_told_in_words() -> None:
    locking = plan(Group("web", suspended=frozenset({"AZRebalance"})), LOCKED, alive)
    assert locking.sentences() == ["web: locks the fleet", "web: suspends ReplaceUnhealthy"]
    assert plan(locking.after(), UNLOCKED, alive).sentences() == [
        "web: resumes ReplaceUnhealthy",
        "web: unlocks the fleet",
    ]
