# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to be of a network: one entry for each resource, with all that its module takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._network import zones as zones_of_region
from ansible_collections.gatehouse.platform.plugins.module_utils._network.found import OWNER_TAG, Found, Resource
from ansible_collections.gatehouse.platform.plugins.module_utils._network.layout import Place

ANYWHERE = "0.0.0.0/0"
PUBLIC = "public"
# The tag of a VPC that has flow logs; its value is the stack.
FLOW_LOGS_TAG = "gatehouse:flow-logs"
Entry = dict[str, Any]
# Where a default route leads: kind, name, and words.
Target = tuple[str, str, str]


@dataclass(frozen=True)
class Network:
    """What is declared, with the zones and places that were chosen for it, and what was found."""

    declared: Mapping[str, Any]
    found: Found
    zones: Sequence[str]
    places: Sequence[Place]

    @property
    def platform(self) -> str:
        return str(self.declared["platform"])

    def named(self, *parts: str) -> str:
        return "-".join([self.platform, *parts])

    def suffix(self, zone: str) -> str:
        return zones_of_region.suffix(zone, self.found.zones)

    def tags(self, kind: str, name: str) -> dict[str, str]:
        own = {str(key): str(value) for key, value in (self.declared.get("tags") or {}).items()}
        logged = kind == "vpc" and self.declared.get("flow_logs")
        return {**own, "Name": name, OWNER_TAG: self.platform} | (
            {FLOW_LOGS_TAG: self.named("flow-logs")} if logged else {}
        )

    def resource(self, kind: str, name: str) -> Resource | None:
        return self.found.named(kind, name, self.platform)

    def id_of(self, kind: str, name: str) -> str:
        resource = self.resource(kind, name)
        return resource.id if resource else ""

    @property
    def vpc(self) -> Resource | None:
        """The one that carries the platform's tag, whatever its name."""
        return self.found.made.get(("vpc", self.named("vpc"))) or next(
            iter(self.found.owned("vpc", self.platform)), None
        )

    @property
    def vpc_id(self) -> str:
        return self.vpc.id if self.vpc else ""

    def subnet_name(self, place: Place) -> str:
        return self.named(place.tier, self.suffix(place.zone))

    @property
    def has_public(self) -> bool:
        return any(place.tier == PUBLIC for place in self.places)

    @property
    def private_zones(self) -> list[str]:
        with_private = {place.zone for place in self.places if place.tier != PUBLIC}
        return [zone for zone in self.zones if zone in with_private]

    @property
    def nat_zones(self) -> list[str]:
        """Zones with a NAT gateway; the only one stays where it is."""
        zones = self.private_zones if self.has_public else []
        if self.declared["nat"] == "none" or not zones:
            return []
        if self.declared["nat"] == "per_zone":
            return zones
        there = [zone for zone in zones if self.resource("nat_gateway", self.nat_name(zone))]
        return (there or zones)[:1]

    def nat_name(self, zone: str) -> str:
        return self.named("nat", self.suffix(zone))


def entry(network: Network, kind: str, name: str, words: str, wrong: bool, ready: bool, **others: Any) -> Entry:
    """An entry; ``wrong`` says that an existing resource is not as declared, tags aside."""
    resource = network.resource(kind, name) if kind != "vpc" else network.vpc
    tags = network.tags(kind, name)
    # A resource that this run made has its tags.
    untagged = resource is not None and any(resource.tags.get(key) != value for key, value in tags.items())
    return {
        "kind": kind,
        "name": name,
        "words": words,
        "id": resource.id if resource else "",
        "tags": tags,
        "change": resource is None or wrong or untagged,
        "ready": ready,
        **others,
    }


def entries(network: Network) -> Iterator[Entry]:
    """All entries, in the order in which they are made."""
    yield _vpc(network)
    yield from (_subnet(network, place) for place in network.places)
    if network.has_public:
        yield _gateway(network)
    for zone in network.nat_zones:
        yield _address(network, zone)
        yield _nat_gateway(network, zone)
    yield from _tables(network)
    if network.declared.get("s3_endpoint"):
        yield from (_endpoint(network, zone) for zone in network.private_zones)
    if network.declared.get("flow_logs"):
        yield _flow_logs(network)


def _vpc(network: Network) -> Entry:
    name, cidr = network.named("vpc"), str(network.declared["cidr"])
    told = network.vpc.told if network.vpc else {}
    # What ec2_vpc_net returns of a VPC that it made lacks these two; it has set them.
    wrong = not all(told.get(key, True) for key in ("enable_dns_support", "enable_dns_hostnames"))
    return entry(network, "vpc", name, f"VPC {name} {cidr}", wrong, True, cidr=cidr)


def _subnet(network: Network, place: Place) -> Entry:
    name, public = network.subnet_name(place), place.tier == PUBLIC
    resource = network.resource("subnet", name)
    wrong = resource is not None and bool(resource.told.get("map_public_ip_on_launch", public)) != public
    words = f"subnet {name} {place.network} in {place.zone}"
    others = {"cidr": str(place.network), "zone": place.zone, "tier": place.tier, "public": public}
    return entry(network, "subnet", name, words, wrong, bool(network.vpc_id), **others)


def _gateway(network: Network) -> Entry:
    name = network.named("internet")
    resource = network.resource("gateway", name)
    attached = resource is not None and _attached(resource, network.vpc_id)
    return entry(
        network,
        "gateway",
        name,
        f"Internet gateway {name}",
        not attached and resource is not None,
        bool(network.vpc_id),
    )


