# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned for Auto Scaling groups, in a world that answers: by property and by example."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.region.scaling_model import (
    IN_SERVICE,
    LEAVING,
    PENDING,
    STANDBY,
    Action,
    Attached,
    Deregister,
    Group,
    Launch,
    MarkUnhealthy,
    Member,
    Move,
    Refresh,
    Register,
    Terminate,
    after,
)
from lab.region.scaling_plan import plan

ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
SUBNETS = tuple((f"subnet-{zone[-1]}", zone) for zone in ZONES)
PROCESSES = (
    "Launch",
    "Terminate",
    "HealthCheck",
    "ReplaceUnhealthy",
    "AZRebalance",
    "AddToLoadBalancer",
    "InstanceRefresh",
)
WEB, API = "arn:web", "arn:api"
STEP = 10.0
START = 1000.0
ROUNDS = 120


def answer(group: Group) -> Group:
    """What the world does between two plans: instances start, drains end, hooks are completed."""
    members = []
    for member in group.members:
        targets = tuple((arn, "healthy") for arn, state in member.targets if state != "draining")
        proceed = member.life_cycle.replace(":Wait", ":Proceed")
        state = "running" if member.state == "pending" else member.state
        members.append(replace(member, state=state, targets=targets, life_cycle=proceed))
    return replace(group, members=tuple(members))


def run(group: Group, now: float = START) -> tuple[Group, list[tuple[Group, list[Action]]]]:
    """Plan and answer until nothing is to be done and nothing is to be waited for; the end, and all the steps."""
    steps: list[tuple[Group, list[Action]]] = []
    for _round in range(ROUNDS):
        found = plan(group, now)
        steps.append((group, list(found.actions)))
        before, group = group, answer(after(group, list(found.actions), now))
        if not found.actions and found.due is None and group == before:
            return group, steps
        now = max(now + STEP, found.due or 0.0) if not found.actions else now + STEP
    raise AssertionError(f"no end after {ROUNDS} rounds: {steps[-3:]}")


def serving(group: Group) -> int:
    return len([member for member in group.in_service if member.healthy and member.state == "running"])


def zone_spread(group: Group) -> int:
    counts = Counter(member.zone for member in group.counted)
    return max((counts[zone] for zone in group.zones), default=0) - min(
        (counts[zone] for zone in group.zones), default=0
    )


@st.composite
def members(draw: st.DrawFn) -> tuple[Member, ...]:
    """Instances in any state that a group may be found in, with distinct ids."""
    found = []
    for number in range(draw(st.integers(0, 7))):
        life_cycle = draw(st.sampled_from([IN_SERVICE] * 4 + [*PENDING, *LEAVING, STANDBY, "Terminating:Proceed"]))
        serves = life_cycle == IN_SERVICE
        found.append(
            Member(
                f"i-{number}",
                draw(st.sampled_from(ZONES)),
                life_cycle,
                healthy=draw(st.sampled_from([True, True, True, False])) if serves else True,
                protected=draw(st.sampled_from([False, False, False, True])),
                state=draw(st.sampled_from(["running"] * 4 + ["stopped", "terminated"])) if serves else "running",
                impaired=draw(st.sampled_from([False, False, False, True])),
                launched=float(draw(st.integers(0, 900))),
                in_service_since=900.0 if serves else None,
                targets=draw(st.sampled_from([((WEB, "healthy"),), ((WEB, "unhealthy"),), ((WEB, "draining"),), ()])),
            )
        )
    return tuple(found)


@st.composite
def groups(draw: st.DrawFn, suspended: bool = False) -> Group:
    least = draw(st.integers(0, 3))
    desired = draw(st.integers(least, 6))
    kinds = st.frozensets(st.sampled_from(PROCESSES), min_size=1) if suspended else st.just(frozenset())
    return Group(
        "web",
        least,
        desired + draw(st.integers(0, 2)),
        desired,
        SUBNETS[: draw(st.integers(1, 3))],
        draw(members()),
        health_check=draw(st.sampled_from(["EC2", "ELB"])),
        grace_period=float(draw(st.sampled_from([0, 60, 300]))),
        suspended=draw(kinds),
        hooks=draw(st.frozensets(st.sampled_from(["launching", "terminating"]))),
        target_groups=(WEB,),
        joining=draw(st.sampled_from([(), (WEB,)])),
    )


@settings(max_examples=100, deadline=None)
@given(groups())
def test_a_group_comes_to_rest_with_its_desired_capacity(group: Group) -> None:
    end, _steps = run(group)
    assert {member.life_cycle for member in end.members} <= {IN_SERVICE, STANDBY}
    protected = len([member for member in end.in_service if member.protected])
    assert len(end.in_service) == max(group.desired, protected)
    assert all(member.healthy for member in end.in_service)


