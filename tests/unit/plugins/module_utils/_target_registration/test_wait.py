# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Health,
    HealthCheck,
    Target,
    TargetGroup,
    Targets,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.wait import (
    Goal,
    drain_timeout,
    health_timeout,
    wait,
)

WEB = TargetGroup("web", "arn:web", port=80, load_balancers=("arn:lb",))
API = TargetGroup("api", "arn:api", port=80, load_balancers=("arn:lb",))
A, B = Target("i-0a", 80), Target("i-0b", 80)
NOT_IN_USE, STOPPED = Health("unused", "Target.NotInUse"), Health("unused", "Target.InvalidState")
OTHER_ZONE = Health("unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled")


class Looks:
    """What is seen at each look, and which groups were looked at."""

    def __init__(self, *seen: dict[str, Targets]) -> None:
        self.answers: Iterator[dict[str, Targets]] = iter(seen)
        self.asked: list[list[str]] = []

    def __call__(self, groups: Sequence[TargetGroup]) -> Mapping[str, Targets]:
        self.asked.append([group.name for group in groups])
        return next(self.answers)


def waiting(seconds: float = 100) -> Waiting:
    passed: list[float] = []
    return Waiting(seconds, Clock(lambda: sum(passed), passed.append, lambda: 0.5))


def web(**states: str | Health) -> dict[str, Targets]:
    named = {"a": A, "b": B}
    return {"arn:web": {named[key]: Health(told) if isinstance(told, str) else told for key, told in states.items()}}


def test_what_is_reached_is_not_looked_at() -> None:
    look = Looks()
    assert wait([Goal(WEB, frozenset({A}))], web(a="healthy"), look, waiting()) == web(a="healthy")
    assert not look.asked


def test_looks_until_all_are_healthy() -> None:
    look = Looks(web(a="initial"), web(a="unhealthy", b="healthy"), web(a="healthy", b="healthy"))
    seen = wait([Goal(WEB, frozenset({A, B}))], web(), look, waiting())
    assert seen == web(a="healthy", b="healthy")
    assert len(look.asked) == 3


def test_only_groups_that_are_not_there_yet_are_looked_at() -> None:
    look = Looks({**web(a="healthy"), "arn:api": {A: Health("initial")}}, {"arn:api": {A: Health("healthy")}})
    goals = [Goal(group, frozenset({A})) for group in (WEB, API)]
    wait(goals, {**web(), "arn:api": {}}, look, waiting())
    assert look.asked == [["web", "api"], ["api"]]


def test_gone_means_gone_from_the_list() -> None:
    look = Looks(web(a="draining", b="healthy"), web(b="healthy"))
    seen = wait([Goal(WEB, frozenset({A}), gone=True)], web(a="healthy", b="healthy"), look, waiting())
    assert seen == web(b="healthy")


def test_a_stopped_instance_ends_the_wait_at_once() -> None:
    look = Looks(web(a=STOPPED, b="initial"))
    wait([Goal(WEB, frozenset({A, B}))], web(), look, waiting())
    assert len(look.asked) == 1


def test_a_zone_that_is_not_enabled_is_believed_when_it_is_seen_twice() -> None:
    look = Looks(web(a=OTHER_ZONE), web(a=OTHER_ZONE))
    assert wait([Goal(WEB, frozenset({A}))], web(), look, waiting()) == web(a=OTHER_ZONE)
    look = Looks(web(a=OTHER_ZONE), web(a="initial"), web(a="healthy"))
    assert wait([Goal(WEB, frozenset({A}))], web(), look, waiting()) == web(a="healthy")


def test_not_in_use_is_believed_after_a_minute_in_which_a_new_listener_begins() -> None:
    passed = waiting(300)
    wait([Goal(WEB, frozenset({A}))], web(), Looks(*[web(a=NOT_IN_USE)] * 20), passed)
    assert 60 <= passed.waited < 80
    passed = waiting(300)
    look = Looks(*[web(a=NOT_IN_USE)] * 8, web(a="initial"), *[web(a=NOT_IN_USE)] * 5, web(a="healthy"))
    assert wait([Goal(WEB, frozenset({A}))], web(), look, passed) == web(a="healthy")


def test_a_look_that_failed_for_a_group_leaves_what_was_seen_before() -> None:
    look = Looks({}, web(a="healthy"))
    assert wait([Goal(WEB, frozenset({A}))], web(a="initial"), look, waiting()) == web(a="healthy")


def test_time_ends_the_wait() -> None:
    passed = waiting(10)
    look = Looks(*[web(a="initial")] * 20)
    assert wait([Goal(WEB, frozenset({A}))], web(), look, passed) == web(a="initial")
    assert passed.waited == pytest.approx(10)


@pytest.mark.parametrize(("kind", "reached"), [("lambda", True), ("instance", False)])
def test_a_function_without_health_checks_is_done(kind: str, reached: bool) -> None:
    group = TargetGroup("fn", "arn:fn", kind=kind)
    left = Goal(group, frozenset({A})).left({A: Health("unavailable", "Target.HealthCheckDisabled")})
    assert (not left) is reached


def test_the_time_is_what_the_slowest_group_takes_and_some_more() -> None:
    slow = TargetGroup("slow", "arn:slow", check=HealthCheck(interval=60, threshold=10))
    assert health_timeout([WEB, slow]) == 600 + 120
    assert drain_timeout([0, 300, 30]) == 300 + 120
    assert drain_timeout([300, None]) == 3600 + 120
