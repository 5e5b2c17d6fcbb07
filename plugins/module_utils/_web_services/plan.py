# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is there and what should be there to the steps between. Pure: no clock, no file, no process.

A deploy that was killed leaves any prefix of its steps done. Nothing remembers how far it
came: the next plan starts from what is found, and each step may be done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import units
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.choice import (
    choose_target,
    kept_releases,
    live_release,
    matches,
    used,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.effects import (
    Change,
    Step,
    Target,
    after_step,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    COLORS,
    FAILED,
    VERIFIED,
    Service,
    State,
    WebServiceError,
    environment_digest,
    gunicorn_problem,
    short,
)


@dataclass(frozen=True)
class Plan:
    """The steps for one service. Without a target the service goes away."""

    service: Service
    state: State
    target: Target | None
    steps: tuple[Step, ...]

    @property
    def changed(self) -> bool:
        return bool(self.steps)

    def sentences(self) -> list[str]:
        return [f"{self.service.name}: {step.sentence}" for step in self.steps]

    def after(self) -> State:
        """The state when all steps are done."""
        change = Change(self.service, self.target)
        return reduce(lambda state, step: after_step(change, state, step), self.steps, self.state)


def plan(service: Service, state: State, python: str, now: str) -> Plan:
    """The steps that bring one service to its declared state.

    ``python`` is the host's version (``3.11``); ``now`` goes into the name of a new release.
    Raises WebServiceError for a name or data that something else on the host has, and for
    a rollback without a release to go back to.
    """
    if state.conflicts:
        raise WebServiceError("; ".join(state.conflicts))
    if service.absent and service.remove_data and state.foreign_data:
        raise WebServiceError(
            f"/var/lib/{service.name} is not removed: nothing says that it is the data of a service of this platform"
        )
    if service.absent:
        return Plan(service, state, None, (*_repairs(state), *_removal(service, state)))
    if problem := not service.release and gunicorn_problem(service):
        raise WebServiceError(problem)
    target = choose_target(service, state, python, now)
    steps = [*_repairs(state), *_foundation(service, state)]
    if not _is_live(service, state, target):
        steps += _deployment(service, state, target)
    elif not state.colors[target.color].active:
        steps.append(Step("start", f"starts {target.color} again, which is not running"))
    if _switch_needed(state, target):
        steps.append(_switch(state, target))
    steps += _aftermath(service, state, target)
    draft = Plan(service, state, target, tuple(steps))
    return replace(draft, steps=(*steps, *_pruning(draft, python)))


def _is_live(service: Service, state: State, target: Target) -> bool:
    return target.color == state.live and matches(service, state, target)


def _repairs(state: State) -> list[Step]:
    if not state.half_made:
        return []
    return [Step("clean", f"removes what an interrupted run left: {', '.join(state.half_made)}", state.half_made)]


def _foundation(service: Service, state: State) -> list[Step]:
    steps = []
    wanted = units.static_files(service)
    if not state.owned:
        steps.append(Step("claim", f"claims the name on this host in {units.SETTINGS}/{service.name}"))
    if not state.account:
        steps.append(Step("account", f"creates the system user {service.name}"))
    if any(state.files.get(path) != text for path, text in wanted.items()):
        steps.append(
            Step("files", f"writes its sockets' units (port {service.port}) and how it is asked for its health")
        )
    if not state.loaded:
        steps.append(Step("reload", "makes systemd read its units again"))
    return steps


def _deployment(service: Service, state: State, target: Target) -> list[Step]:
    name, color = short(target.release), target.color
    known = state.releases.get(target.release)
    steps = []
    if target.environment not in state.environments:
        steps.append(Step("environment", f"builds environment {target.environment}"))
    if known is None or _is_spoiled(state, target):
        again = "again, as it failed, " if known else ""
        steps.append(Step("unpack", f"unpacks release {name} {again}from {service.source}"))
    # A release that others had before is gone back to: data are those of a newer one.
    if service.migrate and not service.fetched and (known is None or known.migrated != "done"):
        again = "again, as it was interrupted, " if known and known.migrated else ""
        steps.append(Step("migrate", f"migrates {again}for release {name}: {' '.join(service.migrate)}"))
    steps.append(Step("try", f"tries release {name} beside the running one"))
    if service.before_switch:
        steps.append(Step("before_switch", f"runs before the switch: {' '.join(service.before_switch)}"))
    steps.append(Step("prepare", f"writes the unit, environment and secrets of {color}"))
    steps += _listening(service, state)
    steps.append(Step("start", f"starts release {name} as {color}"))
    return steps


def _is_spoiled(state: State, target: Target) -> bool:
    """Whether a release failed, perhaps for what its files became, and no color runs from it."""
    running = [color for color in state.colors.values() if color.active]
    failed = state.releases[target.release].state == FAILED
    return failed and not any(target.release in used(color) for color in running)


def _listening(service: Service, state: State) -> list[Step]:
    if state.listening == service.port:
        return []
    old = f" instead of {state.listening}" if state.listening else ""
    return [Step("listen", f"listens on 127.0.0.1:{service.port}{old}")]


def _switch_needed(state: State, target: Target) -> bool:
    known = state.releases.get(target.release)
    good = known is not None and known.state == VERIFIED
    return not (state.live == target.color and state.enabled and state.current == target.release and good)


def _switch(state: State, target: Target) -> Step:
    old = live_release(state)
    was = f" (was {short(old)})" if old and old != target.release else ""
    return Step("switch", f"makes {target.color} with release {short(target.release)} the live one{was}")


def _aftermath(service: Service, state: State, target: Target) -> list[Step]:
    """What follows a switch. All of it is due as well when a run was killed after its switch."""
    steps = []
    deployed = not _is_live(service, state, target)
    if not deployed and (listening := _listening(service, state)):
        steps += listening
    other = next(color for color in COLORS if color != target.color)
    if state.colors[other].active:
        steps.append(Step("retire", f"lets {other} finish its requests and stop", (other,)))
    if service.after_switch and (deployed or state.colors[target.color].hook_due):
        steps.append(Step("after_switch", f"runs after the switch: {' '.join(service.after_switch)}"))
    return steps


def _pruning(draft: Plan, python: str) -> list[Step]:
    after = draft.after()
    kept = kept_releases(after, draft.service.keep_releases)
    steps = []
    if gone := sorted(set(after.releases) - kept):
        steps.append(Step("prune_releases", f"removes old releases: {', '.join(map(short, gone))}", tuple(gone)))
    needed = {environment_digest(draft.service, after.releases[name].requirements, python) for name in kept}
    if draft.target:
        needed.add(draft.target.environment)
    if unused := sorted(after.environments - needed):
        steps.append(Step("prune_environments", f"removes unused environments: {', '.join(unused)}", tuple(unused)))
    return steps


def _removal(service: Service, state: State) -> list[Step]:
    steps = []
    if state.owned:
        steps.append(Step("halt", f"stops the service and its socket on port {state.listening or service.port or '-'}"))
        steps.append(Step("remove", "removes its units, releases, environments, settings and secrets"))
    if state.account and state.owned:
        steps.insert(-1, Step("remove_account", f"removes the system user {service.name}"))
    if state.data and service.remove_data:
        steps.insert(-1 if state.owned else 0, Step("remove_data", f"removes its data in /var/lib/{service.name}"))
    elif state.data and state.owned:
        steps.insert(-1, Step("keep_data", f"keeps its data in /var/lib/{service.name}, for root alone"))
    return steps
