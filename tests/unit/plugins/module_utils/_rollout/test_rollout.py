# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of hosts, the way back, and how both are told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout import outcome, rollback, rollout, words
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import Fleet

ARN = "arn:aws:tg/shop"
OLD, NEW = "20261120T120000Z-aaaaaaaa", "20261120T130000Z-bbbbbbbb"
CODE = "aaaaaaaa"
WEB = Fleet("web", "shop-web", ("shop",), ("a", "b", "c"))
GROUPS = [
    {
        "auto_scaling_group_name": "shop-web",
        "target_group_arns": [ARN],
        "instances": [{"instance_id": name, "lifecycle_state": "InService"} for name in "abc"],
    }
]
DRAINED: dict[str, Any] = {"target_groups": {}}
REFUSED = {"msg": "would leave 0 healthy targets"}


def targets(**states: str) -> dict[str, Any]:
    return {"shop": {"arn": ARN, "targets": [{"id": name, "state": state} for name, state in states.items()]}}


def live(release: str, color: str = "blue") -> dict[str, Any]:
    return {"release": release, "color": color}


def survey() -> dict[str, Any]:
    return {"changed": True, "services": {"shop": {"before": live(OLD), "release": NEW}}}


def switched(release: str = NEW) -> dict[str, Any]:
    return {"services": {"shop": live(release, "green")}}


@pytest.fixture
def course() -> dict[str, Any]:
    healthy = targets(a="healthy", b="healthy", c="healthy")
    return rollout.forward([WEB], rollout.Account.of(GROUPS, healthy), dict.fromkeys("abc", survey()))


def back(outcomes: dict[str, Any], stay: bool = False, **states: str) -> dict[str, Any]:
    return rollout.backward([WEB], rollout.Account.of(GROUPS, targets(**states)), outcomes, stay)


WELL = {"rollout_drain": DRAINED, "web_service_result": switched(), "rollout_return": DRAINED}
UNHEALTHY = {
    "rollout_drain": DRAINED,
    "web_service_result": switched(),
    "rollout_return": {"msg": "b is unhealthy: 503"},
    "rollout_health": {"target_groups": targets(a="healthy", b="unhealthy", c="healthy")},
    "rollout_said": {
        "services": {"shop": {**live(NEW, "green"), "health": {"text": "status 503"}, "journal": ["disk full"]}}
    },
}
BROKEN = {
    "rollout_drain": DRAINED,
    "web_service_result": {"failed": True, "msg": "is not healthy"},
    "rollout_failure": "shop: release is not healthy and was not put live",
    "rollout_said": {"services": {"shop": live(OLD)}},
}
LOST = {"rollout_drain": DRAINED, "web_service_result": {"unreachable": True, "msg": "timed out"}}


def test_a_rollout_is_laid_out_with_what_to_expect(course: dict[str, Any]) -> None:
    assert (course["hosts"], course["serial"]) == (["a", "b", "c"], [1, 1, 1])
    assert course["fleets"]["web"] == {"target_groups": [ARN], "minimum_healthy": "50%", "timeout": 0}
    assert {one["state"] for one in course["outcomes"].values()} == {outcome.WAITING}
    assert course["lines"][0] == "fleet web: shop on 3 hosts in 3 batches, 2 of 3 stay healthy"
    assert course["lines"][1] == "  1. a: leaves the load balancer, switches by its health check, comes back"
    assert rollout.batch_of(course, ["b"])["drain"] == [{"id": "b"}]


@pytest.mark.parametrize(
    ("told", "state", "words_of_it"),
    [
        (WELL, outcome.DONE, ""),
        (
            UNHEALTHY,
            outcome.FAILED,
            "b is unhealthy: 503\n  shop on the host, asked for its health: status 503\n    disk full",
        ),
        (BROKEN, outcome.FAILED, "shop: release is not healthy and was not put live"),
        (
            {"rollout_drain": REFUSED},
            outcome.FAILED,
            "it did not leave the load balancer: would leave 0 healthy targets",
        ),
        (LOST, outcome.FAILED, "timed out"),
        ({**LOST, "rollout_instances": {"instances": []}}, outcome.FAILED, "timed out"),
    ],
)
def test_what_became_of_a_host(course: dict[str, Any], told: dict[str, Any], state: str, words_of_it: str) -> None:
    found = outcome.noted(course, course["outcomes"], ["b"], {"b": told})
    assert (found["b"]["state"], found["b"]["message"]) == (state, words_of_it)
    assert found["a"]["state"] == outcome.WAITING
    assert outcome.stopped(course, found, ["c"]) == (state == outcome.FAILED)
    assert outcome.failing(course, ["b"], {"b": told}) == (["b"] if state == outcome.FAILED else [])
    assert not outcome.stopped({**course, "back": True}, found, ["c"])


def test_an_instance_that_does_not_run_any_more_is_no_failure(course: dict[str, Any]) -> None:
    instances = [
        {"instance_id": "b", "state": {"name": "terminated"}},
        {"instance_id": "c", "state": {"name": "running"}},
    ]
    told = {**LOST, "rollout_instances": {"instances": instances}}
    found = outcome.noted(course, course["outcomes"], ["b", "c"], {"b": told, "c": {**WELL, **told}})
    assert (found["b"]["state"], found["b"]["message"]) == (outcome.GONE, "its instance is terminated")
    assert found["c"]["state"] == outcome.FAILED


