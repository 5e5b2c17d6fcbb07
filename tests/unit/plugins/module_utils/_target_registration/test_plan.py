# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    DRAINING,
    Health,
    Minimum,
    Target,
    TargetGroup,
    TargetRegistrationError,
    Wanted,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.plan import (
    REGISTERED,
    Plan,
    floors,
    plan,
)
from hypothesis import given
from hypothesis import strategies as st

WEB = TargetGroup("shop-web", "arn:web", port=8080)
NONE = Minimum(0)
A, B, C = Target("i-0a", 8080), Target("i-0b", 8080), Target("i-0c", 8080)
STATES = ("initial", "healthy", "unhealthy", "unhealthy.draining", "unused", "draining", "unavailable")

targets = st.builds(Target, st.sampled_from(["i-0a", "i-0b", "i-0c", "i-0d"]), st.sampled_from([80, 8080]))
currents = st.dictionaries(targets, st.builds(Health, st.sampled_from(STATES)))
minima = st.builds(Minimum, st.integers(0, 100), st.booleans())


def states(**named: str) -> dict[Target, Health]:
    return {{"a": A, "b": B, "c": C}[name]: Health(state) for name, state in named.items()}


def planned(current: dict[Target, Health], wanted: Wanted, minimum: Minimum = NONE, hopeful: bool = False) -> Plan:
    before = {WEB.arn: current}
    return plan(before, [wanted], floors(before, minimum), hopeful=hopeful)


def present(*names: Target, exclusive: bool = False) -> Wanted:
    return Wanted(WEB, frozenset(names), exclusive=exclusive)


def test_what_is_missing_is_registered_and_the_rest_left_alone() -> None:
    result = planned(states(a="healthy", c="unhealthy"), present(A, B))
    assert result.sentences() == ["shop-web: registers i-0b:8080"]


@pytest.mark.parametrize("state", ["initial", "unhealthy", "unhealthy.draining", "unused", "unavailable", "healthy"])
def test_a_registered_target_is_not_registered_again(state: str) -> None:
    assert not planned(states(a=state), present(A)).changed


def test_a_draining_target_that_should_be_present_is_registered_again() -> None:
    assert planned(states(a="draining"), present(A)).sentences() == [
        "shop-web: registers i-0a:8080 again, which is draining"
    ]


def test_exclusive_registers_before_it_deregisters_and_leaves_draining_ones_to_drain() -> None:
    result = planned(states(a="healthy", b="draining"), present(C, exclusive=True))
    assert result.sentences() == ["shop-web: registers i-0c:8080", "shop-web: deregisters i-0a:8080"]


def test_another_port_is_another_target() -> None:
    other = Target("i-0a", 9090)
    result = planned(states(a="healthy"), present(other, exclusive=True))
    assert result.groups[0].register == (other,)
    assert result.groups[0].deregister == (A,)


def test_absent_without_a_port_removes_every_port_of_the_id() -> None:
    current = {A: Health("healthy"), Target("i-0a", 9090): Health("initial"), B: Health("healthy")}
    result = planned(current, Wanted(WEB, absent_ids=frozenset({"i-0a"})))
    assert result.groups[0].deregister == (A, Target("i-0a", 9090))


def test_absent_with_a_port_removes_only_that() -> None:
    current = {A: Health("healthy"), Target("i-0a", 9090): Health("initial")}
    assert planned(current, Wanted(WEB, absent=frozenset({A}))).groups[0].deregister == (A,)


def test_what_is_draining_or_gone_is_not_deregistered_again() -> None:
    assert not planned(states(a="draining"), Wanted(WEB, absent=frozenset({A, B}))).changed


@pytest.mark.parametrize(
    ("minimum", "refused"), [("1", False), ("2", True), ("50%", True), ("34%", True), ("33%", False), ("0%", False)]
)
def test_too_few_healthy_targets_are_refused_with_percentages_rounded_up(minimum: str, refused: bool) -> None:
    current = states(a="healthy", b="healthy", c="unhealthy")
    asked = Minimum(int(minimum.rstrip("%")), minimum.endswith("%"))
    gone = Wanted(WEB, absent=frozenset({A}))
    if refused:
        with pytest.raises(
            TargetRegistrationError, match="i-0a:8080 would leave 1 healthy target, fewer than the minimum of 2"
        ):
            planned(current, gone, asked)
    else:
        assert planned(current, gone, asked).changed


def test_the_last_target_is_refused_when_it_is_healthy_and_only_then() -> None:
    everything = Wanted(WEB, absent=frozenset({A, B, C}))
    assert planned(states(a="unhealthy", b="initial", c="unused"), everything, Minimum(100, True)).changed
    with pytest.raises(TargetRegistrationError, match="minimum_healthy: 1"):
        planned(states(a="healthy"), everything, Minimum(1))


def test_wanted_targets_count_as_healthy_only_where_they_are_waited_for() -> None:
    swapped = present(B, exclusive=True)
    assert planned(states(a="healthy"), swapped, Minimum(1), hopeful=True).changed
    with pytest.raises(TargetRegistrationError):
        planned(states(a="healthy"), swapped, Minimum(1), hopeful=False)


