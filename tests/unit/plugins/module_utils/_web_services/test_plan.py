# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From any state in which a killed run may leave a service, the next plan leads to the declared one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import choice, effects, plan, units
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    COLORS,
    FAILED,
    ROLLED_BACK,
    VERIFIED,
    Color,
    Service,
    State,
    WebServiceError,
)
from hypothesis import given, settings
from hypothesis import strategies as st

PYTHON = "3.11"
ORDERS = Service("orders", 5001, source="directory orders", fingerprint="a" * 64, requirements="flask==3.1.3\n")

SERVICES = st.builds(
    Service,
    name=st.just("orders"),
    port=st.sampled_from([5001, 5002]),
    fingerprint=st.sampled_from(["a" * 64, "b" * 64, "c" * 64]),
    requirements=st.sampled_from(["flask\n", "quart\n"]),
    environment=st.sampled_from([{}, {"LOG_LEVEL": "info"}]),
    secrets=st.sampled_from([{}, {"TOKEN": "one"}, {"TOKEN": "two"}]),
    migrate=st.sampled_from([(), ("python", "migrate.py")]),
    after_switch=st.sampled_from([(), ("true",)]),
    keep_releases=st.sampled_from([1, 2, 5]),
    absent=st.sampled_from([False, False, False, True]),
)


class Clock:
    """Times of runs, each later than the one before."""

    def __init__(self) -> None:
        self.minute = 0

    def now(self) -> str:
        self.minute += 1
        return f"20261120T{self.minute // 60:02}{self.minute % 60:02}00Z"


def make(service: Service, state: State, now: str = "20261120T120000Z") -> plan.Plan:
    return plan.plan(service, state, PYTHON, now)


def after_prefix(whole: plan.Plan, count: int) -> State:
    """The state that a run leaves which is killed after ``count`` steps."""
    state = whole.state
    for step in whole.steps[:count]:
        state = effects.after_step(effects.Change(whole.service, whole.target), state, step)
    return state


def deployed(service: Service, state: State | None = None, now: str = "20261120T120000Z") -> State:
    return make(service, state or State(), now).after()


def actions(whole: plan.Plan) -> list[str]:
    return [step.action for step in whole.steps]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(SERVICES, st.integers(0, 20), st.booleans()), max_size=6), SERVICES)
def test_any_sequence_of_killed_runs_ends_right(killed: list[tuple[Service, int, bool]], wanted: Service) -> None:
    clock, state = Clock(), State()
    for service, steps, dirty in killed:
        state = after_prefix(make(service, state, clock.now()), steps)
        if dirty and state.owned:
            state = replace(state, half_made=("/srv/orders/releases/.new-x",))
    done = make(wanted, state, clock.now()).after()
    assert make(wanted, done, clock.now()).sentences() == []
    if wanted.absent:
        assert not done.owned
        assert done.live is None
        return
    assert done.live is not None
    live = choice.live_release(done)
    assert live is not None
    assert done.current == live
    assert done.releases[live].fingerprint == wanted.fingerprint
    assert done.releases[live].state == "verified"
    assert [color for color in COLORS if done.colors[color].active] == [done.live]
    assert done.listening == wanted.port
    assert done.half_made == ()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(SERVICES, st.integers(0, 20)), max_size=6), SERVICES)
def test_what_is_live_is_neither_stopped_nor_pruned_before_the_switch(
    killed: list[tuple[Service, int]], wanted: Service
) -> None:
    clock, state = Clock(), State()
    for service, steps in killed:
        state = after_prefix(make(service, state, clock.now()), steps)
    whole = make(wanted, state, clock.now())
    if wanted.absent or state.live is None:
        return
    before = actions(whole).index("switch") if "switch" in actions(whole) else len(whole.steps)
    for count in range(before):
        found = after_prefix(whole, count)
        assert found.live == state.live
        assert found.colors[state.live] == state.colors[state.live] or whole.target.color == state.live
        assert choice.live_release(state) in found.releases


