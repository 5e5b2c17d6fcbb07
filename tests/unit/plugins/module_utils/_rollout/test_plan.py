# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts are worked on in which order, and how many at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import (
    ABSENT,
    DRAINING,
    HEALTHY,
    Fleet,
    FleetPlan,
    Host,
    Share,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.plan import plan
from hypothesis import given
from hypothesis import strategies as st

WEB = Fleet("web", "shop-web", ("shop",), ())
names = st.lists(st.integers(0, 999).map(lambda number: f"i-{number:03}"), unique=True, min_size=1, max_size=40)
standings = st.sampled_from([HEALTHY, "unhealthy", DRAINING, ABSENT])


@st.composite
def hosts(draw: st.DrawFn) -> list[Host]:
    return [Host(name, standing=draw(standings), changes=draw(st.booleans())) for name in draw(names)]


def laid_out(found: list[Host], fleet: Fleet = WEB) -> FleetPlan:
    return plan(fleet, found, len(found), balanced=True)


def healthy(number: int) -> list[Host]:
    return [Host(f"i-{index:03}") for index in range(number)]


@given(hosts())
def test_every_host_with_something_to_do_comes_once_whatever_the_order_of_the_input(found: list[Host]) -> None:
    made = laid_out(found)
    assert made == laid_out(sorted(found, key=lambda host: host.name, reverse=True))
    flat = [host for batch in made.batches for host in batch]
    assert sorted(flat) == sorted(host.name for host in found if host.changes or host.standing != HEALTHY)
    assert set(flat) == set(made.steps)


@given(hosts())
def test_one_host_goes_first_and_hosts_that_serve_nobody_before_those_that_do(found: list[Host]) -> None:
    made = laid_out(found)
    assert [len(batch) for batch in made.batches[:1]] in ([], [1])
    serves = {host.name: host.standing == HEALTHY for host in found}
    flat = [serves[host] for batch in made.batches for host in batch]
    assert flat == sorted(flat)


@given(hosts(), st.integers(1, 100), st.integers(0, 90))
def test_no_batch_takes_out_more_than_the_minimum_lets_go(found: list[Host], batch: int, minimum: int) -> None:
    fleet = replace(WEB, batch=Share(batch, True), minimum=Share(minimum, True))
    made = laid_out(found, fleet)
    for part in made.batches:
        leaving = [host for host in part if made.steps[host].drain]
        assert len(found) - len(leaving) >= fleet.floor(len(found)) or not leaving


@given(st.integers(2, 400))
def test_the_number_of_batches_does_not_grow_with_the_fleet(number: int) -> None:
    assert len(laid_out(healthy(number)).batches) <= 4


@pytest.mark.parametrize(
    ("number", "sizes"), [(1, [1]), (2, [1, 1]), (3, [1, 1, 1]), (4, [1, 2, 1]), (10, [1, 4, 4, 1])]
)
def test_sizes_of_batches(number: int, sizes: list[int]) -> None:
    assert [len(batch) for batch in laid_out(healthy(number)).batches] == sizes
    assert [len(batch) for batch in laid_out(healthy(20)).batches] == [1, 7, 7, 5]


@given(hosts())
def test_a_host_with_nothing_to_do_is_left_out_and_a_finished_rollout_is_empty(found: list[Host]) -> None:
    done = [replace(host, changes=False, standing=HEALTHY) for host in found]
    assert laid_out(done).batches == ()


def test_only_a_healthy_host_is_drained_and_never_one_that_is_alone() -> None:
    found = [Host("a"), Host("b", standing="unhealthy"), Host("c", changes=False, standing=ABSENT)]
    made = laid_out(found)
    assert {name: (step.drain, step.register) for name, step in made.steps.items()} == {
        "a": (True, True),
        "b": (False, True),
        "c": (False, True),
    }
    alone = laid_out([Host("a")])
    assert (alone.batches, alone.steps["a"].drain, alone.steps["a"].register) == ((("a",),), False, True)
    assert plan(WEB, [Host("a")], 2, balanced=True).steps["a"].drain, "the rollout is limited, the fleet is not"
    assert not plan(WEB, [Host("a", standing="")], 2, balanced=False).steps["a"].register


def test_what_stands_in_the_way_of_one_host_is_told_and_keeps_all_from_it() -> None:
    made = laid_out([Host("a"), Host("b", problem="cannot be reached")])
    assert made.batches == ()
    assert made.findings == ("b of fleet web: cannot be reached",)


def test_an_instance_on_its_way_out_keeps_nobody_from_the_release() -> None:
    made = laid_out([Host("a"), Host("b", problem="cannot be reached", life_cycle="Terminating:Wait")])
    assert (made.findings, made.batches) == ((), (("a",),))
    assert made.left == {"b": "is not in service (Terminating:Wait)"}


@pytest.mark.parametrize("minimum", [Share(100, True), Share(2), Share(5)])
def test_a_minimum_that_lets_no_host_go_is_told_before_anything_is_done(minimum: Share) -> None:
    made = laid_out(healthy(2), replace(WEB, minimum=minimum))
    assert "have to stay healthy (platform_fleets: deploy.minimum_healthy" in made.findings[0]
    assert not laid_out(healthy(1), replace(WEB, minimum=minimum)).findings


def test_hosts_that_are_not_in_service_are_left_and_those_being_launched_come_later() -> None:
    found = [
        Host("a"),
        Host("b", life_cycle="Pending:Wait"),
        Host("c", life_cycle="Terminating"),
        Host("d", life_cycle=""),
    ]
    first = plan(WEB, found, 1, balanced=True)
    assert first.batches == (("a",),)
    assert first.left["b"] == "is being launched"
    assert first.left["c"] == "is not in service (Terminating)"
    later = plan(WEB, found, 1, balanced=True, later=True)
    assert later.batches == (("a",), ("b",))
    assert not later.steps["b"].register


@pytest.mark.parametrize("told", ["a few", "34 %%", "-1", "101%", "", None])
def test_a_share_that_is_none_is_refused(told: object) -> None:
    with pytest.raises(ValueError, match="neither a number nor a percentage"):
        Share.parse(told)


@given(st.integers(0, 100), st.integers(1, 1000))
def test_a_share_is_rounded_up_and_read_as_it_is_written(number: int, total: int) -> None:
    share = Share(number, True)
    assert 0 <= share.of(total) * 100 - number * total < 100
    assert Share.parse(str(share)) == share
    assert Share.parse(number).of(total) == number