@settings(max_examples=100, deadline=None)
@given(groups())
def test_zones_are_balanced_in_the_end(group: Group) -> None:
    end, _steps = run(replace(group, members=tuple(replace(m, protected=False) for m in group.members)))
    assert zone_spread(end) <= 1
    assert {member.zone for member in end.in_service} <= set(end.zones)


@settings(max_examples=100, deadline=None)
@given(groups())
def test_what_is_launched_or_put_into_service_is_registered_before(group: Group) -> None:
    end, steps = run(group)
    for _before, actions in steps:
        for number, action in enumerate(actions):
            if isinstance(action, Move) and action.to == IN_SERVICE:
                known = {member.id: member for member in _before.members}[action.instance]
                assert known.registered(WEB) or Register(WEB, action.instance) in actions[:number]
    began = {member.id for member in group.in_service}
    assert all(member.registered(WEB) for member in end.in_service if member.id not in began or group.joining)


@settings(max_examples=100, deadline=None)
@given(groups())
def test_nothing_ends_while_requests_may_be_in_flight(group: Group) -> None:
    _end, steps = run(group)
    for before, actions in steps:
        known = {member.id: member for member in before.members}
        for action in actions:
            if isinstance(action, Terminate) and known[action.instance].life_cycle == "Terminating":
                assert not known[action.instance].targets or known[action.instance].state == "terminated"


@settings(max_examples=100, deadline=None)
@given(groups())
def test_capacity_that_serves_is_never_given_up_below_what_is_desired(group: Group) -> None:
    _end, steps = run(group)
    for before, actions in steps:
        sick = {member.id for member in before.in_service if not member.healthy}
        sick |= {action.instance for action in actions if isinstance(action, MarkUnhealthy)}
        ended = {action.instance for action in actions if isinstance(action, Move) and action.to == "Terminating"}
        healthy = {member.id for member in before.in_service} - sick
        arrived = {action.instance for action in actions if isinstance(action, Move) and action.to == IN_SERVICE}
        if ended & healthy:
            assert len((healthy | arrived) - ended) >= group.desired


@settings(max_examples=100, deadline=None)
@given(groups())
def test_no_more_than_one_instance_is_started_beyond_what_is_desired(group: Group) -> None:
    _end, steps = run(group)
    for before, actions in steps:
        if any(isinstance(action, Launch) for action in actions):
            assert len(after(before, actions, START).counted) <= group.desired + 1


@settings(max_examples=100, deadline=None)
@given(groups())
def test_a_protected_instance_is_not_chosen_to_go(group: Group) -> None:
    _end, steps = run(group)
    for before, actions in steps:
        sick = {action.instance for action in actions if isinstance(action, MarkUnhealthy)}
        for member in before.in_service:
            if member.protected and member.healthy and member.id not in sick:
                assert not any(isinstance(action, Move) and action.instance == member.id for action in actions)


@settings(max_examples=150, deadline=None)
@given(groups(suspended=True))
def test_suspended_processes_do_nothing(group: Group) -> None:
    _end, steps = run(group)
    for before, actions in steps:
        serving_ids = {member.id for member in before.in_service}
        kinds = {type(action) for action in actions}
        ends = any(isinstance(a, Move) and a.to == "Terminating" and a.instance in serving_ids for a in actions)
        assert not (Launch in kinds and "Launch" in group.suspended)
        assert not (ends and "Terminate" in group.suspended)
        assert not (MarkUnhealthy in kinds and "HealthCheck" in group.suspended)
        assert not (Register in kinds and "AddToLoadBalancer" in group.suspended)


REFRESHES = st.builds(
    Refresh,
    id=st.just("r-1"),
    status=st.just("Pending"),
    started=st.just(START),
    min_healthy=st.sampled_from([0, 50, 66, 90, 100]),
    max_healthy=st.sampled_from([100, 110, 150]),
    warmup=st.sampled_from([0.0, 120.0]),
    checkpoints=st.sampled_from([(), (50, 100), (20, 40, 100)]),
    checkpoint_delay=st.sampled_from([60.0, 3600.0]),
)


def settled(number: int, zones: int) -> Group:
    """A group at rest."""
    made = tuple(
        Member(f"i-{n}", ZONES[n % zones], launched=float(n), in_service_since=100.0, targets=((WEB, "healthy"),))
        for n in range(number)
    )
    return Group("web", 0, number, number, SUBNETS[:zones], made, target_groups=(WEB,))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 9), st.integers(1, 3), REFRESHES)
