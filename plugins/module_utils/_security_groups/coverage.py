# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether rules together let traffic through; pure.

Several rules may cover what none covers alone: neighboring ports, or the halves of a CIDR. Groups
and prefix lists are taken as they are named, since nobody knows the addresses behind them: only the
same name covers them.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    ALL_TRAFFIC,
    WITH_PORTS,
    WITH_TYPES,
    Rule,
    Source,
)

ADDRESSES = ("ipv4", "ipv6")


@dataclass(frozen=True, order=True)
class Span:
    """Whole numbers from ``first`` to ``last``, both included."""

    first: int
    last: int

    def overlap(self, other: Span) -> Span | None:
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Span(first, last) if first <= last else None


@dataclass(frozen=True)
class Traffic:
    """One protocol, a span of ports (or of ICMP's 256 times type plus code), and one other end.

    ``addresses`` is set for CIDRs alone.
    """

    protocol: str
    ports: Span
    source: Source
    addresses: Span | None


def traffic(rule: Rule) -> Traffic:
    """What one rule lets through."""
    other = rule.source
    return Traffic(rule.protocol, _ports(rule), other, _addresses(other) if other.kind in ADDRESSES else None)


def _ports(rule: Rule) -> Span:
    if rule.protocol in WITH_PORTS:
        return Span(rule.first, rule.last)
    if rule.protocol in WITH_TYPES and rule.first >= 0:
        code = rule.last
        return Span(256 * rule.first + max(code, 0), 256 * rule.first + (255 if code < 0 else code))
    return Span(0, 65535)


def _addresses(other: Source) -> Span:
    network = ipaddress.ip_network(other.value)
    return Span(int(network.network_address), int(network.broadcast_address))


def covered(wanted: Traffic, rules: Iterable[Rule]) -> bool:
    """Whether the rules together let all of this traffic through."""
    helpful = [given for given in map(traffic, rules) if _same_way(wanted, given) and wanted.ports.overlap(given.ports)]
    return all(
        _reached(wanted, [given for given in helpful if given.ports.first <= part.first <= given.ports.last])
        for part in _parts(wanted.ports, [given.ports for given in helpful])
    )


def _same_way(wanted: Traffic, given: Traffic) -> bool:
    """Whether a rule can let through a part of the traffic, as far as protocol and kind of source say."""
    if given.protocol not in (wanted.protocol, ALL_TRAFFIC):
        return False
    return given.source.kind == wanted.source.kind if wanted.addresses else given.source == wanted.source


def _parts(whole: Span, others: Iterable[Span]) -> Iterator[Span]:
    """The whole, cut wherever one of the others begins or ends: each part is inside or outside of each of them."""
    cuts = {whole.first, whole.last + 1}
    for other in others:
        cuts |= {cut for cut in (other.first, other.last + 1) if whole.first < cut <= whole.last}
    ordered = sorted(cuts)
    for first, following in itertools.pairwise(ordered):
        yield Span(first, following - 1)


def _reached(wanted: Traffic, given: list[Traffic]) -> bool:
    """Whether the sources of these rules together hold the wanted one."""
    if wanted.addresses is None:
        return bool(given)
    missing = wanted.addresses.first
    for span in sorted(item.addresses for item in given if item.addresses):
        if span.first > missing:
            break
        missing = max(missing, span.last + 1)
    return missing > wanted.addresses.last


def common(before: Iterable[Rule], after: Iterable[Rule]) -> Iterator[Traffic]:
    """What both let through."""
    later = [traffic(rule) for rule in after]
    for rule in before:
        one = traffic(rule)
        for other in later:
            both = _both(one, other)
            if both:
                yield both


def _both(one: Traffic, other: Traffic) -> Traffic | None:
    if one.protocol != other.protocol and ALL_TRAFFIC not in (one.protocol, other.protocol):
        return None
    ports = one.ports.overlap(other.ports)
    narrower = _narrower(one, other)
    if not ports or not narrower:
        return None
    named = other.protocol if one.protocol == ALL_TRAFFIC else one.protocol
    return Traffic(named, ports, narrower.source, narrower.addresses)


def _narrower(one: Traffic, other: Traffic) -> Traffic | None:
    """The one whose source lies within the other's: two CIDRs are nested or apart."""
    if one.addresses is None or other.addresses is None:
        return one if one.source == other.source else None
    if one.source.kind != other.source.kind:
        return None
    both = one.addresses.overlap(other.addresses)
    return next((item for item in (one, other) if item.addresses == both), None)


def cut(before: Iterable[Rule], after: Iterable[Rule], between: Iterable[Rule]) -> list[Traffic]:
    """What both before and after let through, and the rules between do not."""
    there = list(between)
    return [both for both in common(list(before), list(after)) if not covered(both, there)]
