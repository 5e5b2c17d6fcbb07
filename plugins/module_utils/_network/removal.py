# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the platform is there and not declared (any more), by kind, and what keeps a VPC from being removed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._network.found import Found, Resource

# In this order they can be removed. What a platform has of these kinds for other purposes has other names.
KINDS = {
    "stack": "stack with flow logs",
    "nat_gateway": "NAT gateway",
    "address": "Elastic IP",
    "endpoint": "endpoint",
    "table": "route table",
    "subnet": "subnet",
    "gateway": "Internet gateway",
    "vpc": "VPC",
}


def removal(found: Found, platform: str, kept: Collection[tuple[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """Entries by kind for all that carries the platform's tag and is not ``kept``, as pairs of kind and name."""
    gone: dict[str, list[dict[str, Any]]] = {}
    for kind, noun in KINDS.items():
        gone[kind] = [
            {**_ids(resource), "words": f"{noun} {resource}"}
            for resource in _ours(found, platform, kind)
            if (kind, resource.name) not in kept
        ]
    return gone


def obstacles(found: Found, platform: str, vpcs: Collection[str], subnets: Collection[str]) -> Iterator[str]:
    """What lies in these VPCs and is not the platform's: nothing of it is removed here, so the VPC cannot be."""
    for kind, noun in (("subnet", "subnet"), ("table", "route table"), ("endpoint", "endpoint"), ("group", "group")):
        for resource in found.of(kind):
            if resource.told.get("vpc_id") in vpcs and _foreign(resource, platform):
                yield (
                    f"{resource.told['vpc_id']} holds the {noun} {resource}, which does not carry the tag of "
                    f"{platform}; remove it first"
                )
    for resource in interfaces(found, subnets):
        yield f"{resource.told.get('subnet_id')} is in use by {_user(resource)}; remove that first"


def _foreign(resource: Resource, platform: str) -> bool:
    going = resource.told.get("state") in ("deleted", "deleting")
    return not (resource.owned_by(platform) or _of_vpc(resource) or going)


def interfaces(found: Found, subnets: Collection[str]) -> list[Resource]:
    """Network interfaces in these subnets, those of NAT gateways aside."""
    addresses = [
        address for gateway in found.of("nat_gateway") for address in gateway.told.get("nat_gateway_addresses") or ()
    ]
    own = {address.get("network_interface_id") for address in addresses}
    return [item for item in found.of("interface") if item.told.get("subnet_id") in subnets and item.id not in own]


def _ours(found: Found, platform: str, kind: str) -> list[Resource]:
    ours = found.owned(kind, platform)
    if kind == "address":
        return [resource for resource in ours if resource.name.startswith(f"{platform}-nat-")]
    if kind == "stack":
        return [resource for resource in ours if resource.id == f"{platform}-flow-logs"]
    if kind == "table":
        return [resource for resource in ours if not _of_vpc(resource)]
    return ours


def _of_vpc(resource: Resource) -> bool:
    """Whether it goes with its VPC: the main route table, the group called default."""
    if resource.kind == "group":
        return bool(resource.told.get("group_name") == "default")
    return any(item.get("main") for item in resource.told.get("associations") or ())


def _ids(resource: Resource) -> Mapping[str, Any]:
    told = resource.told
    return {
        "id": resource.id,
        "name": resource.name,
        "vpc_id": str(told.get("vpc_id") or ""),
        "cidr": str(told.get("cidr_block") or ""),
        "public_ip": str(told.get("public_ip") or ""),
    }


def _user(interface: Resource) -> str:
    instance = (interface.told.get("attachment") or {}).get("instance_id")
    described = interface.told.get("description")
    return f"{instance} ({interface.id})" if instance else f"{interface.id}" + (f" ({described})" if described else "")