@settings(max_examples=200, deadline=None)
@given(st.lists(SERVICES, min_size=1, max_size=8))
def test_the_last_good_release_is_kept(services: list[Service]) -> None:
    clock, state = Clock(), State()
    for service in services:
        wanted = replace(service, absent=False)
        new = deployed(wanted, state, clock.now())
        before = choice.live_release(state)
        if before and before != choice.live_release(new) and before < (choice.live_release(new) or ""):
            assert choice.previous_release(new) == before
        state = new


def test_first_deploy_tries_before_it_listens() -> None:
    assert actions(make(ORDERS, State())) == [
        "claim",
        "account",
        "files",
        "environment",
        "unpack",
        "try",
        "prepare",
        "listen",
        "start",
        "switch",
    ]


def test_changed_code_reuses_the_environment_and_goes_to_the_other_color() -> None:
    state = deployed(ORDERS)
    whole = make(replace(ORDERS, fingerprint="b" * 64), state)
    assert actions(whole) == ["unpack", "try", "prepare", "start", "switch", "retire"]
    assert whole.target is not None
    assert (state.live, whole.target.color) == ("blue", "green")


@pytest.mark.parametrize(
    "change",
    [{"environment": {"A": "1"}}, {"secrets": {"A": "1"}}, {"memory_max": "1G"}, {"workers": 3}, {"network": ("any",)}],
    ids=str,
)
def test_changed_settings_are_a_deployment_of_the_same_release(change: dict[str, object]) -> None:
    whole = make(replace(ORDERS, **change), deployed(ORDERS))
    assert actions(whole) == ["try", "prepare", "start", "switch", "retire"]


def test_another_timeout_of_the_health_check_changes_nothing() -> None:
    service = replace(ORDERS, health=replace(ORDERS.health, timeout=5))
    assert make(service, deployed(ORDERS)).steps == ()


def test_a_migration_runs_once_per_release_and_again_when_it_was_interrupted() -> None:
    service = replace(ORDERS, migrate=("python", "migrate.py"))
    state = deployed(service)
    assert "migrate" not in actions(make(replace(service, workers=3), state))
    release = choice.live_release(state) or ""
    interrupted = replace(state, live=None, releases={release: replace(state.releases[release], migrated="started")})
    sentence = next(text for text in make(service, interrupted).sentences() if "migrates" in text)
    assert "again, as it was interrupted" in sentence


def test_code_that_was_rolled_back_is_taken_up_again_and_older_code_is_a_new_release() -> None:
    old = deployed(ORDERS)
    new_code = replace(ORDERS, fingerprint="b" * 64)
    new = deployed(new_code, old, "20261120T130000Z")
    back = make(replace(ORDERS, release="previous", fingerprint=""), new).after()
    assert actions(make(new_code, back)) == ["try", "prepare", "start", "switch", "retire"]
    assert actions(make(ORDERS, new, "20261120T140000Z"))[0] == "unpack"


def test_rollback_goes_to_the_last_good_release() -> None:
    old = deployed(ORDERS)
    new = deployed(replace(ORDERS, fingerprint="b" * 64), old, "20261120T130000Z")
    back = make(replace(ORDERS, release="previous", fingerprint=""), new).after()
    assert choice.live_release(back) == choice.live_release(old)


def test_a_failed_release_is_no_target_of_a_rollback() -> None:
    state = deployed(ORDERS)
    failed = after_prefix(make(replace(ORDERS, fingerprint="b" * 64), state, "20261120T130000Z"), 1)
    name = max(failed.releases)
    failed = replace(failed, releases={**failed.releases, name: replace(failed.releases[name], state="failed")})
    with pytest.raises(WebServiceError, match=r"is not a good one \(failed\); good releases: 20261120T120000Z"):
        make(replace(ORDERS, release=name), failed)
    with pytest.raises(WebServiceError, match="there is no earlier good release"):
        make(replace(ORDERS, release="previous"), failed)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(SERVICES, st.integers(0, 20), st.sampled_from(["kill", "fail", "back"])), max_size=8), SERVICES
)
def test_what_runs_is_pruned_only_when_it_has_ended(runs: list[tuple[Service, int, str]], wanted: Service) -> None:
    clock, state = Clock(), State()
    for service, steps, how in runs:
        state = played(replace(service, absent=False), state, clock.now(), (steps, how))
    whole = make(replace(wanted, absent=False), state, clock.now())
    assert whole.target is not None
    after = whole.after()
    assert make(whole.service, after, clock.now()).sentences() == []
    previous = choice.previous_release(after)
    assert previous is None or after.releases[previous].state == VERIFIED
    for index, step in enumerate(whole.steps):
        if not step.action.startswith("prune"):
            continue
        assert not {whole.target.release, whole.target.environment} & set(step.names)
        for color in COLORS:
            running = state.colors[color].active and set(choice.used(state.colors[color])) & set(step.names)
            if running and color != whole.target.color:
                assert "retire" in actions(whole)[:index]
                assert color in choice.draining(state, whole.target, step.names)


