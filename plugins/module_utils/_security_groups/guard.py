# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard against cutting the run's own way in: protected paths that are open before have to stay open; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.coverage import covered, traffic
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    Desired,
    Group,
    Path,
    Rule,
    State,
    key,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import Plan
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.rules import reference


def watch(first: State, current: State, planned: Plan, desired: Desired) -> Iterator[str]:
    """Protected paths that were open at first and that the plan would close, unless that is allowed.

    Before there is a VPC there is nothing to protect.
    """
    if desired.allow_lockout or not desired.vpc_id:
        return
    for path in desired.protect:
        yield from _unknown(path, first, desired)
        if is_open(path, first):
            yield from _closed(path, current, planned)


def _unknown(path: Path, first: State, desired: Desired) -> Iterator[str]:
    """Groups of a path that are neither there nor declared: a path that nobody can open would protect nothing."""
    known = {*first, *(wanted.key for wanted in desired.groups), *(group.id for group in first.values())}
    named = {"group": path.group}
    if path.rule.source.kind == "group":
        named["source"] = str(path.rule.source)
    for option, name in named.items():
        if key(name) not in known:
            yield (
                f"protect: {path}: its {option} '{name}' is no group of {desired.vpc_id} and none of this set; "
                f"known are {', '.join(sorted(group.name for group in first.values()))}"
            )


def _closed(path: Path, current: State, planned: Plan) -> Iterator[str]:
    """What a plan does to a path that is to be open, at its end or on the way there."""
    if all(is_open(path, state) for state in planned.states(current)):
        return
    harm = "cut it for a moment" if is_open(path, planned.after(current)) else "close it"
    yield f"protect: {path} is open, and this would {harm}; declare a rule that keeps it open, or allow_lockout: true"


def is_open(path: Path, state: State) -> bool:
    """Whether the rules of the path's group together let it through."""
    group = _group(path.group, state)
    return bool(group) and covered(traffic(_by_name(path.rule, state)), group.ingress if group else ())


def _group(named: str, state: State) -> Group | None:
    return state.get(key(named)) or next((group for group in state.values() if group.id == named), None)


def _by_name(rule: Rule, state: State) -> Rule:
    if rule.source.kind != "group_id":
        return rule
    names = {group.id: (group.name, group.account) for group in state.values() if group.id}
    return replace(rule, source=reference(rule.source.value, names, rule.source.account))
