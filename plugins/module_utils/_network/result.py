# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role returns of a network: plain data with ids. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._network.entries import (
    ANYWHERE,
    PUBLIC,
    Entry,
    Network,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._network.found import GONE, Found, Resource

# By tier, each with id, zone, cidr and name.
Subnets = dict[str, list[dict[str, str]]]
PRIVATE = "private"
NOTHING: dict[str, Any] = {
    "vpc_id": "",
    "cidr": "",
    "subnets": {PUBLIC: [], PRIVATE: []},
    "private_route_tables": [],
    "nat_addresses": [],
}


def of_made(network: Network, entries: Sequence[Entry]) -> dict[str, Any]:
    """Of a VPC that is made here; an id of what is not there is ''."""
    subnets: dict[str, list[dict[str, str]]] = {tier: [] for tier in network.declared["tiers"]}
    for entry in entries:
        if entry["kind"] == "subnet":
            subnets[entry["tier"]].append({key: entry[key] for key in ("id", "zone", "cidr", "name")})
    return {
        "vpc_id": network.vpc_id,
        "cidr": str(network.declared["cidr"]),
        "subnets": subnets,
        "private_route_tables": [entry["id"] for entry in entries if entry["kind"] == "table" and entry["private"]],
        "nat_addresses": _addresses(
            resource
            for entry in entries
            if entry["kind"] in ("nat_gateway", "address")
            for resource in [network.resource(entry["kind"], entry["name"])]
            if resource
        ),
    }


def of_used(found: Found, declared: Mapping[str, Any], there: Subnets) -> dict[str, Any]:
    """Of a VPC that is used, with the subnets that are ``there`` by tier.

    Where a block is declared for a tier in a zone, other subnets of that tier and zone do not count.
    """
    if not found.of("vpc"):
        return NOTHING
    blocks = {(given["tier"], given["zone"]): given["cidr"] for given in declared["subnets"]}
    vpc = found.of("vpc")[0]
    gateways = [gateway for gateway in found.of("nat_gateway") if gateway.told.get("state") not in GONE]
    tables = [_table_of(subnet, found) for subnet in _in_order(found, declared)]
    return {
        "vpc_id": vpc.id,
        "cidr": str(vpc.told["cidr_block"]),
        "subnets": {
            tier: [one for one in subnets if blocks.get((tier, one["zone"]), one["cidr"]) == one["cidr"]]
            for tier, subnets in there.items()
        },
        "private_route_tables": list(dict.fromkeys(table.id for table in tables if table and not _leads_out(table))),
        "nat_addresses": _addresses(gateways),
    }


def subnets_of_used(found: Found, declared: Mapping[str, Any]) -> Subnets:
    """All of the tiers and zones that are declared. One is public when its route table leads to an Internet gateway."""
    subnets: Subnets = {tier: [] for tier in declared["tiers"]}
    for subnet in _in_order(found, declared):
        table = _table_of(subnet, found)
        tier = PUBLIC if table and _leads_out(table) else PRIVATE
        if tier in subnets:
            told = {"id": subnet.id, "zone": _zone(subnet), "cidr": str(subnet.told["cidr_block"])}
            subnets[tier].append({**told, "name": subnet.name or subnet.id})
    return subnets


def _in_order(found: Found, declared: Mapping[str, Any]) -> list[Resource]:
    """The subnets of the zones that are declared, which are all where none is."""
    zones = declared["zones"]
    there = [subnet for subnet in found.of("subnet") if not zones or _zone(subnet) in zones]
    return sorted(there, key=lambda subnet: (_zone(subnet), str(subnet.told.get("cidr_block"))))


def _zone(subnet: Resource) -> str:
    return str(subnet.told.get("availability_zone") or "")


def _table_of(subnet: Resource, found: Found) -> Resource | None:
    main = None
    for table in found.of("table"):
        for association in table.told.get("associations") or ():
            if association.get("subnet_id") == subnet.id:
                return table
            if association.get("main"):
                main = table
    return main


def _leads_out(table: Resource) -> bool:
    return any(
        route.get("destination_cidr_block") == ANYWHERE and str(route.get("gateway_id") or "").startswith("igw-")
        for route in table.told.get("routes") or ()
    )


def _addresses(resources: Iterable[Resource]) -> list[str]:
    """Public addresses of NAT gateways and Elastic IPs, each once."""
    found: list[str] = []
    for resource in resources:
        told: Iterable[Mapping[str, Any]] = resource.told.get("nat_gateway_addresses") or [resource.told]
        found += [str(address["public_ip"]) for address in told if address.get("public_ip")]
    return list(dict.fromkeys(found))