def test_only_hosts_of_which_nothing_has_failed_come_into_the_load_balancer(course: dict[str, Any]) -> None:
    hostvars = {"a": WELL, "b": BROKEN, "c": LOST}
    assert outcome.ready(course, ["a", "b", "c"], hostvars) == [{"id": "a"}]
    assert outcome.ready({**course, "back": True}, ["a", "b", "c"], hostvars) == [{"id": name} for name in "abc"]


def test_a_host_that_others_of_its_batch_have_failed_beside_is_judged_by_the_load_balancer(
    course: dict[str, Any],
) -> None:
    found = outcome.noted(course, course["outcomes"], ["a", "b"], {"a": UNHEALTHY, "b": UNHEALTHY})
    assert (found["a"]["state"], found["b"]["state"]) == (outcome.DONE, outcome.FAILED)


def failed_at(course: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Outcomes of a rollout whose first host has the release and whose second one has failed."""
    found = outcome.noted(course, course["outcomes"], ["a"], {"a": WELL})
    return outcome.noted(course, found, ["b"], {"b": told})


def test_the_host_that_failed_and_those_that_had_the_release_go_back(course: dict[str, Any]) -> None:
    outcomes = failed_at(course, UNHEALTHY)
    way = back(outcomes, a="healthy", b="unhealthy", c="healthy")
    assert (way["hosts"], way["serial"]) == (["b", "a"], [1, 1])
    assert {host: (step["drain"], step["releases"]) for host, step in way["steps"].items()} == {
        "a": (True, {"shop": OLD}),
        "b": (False, {"shop": OLD}),
    }
    services = [{"name": "shop", "port": 1}, {"name": "admin"}]
    assert rollback.services_of(services, way["steps"]["a"]) == [{"name": "shop", "port": 1, "release": OLD}]
    assert rollback.services_of(services, course["steps"]["a"]) == services
    assert rollout.retreat(outcomes) == ["a", "b"]


def test_a_host_that_never_switched_comes_back_with_what_it_has(course: dict[str, Any]) -> None:
    way = back(failed_at(course, BROKEN), a="healthy", c="healthy")
    assert (way["steps"]["b"]["switch"], way["steps"]["b"]["register"]) == (False, True)


def test_with_stop_no_release_is_changed_any_more(course: dict[str, Any]) -> None:
    assert back(failed_at(course, UNHEALTHY), stay=True, a="healthy", b="unhealthy", c="healthy")["hosts"] == []
    assert back(failed_at(course, BROKEN), stay=True, a="healthy", c="healthy")["hosts"] == ["b"]


def test_nothing_is_done_to_a_host_that_could_not_leave(course: dict[str, Any]) -> None:
    way = back(failed_at(course, {"rollout_drain": REFUSED}), a="healthy", b="healthy", c="unhealthy")
    assert way["hosts"] == ["a"]


def test_without_a_failure_there_is_no_way_back(course: dict[str, Any]) -> None:
    outcomes = outcome.noted(course, course["outcomes"], ["a"], {"a": WELL})
    assert back(outcomes, a="healthy")["hosts"] == rollout.retreat(outcomes) == []


def test_every_host_is_told_of_in_the_end(course: dict[str, Any]) -> None:
    outcomes = failed_at(course, UNHEALTHY)
    way = back(outcomes, a="healthy", b="unhealthy", c="healthy")
    outcomes = outcome.noted(
        way, outcomes, ["b"], {"b": {**UNHEALTHY, "rollout_failure": "no room", "rollout_said": {}}}
    )
    outcomes = outcome.noted(way, outcomes, ["a"], {"a": {**WELL, "web_service_result": switched(OLD)}})
    assert words.outcome_lines(outcomes, targets(a="healthy", c="healthy")) == [
        "fleet web",
        f"  a went back; healthy; shop {OLD}",
        f"  b failed, and did not get back; out of the load balancer; shop {NEW}",
        f"  c was not touched; healthy; shop {OLD}",
    ]
    told = words.failure(outcomes, [], stay=False)
    assert "The release did not come to fleet web, and not every host is back" in told
    assert "b: b is unhealthy: 503" in told
    assert "b, on the way back: no room" in told


def test_a_run_that_failed_says_what_was_done_about_it(course: dict[str, Any]) -> None:
    outcomes = failed_at(course, BROKEN)
    assert "left with what they have (on_failure=stop)" in words.failure(outcomes, [], stay=True)
    way = back(outcomes, a="healthy", c="healthy")
    kept = outcome.noted(way, outcomes, ["b"], {"b": BROKEN | {"rollout_failure": ""}})
    assert kept["b"]["state"] == outcome.KEPT
    assert "and the hosts that had it already keep it" in words.failure(kept, [], stay=False)
    alone = {**kept, "a": {**kept["a"], "state": outcome.WAITING}}
    assert "and no other host was touched" in words.failure(alone, [], stay=False)
    left = words.failure(kept, ["no route"], stay=False, again="run it again with -e release=aaaaaaaa")
    assert "What was left to do could not be done; run it again with -e release=aaaaaaaa:\nno route" in left
    assert words.failure(course["outcomes"], [], stay=False) == ""
    assert "nothing was changed:\nx" in words.failure(course["outcomes"], ["x"], stay=False)
    assert "could not be done; run it again:\nx" in words.failure(kept, ["x"], stay=False)


def test_hosts_launched_meanwhile_come_in_a_later_round_where_nothing_has_failed(course: dict[str, Any]) -> None:
    fleets = [{**WEB.told(), "members": ["a", "b", "c", "d"]}]
    outcomes = dict(course["outcomes"])
    outcomes["c"] = {**outcomes["c"], "state": outcome.LATER}
    assert rollout.hosts_of_the_round(fleets, {}, {}) == ["a", "b", "c", "d"]
    assert rollout.hosts_of_the_round(fleets, course, outcomes) == ["c", "d"]
    assert rollout.hosts_of_the_round(fleets, {"findings": ["x"]}, {}) == []
    assert rollout.hosts_of_the_round(fleets, course, failed_at(course, BROKEN)) == []


def test_hosts_in_service_have_to_be_registered() -> None:
    found = rollout.targets([WEB.told()], GROUPS, ["a", "b", "z"])
    assert found == [{"name": "web", "target_groups": [ARN], "targets": [{"id": "a"}, {"id": "b"}], "timeout": 0}]
    leaving = [{**GROUPS[0], "instances": [{"instance_id": "a", "lifecycle_state": "Terminating"}]}]
    assert rollout.targets([WEB.told()], leaving, ["a"]) == rollout.targets([WEB.told()], GROUPS, []) == []


def test_what_keeps_one_fleet_from_it_keeps_all(course: dict[str, Any]) -> None:
    told = {"a": survey(), "b": {"msg": "port 5000 is taken"}}
    found = rollout.forward([WEB], rollout.Account.of(GROUPS, targets(a="healthy")), told)
    assert (found["hosts"], found["serial"], found["lines"]) == ([], [], [])
    assert found["findings"] == ["b of fleet web: port 5000 is taken"]
    assert course["findings"] == []


def asked(previous: str | None = OLD) -> dict[str, Any]:
    """What web_services_info tells of a host that runs a release."""
    good = {NEW: "verified", **({previous: "verified"} if previous else {})}
    return {"services": {"shop": {**live(NEW), "previous": previous, "releases": good}}}


def rolled_back(told: dict[str, Any], former: dict[str, Any], later: bool = False, **stored: Any) -> dict[str, Any]:
    states = targets(a="healthy", b="healthy", c="healthy")
    going = rollback.destinations([WEB], told, "previous", former)
    return rollout.forward([WEB], rollout.Account.of(GROUPS, states), told, going, [stored], later)


def test_a_rollback_takes_what_a_host_is_without_from_the_release_store() -> None:
    told = {"a": asked(), "b": asked(None)}
    going = rollback.destinations([WEB], told, "previous", {})
    assert going == [{"fleet": "web", "service": "shop", "code": CODE, "lacking": True}]
    found = rolled_back(told, {}, source={"archive": "/cache/old.tar.gz"})
    shop = {"name": "shop", "source": {"directory": "shop"}}
    services = [{"name": "other"}, shop]
    assert rollback.services_of(services, found["steps"]["a"]) == [{**shop, "release": CODE}]
    fetched = {"release": OLD, "release_source": {"archive": "/cache/old.tar.gz"}}
    assert rollback.services_of(services, found["steps"]["b"]) == [{**shop, **fetched}]
    assert f"  2. b: leaves the load balancer, goes to shop {CODE} from the release store, comes back" in found["lines"]


def test_a_host_that_cannot_go_back_is_told_apart_from_one_that_is_left_for_another_reason() -> None:
    found = rolled_back({"a": asked(), "b": asked(None)}, {})
    states = {host: one["state"] for host, one in found["outcomes"].items()}
    assert states == {"a": outcome.WAITING, "b": outcome.LACKING}
    assert found["hosts"] == ["a"]
    (line,) = [line for line in words.outcome_lines(found["outcomes"]) if line.startswith("  b")]
    assert line.startswith("  b is left: it cannot go there: shop has no good release")
    assert words.lacking(found["outcomes"]).endswith("were left; terminate them: b")
    assert words.lacking({"a": found["outcomes"]["a"]}) == ""


def test_a_later_round_goes_where_the_first_one_went() -> None:
    first = rolled_back({"a": asked()}, {})
    assert first["codes"] == {"web": CODE}
    later = rolled_back({"b": asked(None)}, first, later=True)
    assert later["findings"] == []
    assert later["outcomes"]["b"]["state"] == outcome.LACKING
    found = rolled_back({"b": asked(None)}, first, later=True, source={"archive": "/cache/old.tar.gz"})
    assert found["steps"]["b"]["sources"] == {"shop": {"archive": "/cache/old.tar.gz"}}
