# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step does to a service's state: the after of a diff, and what the tests play through. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import units
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    ROLLED_BACK,
    VERIFIED,
    Release,
    Service,
    State,
)


@dataclass(frozen=True)
class Step:
    """One change. ``action`` names the function that does it, ``sentence`` tells a person."""

    action: str
    sentence: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """What shall run: release, environment and the color that carries it."""

    release: str
    environment: str
    color: str
    fingerprint: str
    requirements: str


@dataclass(frozen=True)
class Change:
    """What the steps are about: the service and, unless it goes away, what shall run."""

    service: Service
    goal: Target | None

    @property
    def target(self) -> Target:
        if self.goal is None:
            raise AssertionError("a service that goes away has no target")
        return self.goal


def after_step(whole: Change, state: State, step: Step) -> State:
    """The state after one step: what the diff shows, and what the tests play through."""
    return _EFFECTS[step.action](whole, state, step)


def left_by_rollback(state: State, target: Target) -> dict[str, Release]:
    """The release, by its name, that is live before an earlier one takes its place."""
    left = {name: release for name, release in state.releases.items() if name == state.current}
    return {
        name: replace(release, state=ROLLED_BACK)
        for name, release in left.items()
        if name > target.release and release.state == VERIFIED
    }


def _with_color(state: State, color: str, **changes: Any) -> State:
    return replace(state, colors={**state.colors, color: replace(state.colors[color], **changes)})


def _with_release(whole: Change, found: State, **changes: Any) -> State:
    release = found.releases.get(whole.target.release)
    if release is None:
        return found
    return replace(found, releases={**found.releases, whole.target.release: replace(release, **changes)})


def _unpacked(whole: Change, state: State, _step: Step) -> State:
    known = state.releases.get(whole.target.release)
    migrated = known.migrated if known else ""
    new = Release(whole.target.fingerprint, whole.target.requirements, "prepared", migrated, whole.service.source)
    return replace(state, releases={**state.releases, whole.target.release: new})


def _built(whole: Change, state: State, _step: Step) -> State:
    return replace(state, environments=state.environments | {whole.target.environment})


def _prepared(whole: Change, state: State, _step: Step) -> State:
    target = whole.target
    files = units.slot_files(whole.service, target.color, target.release, target.environment)
    due = bool(whole.service.after_switch)
    return _with_color(state, target.color, files=files, active=False, hook_due=due)


def _switched(whole: Change, state: State, _step: Step) -> State:
    target = whole.target
    state = replace(state, releases={**state.releases, **left_by_rollback(state, target)})
    state = replace(state, live=target.color, enabled=True, current=target.release, loaded=True)
    return _with_release(whole, state, state=VERIFIED)


def _started(whole: Change, state: State, _step: Step) -> State:
    return _with_color(state, whole.target.color, active=True)


def _hooked(whole: Change, state: State, _step: Step) -> State:
    return _with_color(state, whole.target.color, hook_due=False)


def _pruned(_whole: Change, state: State, step: Step) -> State:
    left = {name: release for name, release in state.releases.items() if name not in step.names}
    return replace(state, releases=left)


def _unchanged(_whole: Change, state: State, _step: Step) -> State:
    return state


_EFFECTS: dict[str, Callable[[Change, State, Step], State]] = {
    "clean": lambda _whole, state, _step: replace(state, half_made=()),
    "claim": lambda _whole, state, _step: replace(state, owned=True),
    "account": lambda _whole, state, _step: replace(state, account=True),
    "files": lambda whole, state, _step: replace(state, files=units.static_files(whole.service), loaded=True),
    "reload": lambda _whole, state, _step: replace(state, loaded=True),
    "unpack": _unpacked,
    "environment": _built,
    "migrate": lambda whole, state, _step: _with_release(whole, state, migrated="done"),
    "try": _unchanged,
    "before_switch": _unchanged,
    "prepare": _prepared,
    "listen": lambda whole, state, _step: replace(state, listening=whole.service.port),
    "start": _started,
    "switch": _switched,
    "retire": lambda _whole, state, step: _with_color(state, step.names[0], active=False),
    "after_switch": _hooked,
    "prune_releases": _pruned,
    "prune_environments": lambda _w, state, step: replace(state, environments=state.environments - set(step.names)),
    "halt": lambda _w, state, _s: replace(
        state, listening=None, colors={c: replace(color, active=False) for c, color in state.colors.items()}
    ),
    "remove_account": lambda _whole, state, _step: replace(state, account=False),
    "remove_data": lambda _whole, state, _step: replace(state, data=False),
    "keep_data": _unchanged,
    "remove": lambda _whole, state, _step: State(account=state.account, data=state.data),
}
