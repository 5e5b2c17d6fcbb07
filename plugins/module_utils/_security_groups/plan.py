# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the groups of a VPC as they are to those that are declared; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.changes import (
    Authorize,
    Change,
    Clear,
    Create,
    Delete,
    Describe,
    Revoke,
    Tag,
    Untag,
    without,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    ANYWHERE,
    DEFAULT,
    DIRECTIONS,
    OWNER_TAG,
    Desired,
    Group,
    Rule,
    Rules,
    SecurityGroupsError,
    Source,
    State,
    Wanted,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.refusals import refused

# In this order, each over the whole set before the next one begins; up to "describe" nothing is taken away.
ADDING = ("create", "tag", "authorize", "describe")
PHASES = (*ADDING, "swap", "gap", "revoke", "untag", "clear", "delete")


@dataclass(frozen=True)
class Plan:
    """Changes in the order in which they are made."""

    changes: tuple[Change, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.changes)

    def of(self, *phases: str) -> tuple[Change, ...]:
        """The changes of these phases."""
        return tuple(change for change in self.changes if change.phase in phases)

    def after(self, current: State) -> dict[str, Group]:
        """The groups once the changes are made."""
        return [dict(current), *self.states(current)][-1]

    def states(self, current: State) -> Iterator[dict[str, Group]]:
        """The groups after each step of each change."""
        state = dict(current)
        for step in self.steps():
            group = step.applied(state.pop(step.key, None))
            if group:
                state[step.key] = group
            yield dict(state)

    def steps(self, *phases: str) -> tuple[Change, ...]:
        """The steps of all changes, or of those of these phases, in their order."""
        return tuple(step for change in (self.of(*phases) if phases else self.changes) for step in change.steps)

    def sentences(self) -> list[str]:
        """The changes in words."""
        return [sentence for change in self.changes for sentence in change.sentences()]


def ordered(changes: list[Change]) -> Plan:
    """A plan of these changes, in the order of the phases."""
    return Plan(tuple(sorted(changes, key=lambda change: PHASES.index(change.phase))))


def plan(current: State, desired: Desired, default_egress: tuple[Rule, ...] = ANYWHERE[:1]) -> Plan:
    """What turns the current groups into the declared ones; raises SecurityGroupsError with all that forbids it."""
    planned, findings = drafted(current, desired, default_egress)
    if findings:
        raise SecurityGroupsError("\n".join(findings))
    return planned


def drafted(
    current: State, desired: Desired, default_egress: tuple[Rule, ...] = ANYWHERE[:1]
) -> tuple[Plan, list[str]]:
    """What turns the current groups into the declared ones, without regard to the quota, and all that forbids it.

    ``default_egress`` are the rules that AWS gives a new group of the VPC.
    """
    findings: list[str] = []
    by_id = {group.id: group for group in current.values() if group.id}
    changes: list[Change] = []
    doomed = going(current, desired)
    declared = [] if desired.absent else [_resolved(wanted, by_id, findings) for wanted in desired.groups]
    for wanted in declared:
        changes += _of_group(current.get(wanted.key), wanted, desired, default_egress)
    findings += refused(current, desired, {change.key for change in changes})
    if doomed:
        changes += _of_deletion(
            ordered(changes).after(current), doomed, replace(desired, groups=tuple(declared)), findings
        )
    return ordered(changes), findings


def going(current: State, desired: Desired) -> dict[str, Group]:
    """The groups that are to be deleted; never the VPC's default one, which AWS does not delete."""
    owned = {
        name: group
        for name, group in current.items()
        if desired.owner and group.owner == desired.owner and name != DEFAULT
    }
    declared = {wanted.key for wanted in desired.groups}
    if desired.absent:
        return {name: group for name, group in owned.items() if not declared or name in declared}
    return {name: group for name, group in owned.items() if desired.purge_groups and name not in declared}


