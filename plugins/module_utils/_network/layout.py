# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a VPC's addresses are divided into subnets. Pure.

Sizes: a VPC and a subnet have prefixes of 16 to 28 (EC2 User Guide, "IP addressing for your VPCs and subnets"), and a
load balancer wants subnets of at least /27 (Elastic Load Balancing, "Subnets for your load balancer").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

LONGEST_PREFIX, SHORTEST_PREFIX = 28, 16
# A sixteenth of the VPC each, as AWS divides a default VPC, as long as a load balancer may stand in it.
SHARE, LOAD_BALANCER_PREFIX = 4, 27


class LayoutError(ValueError):
    """Subnets that cannot be; ``findings`` are sentences, and ``str()`` has them all."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__("; ".join(findings))
        self.findings = list(findings)


@dataclass(frozen=True)
class Place:
    """One subnet to be: its tier and zone, and its addresses."""

    tier: str
    zone: str
    network: IPv4Network


def subnet_layout(
    cidr: str,
    zones: Sequence[str],
    tiers: Sequence[str],
    prefix: int = 0,
    given: Mapping[tuple[str, str], str] | None = None,
    reserved: Iterable[str] = (),
) -> list[Place]:
    """A block for each tier of each zone, tier by tier; raises LayoutError.

    ``given`` are blocks, by tier and zone, that stay what they are. The others, one zone after another, take the first
    blocks that are free of those and of the ``reserved`` ones. So a zone at the end moves nothing, and neither does any
    other change once the blocks are given. ``prefix`` is the subnets' size; 0 derives it from the VPC's alone.
    """
    told: list[str] = []
    whole = network(cidr, "the VPC's block")
    fixed = _fixed(given or {}, told)
    taken = [*fixed.values(), *(IPv4Network(value) for value in reserved)]
    told += [*_outside(whole, fixed), *_overlapping(fixed)]
    length = prefix or subnet_prefix(whole)
    missing = [(tier, zone) for zone in zones for tier in tiers if (tier, zone) not in (given or {})]
    free = list(_free(whole, length, taken, len(missing)))
    if len(free) < len(missing):
        told.append(_too_small(whole, length, len(zones), len(tiers), len(free) + len(fixed)))
    if told:
        raise LayoutError(told)
    places = {**fixed, **dict(zip(missing, free, strict=True))}
    return [Place(tier, zone, places[tier, zone]) for tier in tiers for zone in zones]


def network(cidr: str, what: str) -> IPv4Network:
    """The block; raises LayoutError for what is none, or none that a VPC or subnet can have."""
    try:
        found = IPv4Network(str(cidr), strict=False)
    except ValueError as error:
        raise LayoutError([f"{what}, '{cidr}', is no IPv4 network like 10.0.0.0/16"]) from error
    if "/" not in str(cidr) or not SHORTEST_PREFIX <= found.prefixlen <= LONGEST_PREFIX:
        raise LayoutError([f"{what}, '{cidr}', needs a prefix of /{SHORTEST_PREFIX} to /{LONGEST_PREFIX}"])
    if str(found.network_address) != str(cidr).partition("/")[0]:
        raise LayoutError([f"{what}, '{cidr}', is an address in {found}; say {found}"])
    return found


def subnet_prefix(whole: IPv4Network) -> int:
    """The size of subnets in such a VPC: it depends on nothing else, so that subnets can be added later."""
    return max(whole.prefixlen, min(whole.prefixlen + SHARE, LOAD_BALANCER_PREFIX))


def _fixed(given: Mapping[tuple[str, str], str], told: list[str]) -> dict[tuple[str, str], IPv4Network]:
    read = {(tier, zone): _read(cidr, f"the subnet for {tier} in {zone}", told) for (tier, zone), cidr in given.items()}
    return {key: block for key, block in read.items() if block}


def _read(cidr: str, what: str, told: list[str]) -> IPv4Network | None:
    try:
        return network(cidr, what)
    except LayoutError as error:
        told += error.findings
        return None


def _free(whole: IPv4Network, length: int, taken: Iterable[IPv4Network], number: int) -> Iterator[IPv4Network]:
    if length < whole.prefixlen:
        return
    occupied = list(taken)
    for block in whole.subnets(new_prefix=length):
        if number == 0:
            return
        if not any(block.overlaps(other) for other in occupied):
            number -= 1
            yield block


def _outside(whole: IPv4Network, fixed: Mapping[tuple[str, str], IPv4Network]) -> Iterator[str]:
    for (tier, zone), block in fixed.items():
        if not block.subnet_of(whole):
            yield f"the subnet for {tier} in {zone}, {block}, is not inside of the VPC's {whole}"


def _overlapping(fixed: Mapping[tuple[str, str], IPv4Network]) -> Iterator[str]:
    entries = list(fixed.items())
    for index, ((tier, zone), block) in enumerate(entries):
        for (other_tier, other_zone), other in entries[:index]:
            if block.overlaps(other):
                yield (
                    f"the subnet for {tier} in {zone}, {block}, overlaps that for {other_tier} in {other_zone}, {other}"
                )


def _too_small(whole: IPv4Network, length: int, zones: int, tiers: int, room: int) -> str:
    needed = zones * tiers
    return (
        f"{whole} is too small: {zones} zone{'s' * (zones != 1)} with {tiers} tier{'s' * (tiers != 1)} need {needed} "
        f"subnets of /{length}, and there is room for {room}; take a larger block, fewer zones, or smaller subnets"
    )