def test_a_refresh_replaces_every_instance_and_keeps_what_must_be_healthy(
    number: int, zones: int, refresh: Refresh
) -> None:
    group = replace(settled(number, zones), refresh=refresh)
    end, steps = run(group)
    assert end.refresh is None
    assert len(end.in_service) == number
    assert all(member.launched >= START for member in end.members)
    assert zone_spread(end) <= 1
    least = ceil(number * refresh.min_healthy / 100)
    if refresh.min_healthy < 100 and refresh.max_healthy <= 100:
        least = min(least, max(number - 1, 0))
    most = max(number * refresh.max_healthy // 100, number + 1)
    assert min(serving(before) for before, _actions in steps) >= least
    assert max(len(before.counted) for before, _actions in steps) <= most


def test_a_refresh_pauses_at_its_checkpoints() -> None:
    refresh = Refresh("r-1", "Pending", START, min_healthy=50, checkpoints=(50, 100), checkpoint_delay=600.0)
    group, now, seen = replace(settled(4, 2), refresh=refresh), START, []
    while group.refresh and now < START + 5000:
        actions = list(plan(group, now).actions)
        group = answer(after(group, actions, now))
        seen.append((now - START, len([member for member in group.in_service if member.launched >= START])))
        now += STEP
    half = [time for time, number in seen if number == 2]
    assert 600 <= half[-1] - half[0] <= 640
    assert seen[-1][1] == 4


def test_a_refresh_with_skip_matching_leaves_what_is_up_to_date() -> None:
    group = settled(3, 3)
    current = replace(group.members[0], template=("lt-1", "2"))
    group = replace(group, template=("lt-1", "2"), members=(current, *group.members[1:]))
    end, _steps = run(replace(group, refresh=Refresh("r-1", "Pending", START, skip_matching=True)))
    assert current.id in {member.id for member in end.members}
    assert {member.template for member in end.members} == {("lt-1", "2")}


def test_grace_period_holds_back_status_checks_but_not_death() -> None:
    group = replace(settled(2, 2), grace_period=300.0, health_check="ELB")
    impaired = replace(group.members[0], impaired=True, in_service_since=START)
    dead = replace(group.members[1], state="terminated", in_service_since=START)
    group = replace(group, members=(impaired, dead))
    assert [a for a in plan(group, START + 10).actions if isinstance(a, MarkUnhealthy)] == [MarkUnhealthy(dead.id)]
    assert MarkUnhealthy(impaired.id) in plan(group, START + 301).actions


def test_only_health_checks_of_kind_elb_look_at_target_health() -> None:
    group = settled(1, 1)
    failing = replace(group, members=(replace(group.members[0], targets=((WEB, "unhealthy"),)),))
    assert plan(failing, START).actions == ()
    kind = replace(failing, health_check="ELB")
    assert MarkUnhealthy("i-0") in plan(kind, START).actions


def test_a_target_group_that_was_attached_gets_all_instances_once() -> None:
    group = replace(settled(2, 2), target_groups=(WEB, API), joining=(API,))
    assert plan(group, START).actions == (Register(API, "i-0"), Register(API, "i-1"), Attached(API))
    assert plan(after(group, list(plan(group, START).actions), START), START).actions == ()


def test_standby_leaves_the_target_groups_first() -> None:
    group = settled(1, 1)
    group = replace(group, desired=0, members=(replace(group.members[0], life_cycle="EnteringStandby"),))
    assert plan(group, START).actions == (Deregister(WEB, "i-0"),)
    draining = after(group, list(plan(group, START).actions), START)
    assert plan(draining, START).actions == ()
    assert plan(draining, START).due == START + 1
    assert plan(answer(draining), START).actions == (Move("i-0", STANDBY),)


def test_a_failed_launch_is_tried_again_later() -> None:
    group = replace(settled(0, 1), desired=1, launch_after=START + 15)
    assert plan(group, START).actions == ()
    assert plan(group, START).due == START + 15
    assert [type(action) for action in plan(group, START + 15).actions] == [Launch]


def test_what_is_launched_at_once_is_spread_at_once() -> None:
    group = replace(settled(1, 3), desired=6)
    zones = Counter(action.zone for action in plan(group, START).actions if isinstance(action, Launch))
    assert zones == {ZONES[0]: 1, ZONES[1]: 2, ZONES[2]: 2}


def test_a_zone_with_two_more_gives_one_to_another() -> None:
    group = settled(4, 1)
    spread = replace(group, subnets=SUBNETS[:2], members=(replace(group.members[0], zone=ZONES[1]), *group.members[1:]))
    assert [type(action) for action in plan(spread, START).actions] == [Launch]
    level = replace(spread, members=(spread.members[0], replace(spread.members[1], zone=ZONES[1]), *spread.members[2:]))
    assert plan(level, START).actions == ()
