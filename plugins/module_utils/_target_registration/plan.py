# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the registered targets to the wanted ones, group by group; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    DRAINING,
    Minimum,
    Target,
    TargetGroup,
    TargetRegistrationError,
    Targets,
    Wanted,
    in_order,
)

REGISTERED = "registered"
# Who is registered in a group, by target: REGISTERED or DRAINING.
Membership = dict[Target, str]


@dataclass(frozen=True)
class Floor:
    """How many targets have to stay healthy in a group, and how the user said that."""

    number: int
    words: str


@dataclass(frozen=True)
class GroupPlan:
    """Changes of one group; ``again`` are those of ``register`` that are draining."""

    group: TargetGroup
    register: tuple[Target, ...] = ()
    deregister: tuple[Target, ...] = ()
    again: frozenset[Target] = frozenset()

    @property
    def changed(self) -> bool:
        return bool(self.register or self.deregister)

    def only(self, part: str) -> GroupPlan:
        """Of the changes what is registered (``register``) or what is deregistered."""
        return replace(self, deregister=()) if part == "register" else replace(self, register=())

    def parts(self, size: int) -> Iterator[GroupPlan]:
        """The same changes in parts of so many targets at most, each of one kind."""
        for start in range(0, len(self.register), size):
            yield replace(self, register=self.register[start : start + size], deregister=())
        for start in range(0, len(self.deregister), size):
            yield replace(self, register=(), deregister=self.deregister[start : start + size])

    def after(self, current: Targets) -> Membership:
        """Who is registered once the changes are made and the deregistered ones are drained."""
        left = {target: state for target, state in membership(current).items() if target not in self.deregister}
        return {**left, **dict.fromkeys(self.register, REGISTERED)}

    def sentences(self) -> list[str]:
        """The changes in words."""
        name = self.group.name
        registered = [
            f"{name}: registers {target}" + (" again, which is draining" if target in self.again else "")
            for target in self.register
        ]
        return registered + [f"{name}: deregisters {target}" for target in self.deregister]


@dataclass(frozen=True)
class Plan:
    """Changes of all groups, those without any included."""

    groups: tuple[GroupPlan, ...]

    @property
    def changed(self) -> bool:
        return any(group.changed for group in self.groups)

    def sentences(self) -> list[str]:
        """The changes in words: in all groups what is registered before what is deregistered within a group."""
        return [sentence for group in self.groups for sentence in group.sentences()]


def membership(current: Targets) -> Membership:
    """Who is registered now."""
    return {target: DRAINING if health.draining else REGISTERED for target, health in current.items()}


def floors(current: Mapping[str, Targets], minimum: Minimum) -> dict[str, Floor]:
    """How many targets have to stay healthy in each group, by its ARN, with these targets to begin with."""
    return {arn: _floor(targets, minimum) for arn, targets in current.items()}


def plan(
    current: Mapping[str, Targets], wanted: Sequence[Wanted], lowest: Mapping[str, Floor], *, hopeful: bool = False
) -> Plan:
    """What turns the current targets, by the ARN of their group, into the wanted ones.

    ``hopeful``: the wanted ones are waited for before any is deregistered, and so count as healthy.
    Raises TargetRegistrationError, with all findings at once, where too few targets would stay healthy or a
    group would get more targets than it can have.
    """
    groups: list[GroupPlan] = []
    findings: list[str] = []
    for item in wanted:
        arn = item.group.arn
        groups.append(_group_plan(current[arn], item))
        hoped = item.present if hopeful else frozenset()
        findings += _too_few(current[arn], groups[-1], lowest[arn], hoped)
        findings += [*_too_many(current[arn], groups[-1]), *_other_zones(current[arn], item)]
    if findings:
        raise TargetRegistrationError("\n".join(findings))
    return Plan(tuple(groups))


def _floor(current: Targets, minimum: Minimum) -> Floor:
    registered = sum(1 for health in current.values() if not health.draining)
    return Floor(minimum.of(registered), f"{minimum} of {registered} registered" if minimum.percent else f"{minimum}")


def _group_plan(current: Targets, wanted: Wanted) -> GroupPlan:
    there = {target for target, health in current.items() if not health.draining}
    missing = wanted.present - there
    return GroupPlan(
        wanted.group,
        register=in_order(missing),
        deregister=in_order(target for target in there if wanted.unwanted(target)),
        again=frozenset(missing & current.keys()),
    )


def _too_few(current: Targets, changes: GroupPlan, floor: Floor, hoped: frozenset[Target]) -> Iterator[str]:
    """The guard. A target that is not healthy may always go."""
    healthy = {target for target, health in current.items() if health.healthy}
    leaving = healthy.intersection(changes.deregister)
    left = (healthy - leaving) | hoped
    if leaving and len(left) < floor.number:
        rest = f"{len(left)} healthy {'target' if len(left) == 1 else 'targets'}"
        yield (
            f"{changes.group.name}: deregistering {_listed(leaving)} would leave {rest}, fewer than the minimum of "
            f"{floor.number} (minimum_healthy: {floor.words}): bring others to health first, or lower minimum_healthy"
        )


def _too_many(current: Targets, changes: GroupPlan) -> Iterator[str]:
    group = changes.group
    others = {target for target, health in current.items() if not health.draining}
    if group.single and changes.register and others:
        yield (
            f"{group.name}: a group with target type {group.kind} takes one target, and that is {_listed(others)}: "
            "deregister it first (state: absent), or use a second target group and change the listener"
        )


def _other_zones(current: Targets, wanted: Wanted) -> Iterator[str]:
    for target, zone in wanted.zones.items():
        health = current.get(target)
        if health and not health.draining and health.zone and health.zone != zone:
            yield (
                f"{wanted.group.name}: {target} is registered with the availability zone {health.zone}, not {zone}: "
                "deregister it first (state: absent)"
            )


def _listed(targets: set[Target]) -> str:
    return ", ".join(str(target) for target in in_order(targets))
