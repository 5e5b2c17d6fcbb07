# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release is live, which shall be, where a rollback goes, and what is kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import units
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.effects import Target
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    ROLLED_BACK,
    VERIFIED,
    Color,
    Service,
    State,
    WebServiceError,
    environment_digest,
    release_id,
    short,
)


def choose_target(service: Service, state: State, python: str, now: str) -> Target:
    """Which release in which environment shall run, and in which color."""
    name = _release_name(service, state, now)
    known = state.releases.get(name)
    requirements = known.requirements if known else service.requirements
    fingerprint = known.fingerprint if known else service.fingerprint
    target = Target(name, environment_digest(service, requirements, python), "", fingerprint, requirements)
    live = state.live
    if live and matches(service, state, replace(target, color=live)):
        return replace(target, color=live)
    return replace(target, color="green" if live == "blue" else "blue")


def live_release(state: State) -> str | None:
    """The release that the live color runs, as its unit says."""
    return _named(state.colors[state.live], "WorkingDirectory=.*/releases/") if state.live else None


def previous_release(state: State) -> str | None:
    """The last good release before the live one: where a rollback goes, and went back from none."""
    live = live_release(state)
    good = [name for name, release in state.releases.items() if release.state == VERIFIED and name != live]
    earlier = [name for name in good if not live or name < live]
    return max(earlier, default=None)


def kept_releases(state: State, keep: int) -> set[str]:
    """The newest good releases, the live one, the last good one, and others that are newer than the live one."""
    live = live_release(state)
    good = sorted((name for name, release in state.releases.items() if release.state == VERIFIED), reverse=True)
    kept = set(good[: max(keep, 1)])
    kept |= {name for name, release in state.releases.items() if release.state != VERIFIED and name > (live or "")}
    kept |= {name for name in (live, previous_release(state)) if name and name in state.releases}
    return kept


def draining(state: State, target: Target, names: Sequence[str]) -> list[str]:
    """Colors beside the target's that may still run one of these releases or environments.

    Nobody waits for a color that was told to stop, and its requests may take their time: what
    it runs is removed only when it has ended.
    """
    others = {color: found for color, found in state.colors.items() if color != target.color}
    return [color for color, found in others.items() if set(used(found)) & set(names)]


def used(color: Color) -> list[str | None]:
    """Release and environment that a color's unit names."""
    return [_named(color, "WorkingDirectory=.*/releases/"), _named(color, "Environment=PATH=/.*?/environments/")]


def matches(service: Service, state: State, target: Target) -> bool:
    wanted = units.slot_files(service, target.color, target.release, target.environment)
    complete = target.environment in state.environments and target.release in state.releases
    return complete and dict(state.colors[target.color].files) == wanted


def _release_name(service: Service, state: State, now: str) -> str:
    if service.release == "previous":
        previous = previous_release(state)
        if previous is None:
            raise WebServiceError("there is no earlier good release to go back to")
        return previous
    if service.release:
        return _named_release(service, state)
    live = live_release(state)
    if live and live in state.releases and state.releases[live].fingerprint == service.fingerprint:
        return live
    # Older ones are not taken up again: releases stay in the order in which they went live.
    newer = [name for name in state.releases if not live or name > live]
    same = [name for name in newer if state.releases[name].fingerprint == service.fingerprint]
    return max(same, default=release_id(service.fingerprint, now))


def _named_release(service: Service, state: State) -> str:
    """The release of this name, else the newest good one of the same code; else, where it is fetched, the name."""
    told = str(service.release)
    same = [name for name, item in state.releases.items() if short(name) == short(told)]
    good = [name for name in same if state.releases[name].state in (VERIFIED, ROLLED_BACK)]
    if service.fetched and not good:
        return told
    name = told if told in state.releases else max(good, default=max(same, default=told))
    chosen = state.releases.get(name)
    if chosen is None or chosen.state not in (VERIFIED, ROLLED_BACK):
        listed = ", ".join(sorted(name for name, item in state.releases.items() if item.state == VERIFIED)) or "none"
        what = "does not exist" if chosen is None else f"is not a good one ({chosen.state})"
        raise WebServiceError(f"release {told} {what}; good releases: {listed}")
    return name


def _named(color: Color, where: str) -> str | None:
    units_found = [text for path, text in color.files.items() if path.endswith(".service")]
    found = next((match for text in units_found if (match := re.search(f"^{where}([^/\n]+)", text, re.M))), None)
    return found[1] if found else None