def played(service: Service, state: State, now: str, end: tuple[int, str]) -> State:
    """The state after a run that is killed, that fails, or that is complete and rolled back."""
    steps, how = end
    whole = make(service, state, now)
    if how == "back":
        state = whole.after()
        if choice.previous_release(state) is None:
            return state
        return make(replace(service, release="previous", fingerprint=""), state, now).after()
    state = after_prefix(whole, steps)
    name = whole.target.release if whole.target else ""
    if how == "kill" or name not in state.releases or state.releases[name].state != "prepared":
        return state
    failed = replace(state.releases[name], state=FAILED)
    idle = state.colors if state.live == (whole.target and whole.target.color) else idle_colors(whole, state)
    return replace(state, releases={**state.releases, name: failed}, colors=idle)


def idle_colors(whole: plan.Plan, state: State) -> dict[str, Color]:
    """The colors after a start that failed: the one that was started is stopped."""
    color = whole.target.color if whole.target else "blue"
    return {**state.colors, color: replace(state.colors[color], active=False)}


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_the_release_that_a_rollback_left_is_not_gone_back_to(keep: int) -> None:
    first, bad, third = (replace(ORDERS, fingerprint=letter * 64, keep_releases=keep) for letter in "abc")
    state = deployed(bad, deployed(first), "20261120T130000Z")
    state = make(replace(bad, release="previous", fingerprint=""), state).after()
    one, left = sorted(state.releases)
    assert state.releases[left].state == ROLLED_BACK
    state = deployed(third, state, "20261120T140000Z")
    assert choice.previous_release(state) == one
    assert one in state.releases


def test_a_release_that_was_left_is_gone_to_when_it_is_asked_for() -> None:
    state = deployed(replace(ORDERS, fingerprint="b" * 64), deployed(ORDERS), "20261120T130000Z")
    back = make(replace(ORDERS, release="previous", fingerprint=""), state).after()
    again = make(replace(ORDERS, release=max(back.releases), fingerprint=""), back).after()
    assert choice.live_release(again) == max(back.releases)
    assert again.releases[max(back.releases)].state == VERIFIED


@pytest.mark.parametrize("told", ["aaaaaaaa", "20261120T115900Z-aaaaaaaa", "20261120T120000Z-aaaaaaaa"])
def test_a_release_is_found_by_its_code_where_its_name_is_another_hosts(told: str) -> None:
    state = deployed(replace(ORDERS, fingerprint="b" * 64), deployed(ORDERS), "20261120T130000Z")
    back = make(replace(ORDERS, release=told, fingerprint=""), state).after()
    assert choice.live_release(back) == "20261120T120000Z-aaaaaaaa"
    with pytest.raises(WebServiceError, match="release cccccccc does not exist; good releases: 20261120T120000Z"):
        make(replace(ORDERS, release="cccccccc", fingerprint=""), state)


OLDER = "20261120T110000Z-cccccccc"


def fetched(**changes: object) -> Service:
    """A release that others had before this host was there."""
    return replace(ORDERS, release=OLDER, fetched=True, fingerprint="c" * 64, migrate=("true",), **changes)