def test_all_groups_findings_are_told_at_once() -> None:
    api = TargetGroup("shop-api", "arn:api", port=80)
    before = {group.arn: states(a="healthy") for group in (WEB, api)}
    gone = [Wanted(group, absent=frozenset({A})) for group in (WEB, api)]
    with pytest.raises(TargetRegistrationError, match=r"(?s)shop-web: .*\nshop-api: "):
        plan(before, gone, floors(before, Minimum(1)))


def test_a_second_function_is_refused() -> None:
    group = TargetGroup("shop-fn", "arn:fn", kind="lambda")
    one, other = Target("arn:aws:lambda:x:function:one"), Target("arn:aws:lambda:x:function:other")
    before = {group.arn: {one: Health("unavailable")}}
    with pytest.raises(TargetRegistrationError, match="takes one target"):
        plan(before, [Wanted(group, frozenset({other}), exclusive=True)], floors(before, Minimum(0)), hopeful=True)


def test_another_zone_than_that_of_the_registered_address_is_refused() -> None:
    target = Target("10.0.0.1", 80)
    before = {WEB.arn: {target: Health("healthy", zone="all")}}
    asked = Wanted(WEB, frozenset({target}), zones={target: "eu-central-1a"})
    with pytest.raises(TargetRegistrationError, match="availability zone all, not eu-central-1a"):
        plan(before, [asked], floors(before, Minimum(0)))


def wishes(ids: set[Target], exclusive: bool, absent: bool) -> Wanted:
    if absent:
        return Wanted(WEB, absent=frozenset(ids))
    return Wanted(WEB, frozenset(ids), exclusive=exclusive)


@given(currents)
def test_what_is_wanted_already_is_an_empty_plan(current: dict[Target, Health]) -> None:
    there = frozenset(target for target, health in current.items() if not health.draining)
    assert not planned(current, Wanted(WEB, there, exclusive=True), Minimum(100, True)).changed


@given(currents, st.sets(targets))
def test_after_an_exclusive_plan_the_wanted_ones_are_registered_and_no_others(
    current: dict[Target, Health], wanted: set[Target]
) -> None:
    after = planned(current, Wanted(WEB, frozenset(wanted), exclusive=True)).groups[0].after(current)
    assert {target for target, state in after.items() if state == REGISTERED} == wanted
    assert {target for target, state in after.items() if state == DRAINING} <= current.keys() - wanted


@given(currents, st.sets(targets))
def test_without_exclusive_nothing_is_deregistered(current: dict[Target, Health], wanted: set[Target]) -> None:
    result = planned(current, Wanted(WEB, frozenset(wanted)), Minimum(100, True))
    assert not result.groups[0].deregister
    assert wanted <= {t for t, state in result.groups[0].after(current).items() if state == REGISTERED}


@given(currents, st.sets(targets), st.booleans(), st.booleans())
def test_a_plan_carried_out_leaves_nothing_to_do(
    current: dict[Target, Health], ids: set[Target], exclusive: bool, absent: bool
) -> None:
    wanted = wishes(ids, exclusive, absent)
    after = planned(current, wanted).groups[0].after(current)
    reached = {target: Health("draining" if state == DRAINING else "healthy") for target, state in after.items()}
    assert not planned(reached, wanted).changed


@given(currents, st.sets(targets), st.booleans(), st.booleans(), minima)
def test_the_minimum_is_never_undercut_by_a_plan_that_is_not_refused(
    current: dict[Target, Health], ids: set[Target], exclusive: bool, absent: bool, minimum: Minimum
) -> None:
    healthy = {target for target, health in current.items() if health.healthy}
    registered = [health for health in current.values() if not health.draining]
    try:
        gone = set(planned(current, wishes(ids, exclusive, absent), minimum).groups[0].deregister)
    except TargetRegistrationError:
        return
    left = len(healthy - gone)
    assert left == len(healthy) or left * (100 if minimum.percent else 1) >= minimum.number * (
        len(registered) if minimum.percent else 1
    )


@given(st.permutations([A, B, C]), st.permutations(["a", "b", "c"]))
def test_order_does_not_matter(order: list[Target], names: list[str]) -> None:
    current = states(**dict.fromkeys(names[:2], "healthy"))
    expected = planned(dict(sorted(current.items(), key=str)), present(A, B, C)).sentences()
    assert planned(current, present(*order, *order)).sentences() == expected


@given(currents, st.frozensets(targets), st.integers(1, 3))
def test_the_parts_of_a_plan_together_are_the_plan(
    current: dict[Target, Health], wanted: frozenset[Target], size: int
) -> None:
    whole = planned(current, present(*wanted, exclusive=True)).groups[0]
    parts = list(whole.parts(size))
    assert [sentence for part in parts for sentence in part.sentences()] == whole.sentences()
    assert all(1 <= len(part.register) + len(part.deregister) <= size for part in parts)
