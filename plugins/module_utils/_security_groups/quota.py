# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many rules fit into a group, and what is done when old and new ones do not fit side by side; pure.

"Inbound or outbound rules per security group: 60. This quota is enforced separately for IPv4 rules and
IPv6 rules." (https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups)
"A rule that references a security group counts as one rule for IPv4 and one rule for IPv6." (the same page
until 2021; today's says "counts as one rule", and means it so)
"A rule that references a customer-managed prefix list counts as the maximum size of the prefix list. A rule
that references an AWS-managed prefix list counts as its weight."
(https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-size)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import coverage
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.changes import (
    Authorize,
    Change,
    Gap,
    Revoke,
    Swap,
    without,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    Group,
    Rule,
    Rules,
    SecurityGroupsError,
    State,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import Plan, ordered

DEFAULT = 60
FAMILIES = ("IPv4", "IPv6")
KINDS = {"ipv4": ("IPv4",), "ipv6": ("IPv6",), "group": FAMILIES, "group_id": FAMILIES}
# Source types between which ModifySecurityGroupRules can change a rule; groups are one type, however they are named.
TYPES = {"ipv4": "CIDR", "ipv6": "IPv6 CIDR", "prefix_list": "prefix list", "group": "group", "group_id": "group"}


@dataclass(frozen=True)
class Limits:
    """The quota, where it is from, and what prefix lists weigh: id -> (address family, weight).

    ``missing`` are prefix lists that do not exist.
    """

    rules: int = DEFAULT
    origin: str = "AWS's default, because the account's own could not be read"
    weights: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()

    def of(self, rule: Rule) -> Counter[str]:
        """What one rule takes of the quota, by address family; a prefix list of unknown weight counts once in both."""
        if rule.source.kind == "prefix_list":
            family, weight = self.weights.get(rule.source.value, ("", 1))
            return Counter(dict.fromkeys((family,) if family in FAMILIES else FAMILIES, weight))
        return Counter(KINDS[rule.source.kind])

    def taken(self, rules: Iterable[Rule]) -> Counter[str]:
        total: Counter[str] = Counter()
        for rule in rules:
            total.update(self.of(rule))
        return total

    def fits(self, rules: Iterable[Rule]) -> bool:
        return all(number <= self.rules for number in self.taken(rules).values())


def fitted(draft: Plan, current: State, limits: Limits, allow_gap: bool) -> Plan:
    """The plan with additions that fit; raises SecurityGroupsError where they cannot."""
    findings: list[str] = []
    changes: list[Change] = []
    revokes = {
        (change.key, change.direction): change for change in draft.of(Revoke.phase) if isinstance(change, Revoke)
    }
    start = Plan(draft.of("create")).after(current)
    for change in draft.changes:
        if isinstance(change, Authorize):
            revoked = revokes.get((change.key, change.direction))
            findings += _not_there(change, limits)
            parts = _direction(start[change.key], change, revoked, limits, allow_gap, findings)
            revokes.pop((change.key, change.direction), None)
            changes += parts
        elif change.phase != Revoke.phase:
            changes.append(change)
    if findings:
        raise SecurityGroupsError("\n".join(findings))
    return ordered([*changes, *revokes.values()])


def _not_there(change: Authorize, limits: Limits) -> Iterator[str]:
    for rule in sorted(change.rules):
        if rule.source.value in limits.missing:
            yield (
                f"{change.name} {change.direction}: {rule.traffic} with {rule.source}: there is no such prefix list in "
                "this account and region"
            )


def _direction(
    group: Group, change: Authorize, revoked: Revoke | None, limits: Limits, allow_gap: bool, findings: list[str]
) -> Iterator[Change]:
    """One direction of a group: what is added beside the old rules, swapped with them, or added after them."""
    there, gone = group.rules(change.direction), dict(revoked.rules) if revoked else {}
    final = {**without(there, gone), **change.rules}
    if not limits.fits(final):
        findings.append(_too_many(change, there, final, limits))
        return
    if limits.fits([*there, *change.rules]):
        yield from (change, *([revoked] if revoked else []))
        return
    beside, late = _beside(there, change.rules, gone, limits)
    pairs = _pairs(late, gone, limits)
    left = without(late, [new for _old, new, _text in pairs])
    if left and not allow_gap:
        findings.append(_no_room(change, there, left, limits))
    if beside:
        yield Authorize(change.name, change.direction, beside)
    if pairs:
        yield Swap(change.name, change.direction, tuple(pairs))
    swapped = [old for old, _new, _text in pairs]
    kept = without(gone, swapped)
    first: Rules = {}
    if left:
        first = _first_to_go([*without(there, swapped), *change.rules], kept, final, limits)
        yield Gap(change.name, change.direction, first, left)
    if len(kept) > len(first):
        yield Revoke(change.name, change.direction, without(kept, first))


def _first_to_go(crowd: list[Rule], gone: Rules, final: Rules, limits: Limits) -> dict[Rule, str]:
    """As few of the rules that go as make room, of a crowd that is too large; those that nothing replaces first."""
    chosen: list[Rule] = []
    for rule in sorted(gone, key=lambda rule: (any(coverage.common([rule], final)), rule)):
        if not limits.fits(without(dict.fromkeys(crowd, ""), chosen)):
            chosen.append(rule)
    for rule in list(chosen):
        fewer = [other for other in chosen if other != rule]
        if limits.fits(without(dict.fromkeys(crowd, ""), fewer)):
            chosen = fewer
    return {rule: gone[rule] for rule in chosen}


def _beside(there: Rules, added: Rules, gone: Rules, limits: Limits) -> tuple[dict[Rule, str], dict[Rule, str]]:
    """What can be added beside all the old rules, and what cannot; what no old rule can become comes first."""
    partners = Counter(TYPES[rule.source.kind] for rule in gone)
    waiting: list[Rule] = []
    alone: list[Rule] = []
    for rule in sorted(added):
        kind = TYPES[rule.source.kind]
        (waiting if partners[kind] > 0 else alone).append(rule)
        partners[kind] -= 1
    beside: dict[Rule, str] = {}
    late: dict[Rule, str] = {}
    for rule in [*alone, *waiting]:
        fits = limits.fits([*there, *beside, rule])
        (beside if fits else late)[rule] = added[rule]
    return beside, late


def _pairs(late: Rules, gone: Rules, limits: Limits) -> list[tuple[Rule, Rule, str]]:
    """Which old rule becomes which new one: of the same type of source, and no lighter than it."""
    free = sorted(gone)
    pairs = []
    for new, text in sorted(late.items()):
        partners = [old for old in free if _swappable(old, new, limits)]
        if partners:
            old = max(partners, key=lambda rule: (rule.source == new.source, rule.protocol == new.protocol))
            free.remove(old)
            pairs.append((old, new, text))
    return pairs


def _swappable(old: Rule, new: Rule, limits: Limits) -> bool:
    weight = limits.of(old)
    same = TYPES[old.source.kind] == TYPES[new.source.kind]
    return same and all(weight[family] >= number for family, number in limits.of(new).items())


def _numbers(rules: Iterable[Rule], limits: Limits) -> str:
    taken = limits.taken(rules)
    return " and ".join(f"{taken[family]} {family} rules" for family in FAMILIES if taken[family] > limits.rules)


def _too_many(change: Authorize, there: Rules, final: Rules, limits: Limits) -> str:
    return (
        f"{change.name} {change.direction}: would have {_numbers(final, limits)}, and the quota is {limits.rules} "
        f"({limits.origin}): {len(there)} are there, {len(change.rules)} are to be added; have the quota raised, "
        "or declare fewer rules"
    )


def _no_room(change: Authorize, there: Rules, left: Rules, limits: Limits) -> str:
    kinds = ", ".join(sorted({TYPES[rule.source.kind] for rule in left}))
    return (
        f"{change.name} {change.direction}: old and new rules do not fit side by side: together "
        f"{_numbers([*there, *change.rules], limits)}, and the quota is {limits.rules} ({limits.origin}); "
        f"{len(left)} of the new ones ({kinds}) cannot replace an old one in place, which works between sources of "
        "one type: have the quota raised, or give allow_gap: true to remove before adding"
    )