def _attached(gateway: Resource, vpc_id: str) -> bool:
    """Told as attachments by the module that lists gateways, as vpc_id by the one that makes them."""
    if "attachments" in gateway.told:
        return any(attachment.get("vpc_id") == vpc_id for attachment in gateway.told["attachments"])
    return bool(gateway.told.get("vpc_id") == vpc_id)


def _address(network: Network, zone: str) -> Entry:
    name = network.nat_name(zone)
    found = entry(network, "address", name, f"Elastic IP {name}", False, True)
    resource = network.resource("address", name)
    gateway = network.resource("nat_gateway", name)
    # A NAT gateway that works has an address, whatever happened to the address's name.
    used = gateway is not None and resource is None
    return {**found, "change": found["change"] and not used, "public_ip": _ip(resource)}


def _ip(address: Resource | None) -> str:
    return str(address.told.get("public_ip") or "") if address else ""


def _nat_gateway(network: Network, zone: str) -> Entry:
    name, subnet = network.nat_name(zone), network.named(PUBLIC, network.suffix(zone))
    subnet_id, address = network.id_of("subnet", subnet), network.id_of("address", name)
    gateway = network.resource("nat_gateway", name)
    if gateway is not None:
        own = gateway.told.get("nat_gateway_addresses") or [{}]
        address, subnet_id = (
            str(own[0].get("allocation_id") or address),
            str(gateway.told.get("subnet_id") or subnet_id),
        )
    words = f"NAT gateway {name} in {subnet}"
    others = {"subnet_id": subnet_id, "allocation_id": address}
    return entry(network, "nat_gateway", name, words, False, bool(subnet_id and address), **others)


def _tables(network: Network) -> Iterator[Entry]:
    if network.has_public:
        gateway = network.named("internet")
        target: Target | None = ("gateway", gateway, f"the Internet gateway {gateway}")
        yield _table(network, network.named(PUBLIC), [p for p in network.places if p.tier == PUBLIC], target, False)
    for zone in network.private_zones:
        places = [place for place in network.places if place.zone == zone and place.tier != PUBLIC]
        nat_zone = zone if zone in network.nat_zones else next(iter(network.nat_zones), "")
        nat = network.nat_name(nat_zone)
        target = ("nat_gateway", nat, f"the NAT gateway {nat}") if nat_zone else None
        yield _table(network, table_name(network, zone), places, target, True)


def table_name(network: Network, zone: str) -> str:
    """The route table of a zone's private subnets."""
    return network.named("private", network.suffix(zone))


def _table(network: Network, name: str, places: Iterable[Place], target: Target | None, private: bool) -> Entry:
    subnets = [network.id_of("subnet", network.subnet_name(place)) for place in places]
    target_id = network.id_of(target[0], target[1]) if target else ""
    resource = network.resource("table", name)
    strayed = resource is not None and not set(subnets) <= _associated(resource)
    route = _default_route(resource)
    # A route that is no longer declared is removed when that is asked for.
    purged = target is None and bool(route) and bool(network.declared.get("purge"))
    misled = target is not None and (not target_id or route != target_id)
    words = f"route table {name} with a route to {target[2]}" if target else f"route table {name}"
    ready = bool(network.vpc_id) and all(subnets) and bool(target_id or not target)
    others = {
        "subnets": subnets,
        "routes": [{"dest": ANYWHERE, "gateway_id": target_id}] if target else _kept(resource) if purged else [],
        "purge_routes": purged,
        "moved": any(other in subnets for other in _elsewhere(network, resource)),
        "private": private,
    }
    return entry(network, "table", name, words, strayed or (resource is not None and misled) or purged, ready, **others)


def _associated(table: Resource) -> set[str]:
    return {str(item["subnet_id"]) for item in table.told.get("associations") or () if item.get("subnet_id")}


def _elsewhere(network: Network, table: Resource | None) -> Iterator[str]:
    """Subnets that are associated with another table than this one."""
    for other in network.found.of("table"):
        if table is None or other.id != table.id:
            yield from _associated(other)


def _default_route(table: Resource | None) -> str:
    for route in (table.told.get("routes") or ()) if table else ():
        if route.get("destination_cidr_block") == ANYWHERE:
            target = route.get("nat_gateway_id") or route.get("gateway_id") or route.get("network_interface_id")
            return str(target or "another")
    return ""


def _kept(table: Resource | None) -> list[dict[str, str]]:
    """All routes but the default one, so that the module leaves them alone; the destination alone identifies them."""
    told = (table.told.get("routes") or ()) if table else ()
    blocks = [route.get("destination_cidr_block") for route in told if route.get("origin") == "CreateRoute"]
    return [{"dest": block} for block in blocks if block and block != ANYWHERE]


def _endpoint(network: Network, zone: str) -> Entry:
    name, table = network.named("s3", network.suffix(zone)), table_name(network, zone)
    table_id = network.id_of("table", table)
    words = f"S3 gateway endpoint {name} for {table}"
    region = next((str(told["region_name"]) for told in network.found.zones if told["zone_name"] == zone), "")
    others = {"table_id": table_id, "service": f"com.amazonaws.{region}.s3"}
    return entry(network, "endpoint", name, words, False, bool(network.vpc_id and table_id), **others)


def _flow_logs(network: Network) -> Entry:
    """A stack, because no module makes flow logs."""
    name, bucket = network.named("flow-logs"), str(network.declared["flow_logs"])
    parameters = {"Vpc": network.vpc_id, "Bucket": bucket}
    stack = network.resource("stack", name)
    told = (
        {item["parameter_key"]: item["parameter_value"] for item in stack.told.get("parameters") or ()} if stack else {}
    )
    others = {"parameters": parameters}
    words = f"flow logs of the VPC to {bucket}"
    return entry(network, "stack", name, words, told != parameters, bool(network.vpc_id), **others)
