# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the declaration of a network, or between it and what is there: sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._network.entries import PUBLIC, Entry, Network
from ansible_collections.gatehouse.platform.plugins.module_utils._network.found import OWNER_TAG, Found, Resource
from ansible_collections.gatehouse.platform.plugins.module_utils._network.removal import KINDS

PLATFORM = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")
BUCKET = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9.-]{3,63}(/.*)?")


def of_declaration(declared: Mapping[str, Any]) -> Iterator[str]:
    """What can be known without looking at the account."""
    if not PLATFORM.fullmatch(str(declared["platform"])):
        yield f"network_platform is '{declared['platform']}'; a name of small letters, digits and hyphens is needed"
    if declared["vpc_id"] and declared["use_default"]:
        yield "network_vpc_id and network_use_default exclude each other; leave one of them out"
    if declared["flow_logs"] and not BUCKET.fullmatch(str(declared["flow_logs"])):
        yield f"network_flow_logs '{declared['flow_logs']}': is no ARN of a bucket like arn:aws:s3:::logs"
    if (declared["vpc_id"] or declared["use_default"]) and (declared["s3_endpoint"] or declared["flow_logs"]):
        yield "network_s3_endpoint and network_flow_logs: nothing is made in a VPC that is only used; leave them out"
    if not declared["tiers"]:
        yield "network_tiers is empty; say one at least, as public"
    for tier in declared["tiers"]:
        if not PLATFORM.fullmatch(str(tier)) or tier in ("nat", "internet", "vpc", "s3"):
            yield f"network_tiers '{tier}': is no name that a tier can have"


def of_given_subnets(declared: Mapping[str, Any], zones: Collection[str]) -> Iterator[str]:
    """About ``network_subnets``."""
    seen: set[tuple[str, str]] = set()
    for index, given in enumerate(declared["subnets"]):
        place = f"network_subnets[{index}]"
        if given["tier"] not in declared["tiers"]:
            yield f"{place}: the tier '{given['tier']}' is not in network_tiers"
        if given["zone"] not in zones:
            yield f"{place}: the zone '{given['zone']}' is not one of the network's: {', '.join(zones)}"
        if (given["tier"], given["zone"]) in seen:
            yield f"{place}: there is another one for {given['tier']} in {given['zone']}"
        seen.add((given["tier"], given["zone"]))


def of_account(network: Network, entries: Iterable[Entry]) -> Iterator[str]:
    """What is there and in the way, before anything is changed."""
    platform, found = network.platform, network.found
    vpcs = found.owned("vpc", platform)
    if len(vpcs) > 1:
        yield f"{', '.join(map(str, vpcs))} all carry the tag of {platform}; remove the tag from all but one"
    yield from _fixed(network)
    for entry in entries:
        for resource in found.of(entry["kind"]):
            if resource.name == entry["name"] and not resource.owned_by(platform):
                yield stranger(resource, platform)
    for gateway in found.of("gateway") if network.has_public and network.vpc_id else ():
        attached = any(item.get("vpc_id") == network.vpc_id for item in gateway.told.get("attachments") or ())
        if attached and not gateway.owned_by(platform):
            yield f"{network.vpc_id} has the Internet gateway {gateway}, which does not carry the tag of {platform}"


def stranger(resource: Resource, platform: str) -> str:
    """About a resource that has a name of the platform's and not its tag."""
    owner = resource.tags.get(OWNER_TAG)
    whose = f"belongs to the platform {owner}" if owner else f"does not carry the tag {OWNER_TAG}: {platform}"
    return f"the {KINDS[resource.kind]} {resource} is there and {whose}; it is left alone, so rename or remove it"


def _fixed(network: Network) -> Iterator[str]:
    """What AWS cannot change."""
    vpc, cidr = network.vpc, network.declared["cidr"]
    if vpc and vpc.told.get("cidr_block", cidr) != cidr:
        yield f"network_cidr is {cidr}, and {vpc} has {vpc.told['cidr_block']}, which cannot be changed"
    for index, given in enumerate(network.declared["subnets"]):
        name = network.named(given["tier"], network.suffix(given["zone"]))
        there = network.resource("subnet", name)
        if not there:
            yield from (f"network_subnets[{index}]: {told}" for told in _in_the_way(network, given["cidr"]))
        elif there.told["cidr_block"] != given["cidr"]:
            yield (
                f"network_subnets[{index}]: {there} has {there.told['cidr_block']}, which cannot be changed to "
                f"{given['cidr']}"
            )


def _in_the_way(network: Network, cidr: str) -> Iterator[str]:
    """Subnets of the VPC that a block overlaps, besides those that are declared as well."""
    try:
        block = IPv4Network(cidr)
    except ValueError:
        # What is no block is told by the layout.
        return
    declared = {
        network.named(str(tier), network.suffix(z)) for tier in network.declared["tiers"] for z in network.zones
    }
    for subnet in network.found.of("subnet"):
        taken = subnet.told["cidr_block"]
        if subnet.name not in declared and block.overlaps(IPv4Network(taken)):
            yield f"{cidr} overlaps {taken}, which {subnet} has in this VPC; give a block that is free"


def of_used_vpc(
    declared: Mapping[str, Any], found: Found, subnets: Mapping[str, Collection[Mapping[str, str]]]
) -> Iterator[str]:
    """About a VPC that is used and not made; ``subnets`` are there by tier."""
    if not found.of("vpc"):
        wanted = f"network_vpc_id '{declared['vpc_id']}': there is no such VPC" if declared["vpc_id"] else ""
        yield (
            wanted + " in this region and account" if wanted else "network_use_default: the account has no default VPC"
        )
        return
    for tier in declared["tiers"]:
        if tier in (PUBLIC, "private") and not subnets.get(tier):
            yield (
                f"{found.of('vpc')[0]} has no {tier} subnet in the zones that are asked for; "
                f"take '{tier}' out of network_tiers, or use another VPC"
            )
    there = [one for known in subnets.values() for one in known]
    yield from of_given_subnets(declared, declared["zones"] or sorted({one["zone"] for one in there}))
    for index, given in enumerate(declared["subnets"]):
        blocks = [one["cidr"] for one in subnets.get(given["tier"]) or () if one["zone"] == given["zone"]]
        if blocks and given["cidr"] not in blocks:
            yield (
                f"network_subnets[{index}]: {found.of('vpc')[0]} has no {given['tier']} subnet {given['cidr']} in "
                f"{given['zone']}; say which one of {', '.join(blocks)} it is"
            )