def test_a_release_that_the_host_never_had_is_gone_back_to_as_if_it_had_been_there() -> None:
    launched_with = deployed(ORDERS)
    whole = make(fetched(), launched_with, "20261120T150000Z")
    assert actions(whole) == ["unpack", "try", "prepare", "start", "switch", "retire"]
    back = whole.after()
    assert choice.live_release(back) == OLDER
    assert back.releases[max(back.releases)].state == ROLLED_BACK
    assert choice.previous_release(back) is None
    # Where it is there by now, it is gone to by its own name.
    again = make(replace(ORDERS, release=OLDER, fingerprint=""), back)
    assert again.sentences() == make(fetched(), back).sentences() == []


@pytest.mark.parametrize("steps", range(6))
def test_a_fetched_release_is_finished_after_a_kill(steps: int) -> None:
    half = after_prefix(make(fetched(), deployed(ORDERS), "20261120T150000Z"), steps)
    whole = make(fetched(), half, "20261120T160000Z")
    assert choice.live_release(whole.after()) == OLDER
    assert "migrate" not in actions(whole)


def test_a_failed_release_is_unpacked_anew_and_not_migrated_again() -> None:
    service = replace(ORDERS, fingerprint="b" * 64, migrate=("true",))
    state = after_prefix(make(service, deployed(ORDERS), "20261120T130000Z"), 2)
    name = max(state.releases)
    assert state.releases[name].migrated == "done"
    state = replace(state, releases={**state.releases, name: replace(state.releases[name], state=FAILED)})
    whole = make(service, state, "20261120T140000Z")
    assert actions(whole) == ["unpack", "try", "prepare", "start", "switch", "retire"]
    assert "unpacks release bbbbbbbb again, as it failed, from directory orders" in whole.sentences()[0]
    assert whole.after().releases[name].state == VERIFIED


def test_failed_releases_do_not_count_as_kept_ones() -> None:
    state = deployed(replace(ORDERS, keep_releases=2))
    for minute, letter in enumerate("bcd"):
        service = replace(ORDERS, keep_releases=2, fingerprint=letter * 64)
        unpacked = after_prefix(make(service, state, f"20261120T13{minute:02}00Z"), 1)
        name = max(unpacked.releases)
        state = replace(
            unpacked, releases={**unpacked.releases, name: replace(unpacked.releases[name], state="failed")}
        )
    done = deployed(replace(ORDERS, keep_releases=2, fingerprint="e" * 64), state, "20261120T140000Z")
    assert sorted(release.fingerprint[0] for release in done.releases.values()) == ["a", "e"]


def test_a_live_service_that_does_not_run_is_started() -> None:
    state = deployed(ORDERS)
    stopped = replace(state, colors={**state.colors, "blue": replace(state.colors["blue"], active=False)})
    assert actions(make(ORDERS, stopped)) == ["start"]


def test_what_somebody_else_has_is_refused() -> None:
    with pytest.raises(WebServiceError, match="a user orders exists"):
        make(ORDERS, State(conflicts=("a user orders exists that is not this service's",)))


def test_removal_keeps_the_data_unless_told_otherwise() -> None:
    state = replace(deployed(ORDERS), data=True)
    assert actions(make(replace(ORDERS, absent=True), state)) == ["halt", "remove_account", "keep_data", "remove"]
    gone = make(replace(ORDERS, absent=True, remove_data=True), state).after()
    assert gone == State()


def test_data_that_is_not_ours_is_refused_and_left_alone_unless_it_was_named() -> None:
    foreign = State(foreign_data=True)
    assert make(replace(ORDERS, absent=True), foreign).steps == ()
    with pytest.raises(WebServiceError, match="/var/lib/orders is not removed: nothing says"):
        make(replace(ORDERS, absent=True, remove_data=True), foreign)


def test_an_absent_service_that_is_not_there_is_no_change() -> None:
    assert make(replace(ORDERS, absent=True), State()).steps == ()


def test_a_color_holds_the_files_of_its_deployment_alone() -> None:
    state = deployed(replace(ORDERS, secrets={"OLD": "1"}))
    state = deployed(replace(ORDERS, secrets={"NEW": "2"}), state)
    assert not any(path.endswith("/OLD") for path in state.colors[state.live or ""].files)
    assert units.unit_path("orders", "green") in state.colors["green"].files
