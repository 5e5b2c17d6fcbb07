# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout in words: what will be done, what became of each host, and what went wrong; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._rollout import outcome
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import FleetPlan, Step
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import short

STATES = {
    outcome.WAITING: "was not touched",
    outcome.UNCHANGED: "was as it should be",
    outcome.LATER: "is left",
    outcome.LEFT: "is left",
    outcome.LACKING: "is left",
    outcome.DONE: "has the release",
    outcome.FAILED: "failed",
    outcome.GONE: "is gone",
    outcome.BACK: "went back",
    outcome.KEPT: "failed, and goes on with what it had",
    outcome.STUCK: "failed, and did not get back",
}


def plan_lines(plan: FleetPlan) -> Iterator[str]:
    """What will be done to a fleet."""
    fleet, total = plan.fleet, sum(len(batch) for batch in plan.batches)
    if plan.findings:
        return
    if not total:
        yield f"fleet {fleet.name}: nothing to do on {plan.serving} {_hosts(plan.serving)} in service"
    else:
        floor = f", {fleet.floor(plan.serving)} of {plan.serving} stay healthy" if plan.serving > 1 else ""
        rounds = f"{len(plan.batches)} {'batches' if len(plan.batches) > 1 else 'batch'}"
        yield f"fleet {fleet.name}: {', '.join(fleet.services)} on {total} {_hosts(total)} in {rounds}{floor}"
    for number, batch in enumerate(plan.batches, 1):
        yield from (f"  {number}. {host}: {', '.join(_deeds(plan.steps[host]))}" for host in batch)
    yield from (f"  {host} is left: it {why}" for host, why in plan.left.items())


def _deeds(step: Step) -> Iterator[str]:
    if step.drain:
        yield "leaves the load balancer"
    if step.switch:
        stored = dict.fromkeys(step.sources, " from the release store")
        to = ", ".join(f"{name} {short(release)}{stored.get(name, '')}" for name, release in step.releases.items())
        yield f"goes to {to}" if to else "switches by its health check"
    if step.register:
        yield "comes back" if step.drain else "has to be healthy in the load balancer"


def _hosts(number: int) -> str:
    return "host" if number == 1 else "hosts"


def outcome_lines(outcomes: Mapping[str, outcome.Outcome], targets: Mapping[str, Any] | None = None) -> list[str]:
    """What became of each host, fleet by fleet; ``targets`` as M(gatehouse.platform.target_registration_info)."""
    fleets = dict.fromkeys(str(one["fleet"]) for one in outcomes.values())
    standings = {host: _standing(host, targets) for host in outcomes} if targets else {}
    return [line for fleet in fleets for line in _fleet_lines(fleet, outcomes, standings)]


def _standing(host: str, targets: Mapping[str, Any]) -> str:
    states = {str(one["state"]) for group in targets.values() for one in group["targets"] if one["id"] == host}
    return " and ".join(sorted(states)) or "out of the load balancer"


def _fleet_lines(fleet: str, outcomes: Mapping[str, outcome.Outcome], standings: Mapping[str, str]) -> Iterator[str]:
    yield f"fleet {fleet}"
    for host, one in sorted(outcomes.items()):
        if one["fleet"] == fleet:
            why = f": it {one['message']}" if one["state"] in (outcome.LATER, outcome.LEFT, outcome.LACKING) else ""
            why = f": {one['message']}" if one["state"] == outcome.GONE else why
            live = ", ".join(f"{name} {now.get('release')}" for name, now in _live(one).items() if now.get("release"))
            parts = [STATES[one["state"]] + why, standings.get(host, ""), live]
            yield f"  {host} {'; '.join(part for part in parts if part)}"


def _live(one: outcome.Outcome) -> Mapping[str, Any]:
    found: Mapping[str, Any] = one.get("now") or one.get("before") or {}
    return found


def _afterwards(outcomes: Mapping[str, outcome.Outcome], stay: bool) -> str:
    states = [one["state"] for one in outcomes.values()]
    if outcome.STUCK in states:
        return "not every host is back on what it had before: look at them, and deploy again"
    if stay:
        return "the hosts were left with what they have (on_failure=stop)"
    if outcome.BACK in states:
        return "the hosts that had it already are back on what they had before"
    return "the hosts that had it already keep it" if outcome.DONE in states else "no other host was touched"


def lacking(outcomes: Mapping[str, outcome.Outcome]) -> str:
    """The message of a run that brought all hosts there but some that cannot go; empty where there are none."""
    hosts = ", ".join(host for host, one in outcomes.items() if one["state"] == outcome.LACKING)
    return f"These hosts cannot go where the others went, and were left; terminate them: {hosts}" if hosts else ""


def failure(
    outcomes: Mapping[str, outcome.Outcome], findings: Sequence[str], stay: bool, again: str = "run it again"
) -> str:
    """The message of a run that failed; empty for one that did not. ``again`` says how to go on."""
    if findings and all(one["state"] in outcome.UNTOUCHED for one in outcomes.values()):
        return "\n".join(["The fleets cannot be worked on, and nothing was changed:", *findings])
    broken = {host: one for host, one in outcomes.items() if one["state"] in outcome.BROKEN}
    lines = _broken_lines(broken, _afterwards(outcomes, stay)) if broken else []
    lines += [f"What was left to do could not be done; {again}:", *findings] if findings else []
    return "\n".join(lines)


def _broken_lines(broken: Mapping[str, outcome.Outcome], afterwards: str) -> list[str]:
    fleets = ", ".join(dict.fromkeys(str(one["fleet"]) for one in broken.values()))
    lines = [f"The release did not come to fleet {fleets}, and {afterwards}."]
    for host, one in broken.items():
        lines += [f"{host}: {one['message']}"]
        lines += [f"{host}, on the way back: {one['back']}"] if one.get("back") else []
    return lines
