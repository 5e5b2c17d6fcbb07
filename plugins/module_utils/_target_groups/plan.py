# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the target groups that there are to those that should be; pure.

A group keeps its port, protocol and VPC for its life. Where these change another group is made, by a name of its own,
and the old one is obsolete: it is removed once nothing leads to it any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.naming import resource_name
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.model import (
    FIXED,
    NAME,
    OWNER,
    TargetGroup,
)


@dataclass(frozen=True)
class Change:
    """What of a group becomes what; ``group`` is the group afterwards."""

    group: TargetGroup
    check: Mapping[str, Any]
    attributes: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def changed(self) -> bool:
        return bool(self.check or self.attributes or self.tags)

    def sentence(self) -> str:
        settings = {**self.check, **self.attributes, **self.tags}
        return f"{self.group.name}: " + ", ".join(f"{key} becomes {settings[key]}" for key in sorted(settings))


@dataclass(frozen=True)
class Plan:
    """``kept`` are the groups that stay, changed or not; obsolete ones go when ``purge`` says so."""

    create: tuple[TargetGroup, ...] = ()
    kept: tuple[Change, ...] = ()
    obsolete: tuple[TargetGroup, ...] = ()
    purge: bool = False

    @property
    def change(self) -> tuple[Change, ...]:
        return tuple(change for change in self.kept if change.changed)

    @property
    def remove(self) -> tuple[TargetGroup, ...]:
        return self.obsolete if self.purge else ()

    @property
    def changed(self) -> bool:
        return bool(self.create or self.change or self.remove)

    def after(self) -> list[TargetGroup]:
        """The platform's groups afterwards, by name."""
        left = () if self.purge else self.obsolete
        return sorted((*self.create, *(change.group for change in self.kept), *left), key=lambda group: group.name)

    def sentences(self) -> list[str]:
        made = [
            f"{group.name}: new, {group.fixed['Protocol']} {group.fixed['Port']} of {group.service}"
            for group in self.create
        ]
        gone = [f"{group.name}: goes" for group in self.remove]
        return [*made, *(change.sentence() for change in self.change), *gone]


def plan(current: Sequence[TargetGroup], wanted: Iterable[TargetGroup], purge: bool) -> Plan:
    """``current`` are the platform's own groups."""
    ordered = sorted(current, key=lambda group: group.name)
    taken = {group.name for group in current}
    create: list[TargetGroup] = []
    kept: list[Change] = []
    for group in wanted:
        there = [one for one in ordered if one.service == group.service and _as_fixed(one, group)]
        if there:
            kept.append(_change(next((one for one in there if one.name == group.name), there[0]), group))
        else:
            create.append(group.named(_other_name(group)) if group.name in taken else group)
    stay = {change.group.name for change in kept}
    return Plan(tuple(create), tuple(kept), tuple(group for group in ordered if group.name not in stay), purge)


def names(wanted: Iterable[TargetGroup]) -> Iterator[str]:
    """Every name that a plan may give."""
    for group in wanted:
        yield from (group.name, _other_name(group))


def _as_fixed(there: TargetGroup, wanted: TargetGroup) -> bool:
    # ProtocolVersion is not told for groups of other load balancers' kinds.
    return all((there.fixed.get(key) or "") == (wanted.fixed[key] or "") for key in FIXED)


def _other_name(group: TargetGroup) -> str:
    """A name that says what the group has for its life, as a hash."""
    told = json.dumps({key: group.fixed[key] for key in FIXED}, sort_keys=True)
    return resource_name(group.tags[OWNER], group.service, hashlib.sha256(told.encode()).hexdigest()[:6])


def _change(there: TargetGroup, wanted: TargetGroup) -> Change:
    check = {key: value for key, value in wanted.check.items() if there.check.get(key) != value}
    attributes = _differing(there.attributes, wanted.attributes)
    tags = _differing(there.tags, {**wanted.tags, NAME: there.name})
    after = replace(
        there,
        check={**there.check, **check},
        attributes={**there.attributes, **attributes},
        tags={**there.tags, **tags},
    )
    return Change(after, check, attributes, tags)


def _differing(there: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in wanted.items() if there.get(key) != value}
