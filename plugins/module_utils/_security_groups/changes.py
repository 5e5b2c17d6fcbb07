# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of change that a plan is made of: each says what it is, and what the groups are after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import ClassVar

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    OWNER_TAG,
    Group,
    Rule,
    Rules,
    key,
)


@dataclass(frozen=True)
class Change(ABC):
    """Something that happens to the group of this name. ``phase`` says when."""

    name: str
    phase: ClassVar[str] = ""

    @property
    def key(self) -> str:
        return key(self.name)

    @property
    def steps(self) -> tuple[Change, ...]:
        """The calls that the change takes, one after the other."""
        return (self,)

    @abstractmethod
    def applied(self, group: Group | None) -> Group | None:
        """The group after the change; None for none."""

    @abstractmethod
    def sentences(self) -> Iterator[str]:
        """The change in words."""

    def opened(self) -> Rules:
        """Rules that are there after the change and were not before."""
        return {}


@dataclass(frozen=True)
class Create(Change):
    """A new group, with the rules that AWS gives it."""

    group: Group
    phase: ClassVar[str] = "create"

    def applied(self, group: Group | None) -> Group | None:
        return group or self.group

    def sentences(self) -> Iterator[str]:
        yield f"{self.name}: new"


@dataclass(frozen=True)
class Tag(Change):
    """Tags that are set; among them that of the owner where a group of nobody's is adopted."""

    tags: Mapping[str, str] = field(default_factory=dict)
    phase: ClassVar[str] = "tag"

    def applied(self, group: Group | None) -> Group | None:
        return group and replace(group, tags={**group.tags, **self.tags})

    def sentences(self) -> Iterator[str]:
        if OWNER_TAG in self.tags:
            yield f"{self.name}: taken over by '{self.tags[OWNER_TAG]}' from nobody"
        for name, value in sorted(self.tags.items()):
            if name != OWNER_TAG:
                yield f"{self.name}: sets the tag {name} to '{value}'"


@dataclass(frozen=True)
class Untag(Change):
    """Tags that go."""

    tags: Mapping[str, str] = field(default_factory=dict)
    phase: ClassVar[str] = "untag"

    def applied(self, group: Group | None) -> Group | None:
        return group and replace(
            group, tags={name: value for name, value in group.tags.items() if name not in self.tags}
        )

    def sentences(self) -> Iterator[str]:
        yield from (f"{self.name}: removes the tag {name}" for name in sorted(self.tags))


@dataclass(frozen=True)
class RuleChange(Change):
    """Something that happens to rules of one direction of a group."""

    direction: str

    def with_rules(self, group: Group | None, rules: Rules) -> Group | None:
        return group and (
            replace(group, ingress=rules) if self.direction == "ingress" else replace(group, egress=rules)
        )

    def opens(self, rule: Rule) -> str:
        if self.direction == "ingress":
            return f"opens {rule.traffic} from {rule.source}"
        return f"opens the way out for {rule.traffic} to {rule.source}"

    def closes(self, rule: Rule) -> str:
        if self.direction == "ingress":
            return f"closes {rule.traffic} to {rule.source}"
        return f"closes the way out for {rule.traffic} to {rule.source}"


@dataclass(frozen=True)
class Authorize(RuleChange):
    """Rules that are added."""

    rules: Rules
    phase: ClassVar[str] = "authorize"

    def applied(self, group: Group | None) -> Group | None:
        return group and self.with_rules(group, {**group.rules(self.direction), **self.rules})

    def sentences(self) -> Iterator[str]:
        yield from (f"{self.name}: {self.opens(rule)}" for rule in sorted(self.rules))

    def opened(self) -> Rules:
        return self.rules


@dataclass(frozen=True)
class Describe(RuleChange):
    """Rules whose description is changed in place."""

    rules: Rules
    phase: ClassVar[str] = "describe"

    def applied(self, group: Group | None) -> Group | None:
        return group and self.with_rules(group, {**group.rules(self.direction), **self.rules})

    def sentences(self) -> Iterator[str]:
        way = "from" if self.direction == "ingress" else "on the way out to"
        for rule, text in sorted(self.rules.items()):
            yield f"{self.name}: describes {rule.traffic} {way} {rule.source} as '{text}'"


@dataclass(frozen=True)
class Revoke(RuleChange):
    """Rules that are removed; ``why`` is said in the plan."""

    rules: Rules
    why: str = ""
    phase: ClassVar[str] = "revoke"

    def applied(self, group: Group | None) -> Group | None:
        return group and self.with_rules(group, without(group.rules(self.direction), self.rules))

    def sentences(self) -> Iterator[str]:
        yield from (f"{self.name}: {self.closes(rule)}{self.why}" for rule in sorted(self.rules))


@dataclass(frozen=True)
class Clear(Revoke):
    """References to groups that go, removed before them."""

    phase: ClassVar[str] = "clear"


@dataclass(frozen=True)
class Swap(RuleChange):
    """Rules that become others in place, because the quota has no room for both: (old, new, its description)."""

    pairs: tuple[tuple[Rule, Rule, str], ...]
    phase: ClassVar[str] = "swap"

    def applied(self, group: Group | None) -> Group | None:
        old = {before: "" for before, _after, _text in self.pairs}
        return group and self.with_rules(group, {**without(group.rules(self.direction), old), **self.opened()})

    def sentences(self) -> Iterator[str]:
        for old, new, _text in self.pairs:
            yield f"{self.name}: {self.opens(new)} and {self.closes(old)}, in place, because the group is at its quota"

    def opened(self) -> Rules:
        return {after: text for _before, after, text in self.pairs}


@dataclass(frozen=True)
class Gap(RuleChange):
    """Rules that are removed before others are added, because there is no room for both and a gap is allowed."""

    revoked: Rules
    rules: Rules
    phase: ClassVar[str] = "gap"

    @property
    def steps(self) -> tuple[Change, ...]:
        return Revoke(self.name, self.direction, self.revoked), Authorize(self.name, self.direction, self.rules)

    def applied(self, group: Group | None) -> Group | None:
        return reduce(lambda there, step: step.applied(there), self.steps, group)

    def sentences(self) -> Iterator[str]:
        yield (
            f"{self.name}: closes its {self.direction} rules below before it opens the new ones, "
            "because the quota has no room for both: between them traffic is cut (allow_gap)"
        )
        for step in self.steps:
            yield from step.sentences()

    def opened(self) -> Rules:
        return self.rules


@dataclass(frozen=True)
class Delete(Change):
    """A group that goes."""

    phase: ClassVar[str] = "delete"

    def applied(self, _group: Group | None) -> Group | None:
        return None

    def sentences(self) -> Iterator[str]:
        yield f"{self.name}: goes"


def without(rules: Rules, gone: Iterable[Rule]) -> Rules:
    removed = set(gone)
    return {rule: text for rule, text in rules.items() if rule not in removed}
