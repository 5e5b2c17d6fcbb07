# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each host, out of what the tasks of its batch have returned; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import HEALTHY
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.survey import standing

Told = Mapping[str, Any]
Outcome = dict[str, Any]
# Before its batch: it comes, has nothing to do, comes in a later round, is not in service, or cannot come.
WAITING, UNCHANGED, LATER, LEFT, LACKING = "waiting", "unchanged", "later", "left", "lacking"
UNTOUCHED = (WAITING, UNCHANGED, LATER, LEFT, LACKING)
# After its batch.
DONE, FAILED, GONE = "done", "failed", "gone"
# After the way back: on the former release again, back in the load balancer with what it had, or not even that.
BACK, KEPT, STUCK = "back", "kept", "stuck"
# What a batch's tasks have registered.
RESULTS = ("rollout_drain", "rollout_failure", "web_service_result", "rollout_instances", "rollout_return")
BROKEN = (FAILED, KEPT, STUCK)


def noted(rollout: Told, outcomes: Mapping[str, Outcome], batch: Sequence[str], hostvars: Told) -> dict[str, Outcome]:
    """All outcomes, with those of a batch that is through."""
    found = {host: _outcome(host, rollout, outcomes.get(host) or {}, hostvars[host]) for host in batch}
    return {**outcomes, **found}


def stopped(rollout: Told, outcomes: Mapping[str, Outcome], batch: Sequence[str]) -> bool:
    """Whether a host of the batch's fleet has failed. On the way back every host counts for itself."""
    fleets = {rollout["steps"][host]["fleet"] for host in batch}
    found = {one["state"] for one in outcomes.values() if one["fleet"] in fleets}
    return not rollout.get("back") and FAILED in found


def ready(rollout: Told, batch: Sequence[str], hostvars: Told) -> list[dict[str, str]]:
    """Hosts of a batch, as targets, that come into the load balancer now.

    A host that has failed does not, until it is brought back: then it serves what it has, whatever that is.
    """
    steps = {host: {**rollout["steps"][host], "register": False} for host in batch}
    found = {host: _verdict(host, steps[host], hostvars[host])[0] for host in batch}
    good = (DONE, FAILED) if rollout.get("back") else (DONE,)
    return [{"id": host} for host in batch if rollout["steps"][host]["register"] and found[host] in good]


def failing(rollout: Told, batch: Sequence[str], hostvars: Told) -> list[str]:
    """Hosts of a batch of which something has failed, whatever the load balancer says of them since."""
    told = {host: {key: hostvars[host].get(key) for key in RESULTS} for host in batch}
    return [host for host in batch if _verdict(host, rollout["steps"][host], told[host])[0] == FAILED]


def failed(told: Any) -> bool:
    """Whether a task that was to fail softly has failed: then it has no result."""
    return bool(told) and not told.get("skipped") and "target_groups" not in told


def _outcome(host: str, rollout: Told, before: Outcome, told: Told) -> Outcome:
    step = rollout["steps"][host]
    state, message = _verdict(host, step, told)
    outcome = {**before, "now": _now(before, told, step, state)}
    if not rollout.get("back"):
        return {**outcome, "state": state, "message": message}
    words = {DONE: BACK if step["switch"] else KEPT, FAILED: STUCK}
    return {**outcome, "state": words.get(state, state), "back": message}


def _verdict(host: str, step: Told, told: Told) -> tuple[str, str]:
    if failed(told.get("rollout_drain")):
        return FAILED, f"it did not leave the load balancer: {told['rollout_drain'].get('msg')}"
    if step["switch"]:
        if told.get("rollout_failure"):
            return FAILED, str(told["rollout_failure"])
        answer = told.get("web_service_result") or {}
        if answer.get("unreachable"):
            return (GONE, _instance(host, told)) if _instance(host, told) else (FAILED, str(answer.get("msg")))
    if step["register"] and failed(told.get("rollout_return")) and not _is_healthy(host, told):
        return FAILED, "\n".join([str(told["rollout_return"].get("msg")), *_said(told)])
    return DONE, ""


def _instance(host: str, told: Told) -> str:
    """What became of an instance that does not run any more."""
    instances = (told.get("rollout_instances") or {}).get("instances") or ()
    states = {str(one["instance_id"]): str(one["state"]["name"]) for one in instances}
    state = states.get(host, "terminated" if instances else "running")
    return "" if state in ("pending", "running") else f"its instance is {state}"


def _is_healthy(host: str, told: Told) -> bool:
    groups = (told.get("rollout_health") or {}).get("target_groups") or {}
    return standing(host, list(groups.values())) == HEALTHY


def _said(told: Told) -> Iterator[str]:
    """What the services of a host answer and wrote last."""
    for name, found in ((told.get("rollout_said") or {}).get("services") or {}).items():
        health = found.get("health") or {}
        yield f"  {name} on the host, asked for its health: {health.get('text') or 'no answer'}"
        yield from (f"    {line}" for line in found.get("journal") or ["(no journal)"])


def _now(before: Outcome, told: Told, step: Told, state: str) -> dict[str, Any]:
    """What is live of each service: as asked after a failure, else as the switch has left it, else as it was."""
    asked = (told.get("rollout_said") or {}).get("services") or {}
    left = ((told.get("web_service_result") or {}).get("services") or {}) if step["switch"] else {}
    known = {**(before.get("now") or before.get("before") or {})}
    found = left if state == DONE and left else asked
    live = {name: {key: one.get(key) for key in ("release", "color")} for name, one in found.items()}
    return {**known, **{name: one for name, one in live.items() if name in known or state == DONE}}