def _resolved(wanted: Wanted, by_id: Mapping[str, Group], findings: list[str]) -> Wanted:
    """The declared group with references to groups of the VPC by name, also where they were declared by id."""
    told = {}
    for direction in DIRECTIONS:
        declared = wanted.rules(direction)
        if declared is None:
            continue
        rules: dict[Rule, str] = {}
        for rule, text in declared.items():
            named = _by_name(rule, by_id)
            if rules.setdefault(named, text) != text:
                findings.append(
                    f"{wanted.name} {direction}: {named.traffic} with {named.source} is declared by its name and "
                    f"by its id, with the descriptions '{rules[named]}' and '{text}'"
                )
        told[direction] = rules
    return replace(wanted, ingress=told.get("ingress"), egress=told.get("egress"))


def _by_name(rule: Rule, by_id: Mapping[str, Group]) -> Rule:
    other = by_id.get(rule.source.value) if rule.source.kind == "group_id" else None
    return replace(rule, source=Source("group", other.key, shown=other.name)) if other else rule


def _of_group(there: Group | None, wanted: Wanted, desired: Desired, egress: tuple[Rule, ...]) -> Iterator[Change]:
    group = there
    if not group:
        group = _new(wanted, desired.owner, egress)
        yield Create(wanted.name, group)
    yield from _of_tags(group, wanted, desired.owner)
    for direction in DIRECTIONS:
        declared = wanted.rules(direction)
        if declared is not None:
            yield from _of_rules(group.name, direction, group.rules(direction), declared, desired.purge_rules)


def _new(wanted: Wanted, owner: str, egress: tuple[Rule, ...]) -> Group:
    own = {OWNER_TAG: owner} if owner else {}
    return Group(
        name=wanted.name,
        description=wanted.description or wanted.name,
        tags={**(wanted.tags or {}), **own},
        egress=dict.fromkeys(egress, ""),
    )


def _of_tags(group: Group, wanted: Wanted, owner: str) -> Iterator[Change]:
    declared = {**(wanted.tags or {}), **({OWNER_TAG: owner} if owner else {})}
    setting = {name: value for name, value in declared.items() if group.tags.get(name) != value}
    if setting:
        yield Tag(group.name, setting)
    if wanted.tags is not None:
        # Keys that begin with aws: are AWS's own and cannot be removed.
        gone = {
            name: value
            for name, value in group.tags.items()
            if name not in declared and name != OWNER_TAG and not name.lower().startswith("aws:")
        }
        if gone:
            yield Untag(group.name, gone)


def _of_rules(name: str, direction: str, there: Rules, declared: Rules, purge: bool) -> Iterator[Change]:
    added = without(declared, there)
    described = {rule: declared[rule] for rule, text in there.items() if declared.get(rule, text) != text}
    gone = without(there, declared) if purge else {}
    if added:
        yield Authorize(name, direction, added)
    if described:
        yield Describe(name, direction, described)
    if gone:
        yield Revoke(name, direction, gone)


def _of_deletion(state: State, doomed: State, desired: Desired, findings: list[str]) -> list[Change]:
    """Deletions, after what refers to the groups that go; a reference to itself holds no group back."""
    declared = {wanted.key: wanted for wanted in desired.groups}
    changes: list[Change] = []
    for group in state.values():
        gone: dict[str, dict[Rule, str]] = {}
        for direction, rule in group.references():
            if rule.source.value in doomed and rule.source.value != group.key:
                gone.setdefault(direction, {})[rule] = group.rules(direction)[rule]
                findings += _held_back(group, direction, rule, desired, declared.get(group.key))
        changes += [Clear(group.name, direction, rules, ", which goes") for direction, rules in sorted(gone.items())]
    return [*changes, *(Delete(group.name) for _name, group in sorted(doomed.items()))]


def _held_back(group: Group, direction: str, rule: Rule, desired: Desired, wanted: Wanted | None) -> Iterator[str]:
    """Why a reference to a group that goes may not be removed."""
    if wanted and rule in (wanted.rules(direction) or ()):
        yield f"{group.name} {direction}: {rule.traffic} with {rule.source} is declared, but that group goes"
    elif group.owner != desired.owner and not desired.clear_foreign_references:
        whose = f"belongs to '{group.owner}'" if group.owner else "is not the platform's"
        yield (
            f"{rule.source}: cannot go, because {group.name} ({group.id}), which {whose}, refers to it in its "
            f"{direction} rule for {rule.traffic}: remove that rule, or give clear_foreign_references: true"
        )
