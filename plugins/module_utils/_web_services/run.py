# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings all services of a host to their declared state: read, plan, lock, perform, tell."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import (
    actions,
    describe,
    host,
    info,
    ledger,
    releases,
    secrets,
    slots,
    units,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.choice import (
    live_release,
    previous_release,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    DEFAULTS,
    Service,
    State,
    WebServiceError,
    service_from_params,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.plan import Plan, plan


@dataclass(frozen=True)
class Request:
    """What one call of the module is about. ``prepared`` comes from the action plugin, by service."""

    platform: str
    services: Sequence[Mapping[str, Any]]
    gunicorn: str = DEFAULTS["gunicorn"]
    operator: str = "unknown"
    reason: str = ""
    prepared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    check: bool = False


def run(request: Request) -> dict[str, Any]:
    """The module's result. Raises WebServiceError with one message about everything that failed."""
    services = secrets.resolved(wanted(request), request.check)
    now = _now()
    plans = plan_all(services, now)
    result: dict[str, Any] = {
        "changed": any(item.changed for item in plans),
        "plan": [sentence for item in plans for sentence in item.sentences()],
        "diff": [describe.difference(item) for item in plans if item.changed],
        "unlisted": sorted(set(host.owned_services(request.platform)) - {service.name for service in services}),
        "warnings": [],
    }
    needs = [item.service.name for item in plans if _needs_archive(item, request)]
    if needs and not request.check:
        # Nothing is done yet: the call that brings the archives tells the plan.
        return {**result, "changed": False, "plan": [], "diff": [], "needs": needs}
    perform = _examine if request.check else _change
    failures = [failure for item in plans if item.changed for failure in perform(item, request, now, result)]
    if failures:
        raise WebServiceError("\n".join(failures))
    if not request.check:
        idle = [item.service.name for item in plans if not item.changed]
        result["warnings"] += [f"{name}: {cleared}" for name in idle if (cleared := ledger.clear(name))]
    return {**result, "services": summaries(plans, request.check)}


def wanted(request: Request) -> list[Service]:
    """The declared services."""
    return [
        service_from_params(
            {**params, "gunicorn": params.get("gunicorn") or request.gunicorn},
            request.platform,
            request.prepared.get(params["name"], {}),
        )
        for params in request.services
    ]


def plan_all(services: Sequence[Service], now: str) -> list[Plan]:
    """A plan for each service. Raises one WebServiceError that lists what stands against any of them."""
    states = host.read(services)
    plans = [_plan(service, states[service.name], now) for service in services]
    if findings := [item for item in plans if isinstance(item, str)]:
        raise WebServiceError("\n".join(findings))
    return [item for item in plans if isinstance(item, Plan)]


def _plan(service: Service, state: State, now: str) -> Plan | str:
    try:
        return plan(service, state, releases.python_version(), now)
    except WebServiceError as error:
        return f"{service.name}: {error}"


def summaries(plans: Sequence[Plan], check: bool) -> dict[str, Any]:
    """What runs now of each service; in check mode, what would run."""
    found = [] if check else list(host.read([item.service for item in plans]).items())
    states = dict(found)
    return {item.service.name: _summary(item, states.get(item.service.name), check) for item in plans}


def _summary(item: Plan, found: Any, check: bool) -> dict[str, Any]:
    service = item.service
    state = item.after() if check else found
    if service.absent:
        return {"state": "absent", "changed": item.changed}
    live = state.releases.get(live_release(state) or "")
    return {
        "state": "present",
        "changed": item.changed,
        "before": {"release": live_release(item.state), "color": item.state.live},
        "release": live_release(state),
        "fingerprint": live.fingerprint if live else None,
        "previous": previous_release(state),
        "color": state.live,
        "url": f"http://127.0.0.1:{service.port}",
        "health": None if check else info.ask(service, state),
    }


def _needs_archive(item: Plan, request: Request) -> bool:
    unpacks = any(step.action == "unpack" for step in item.steps)
    prepared = request.prepared.get(item.service.name, {})
    return unpacks and "archive" not in prepared and "path" not in prepared and not prepared.get("empty")


def _examine(item: Plan, request: Request, _now: str, _result: dict[str, Any]) -> list[str]:
    """What would keep this plan from being carried out."""
    try:
        ledger.examine(item.service.name, request.operator)
    except WebServiceError as error:
        return [_failure(item, error)]
    return []


def _change(item: Plan, request: Request, now: str, result: dict[str, Any]) -> list[str]:
    """Carry out one plan under its service's lock; what went wrong, as a list of no or one message."""
    service = item.service
    started = time.monotonic()
    try:
        os.makedirs(units.base(service.name), mode=0o750, exist_ok=True)
        with ledger.lock(service.name, request.operator, now, request.reason) as taken:
            if taken:
                result["warnings"].append(f"{service.name}: {taken}")
            (item,) = plan_all([service], now)
            _perform(item, request, now, started)
    except WebServiceError as error:
        return [_failure(item, error)]
    return []


def _failure(item: Plan, error: WebServiceError) -> str:
    """The error, and what runs after it, as found and not as planned."""
    now = host.read([item.service])[item.service.name]
    return f"{item.service.name}: {error}\n  {describe.still_running(item.state, now)}"


def _perform(item: Plan, request: Request, now: str, started: float) -> None:
    work = slots.Work(item, _archive(request.prepared.get(item.service.name, {})))
    try:
        for step in item.steps:
            actions.perform(work, step)
    except WebServiceError as error:
        actions.mark_failed(work)
        _record(item, request, now, started, str(error).splitlines()[0])
        raise
    _record(item, request, now, started, "done")


def _record(item: Plan, request: Request, now: str, started: float, outcome: str) -> None:
    if item.target is None or not os.path.isdir(units.base(item.service.name)):
        return
    entry = {
        "time": now,
        "who": request.operator,
        "reason": request.reason,
        "release": item.target.release,
        "from": live_release(item.state),
        "result": outcome,
        "seconds": round(time.monotonic() - started, 1),
        "steps": [step.action for step in item.steps],
    }
    ledger.record(item.service.name, entry)


def _archive(prepared: Mapping[str, Any]) -> bytes | str | None:
    if prepared.get("archive"):
        return base64.b64decode(prepared["archive"])
    if prepared.get("empty"):
        return b""
    path = prepared.get("path")
    return str(path) if path else None


def _now() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def parse_prepared(text: str | None) -> dict[str, dict[str, Any]]:
    """What the action plugin prepared, which travels as one text so that nothing of it is logged."""
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
