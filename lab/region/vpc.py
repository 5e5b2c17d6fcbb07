# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VPCs: a router each, in a network namespace of its own, linked to whatever is in its subnets and to the region's.

As on AWS no packet goes from one interface to another but through the VPC, within a subnet as well: the router answers
for the neighbors of whoever asks. So all that security groups say is decided there (``firewall.py``). A NAT gateway is
a host of its subnet that passes on what is sent to it under its own address. What has no route is refused, where AWS
is silent.

https://docs.aws.amazon.com/vpc/latest/userguide/how-it-works.html
https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.region.namespaces import Wiring
from lab.region.place import Place
from lab.region.state import Interface, Route, RouteTable, State, Subnet, Vpc
from lab.region.vpc_rules import METADATA, NAT_RULES, REGION_END, RESOLVER, region_rules, vpc_rules

VPC_END = "169.254.0.2"
# What the rules of routing look at after the VPC's own ranges.
PRIORITY = 40000


def wanted(place: Place, state: State) -> dict[str, Wiring]:
    """Namespace → what is to be in it."""
    subnets = {subnet.id: subnet for subnet in state.subnets}
    found = {place.namespace: Wiring(tuple(region_lines(place, state)), region_rules(place))}
    for vpc in state.vpcs:
        rules = vpc_rules(vpc, public_interfaces(state, vpc))
        found[place.namespace_of(vpc.id)] = Wiring(tuple(vpc_lines(place, state, vpc)), rules)
    nats = {nat.id for nat in state.nat_gateways}
    for port in plugged(state):
        nat = port.owner in nats
        lines = tuple(port_lines(port, subnets[port.subnet]))
        found[place.namespace_of(str(port.owner))] = Wiring(lines, NAT_RULES if nat else "", router=nat)
    return found


def region_lines(place: Place, state: State) -> Iterator[tuple[str, str]]:
    """The region's side: a link per VPC, and where each public address is."""
    links = link_addresses(place, state)
    for vpc in state.vpcs:
        link = short("r", vpc.id)
        peer = f"peer name uplink netns {place.namespace_of(vpc.id)}"
        yield f"link add {link} type veth {peer}", f"link delete {link}"
        yield f"address replace {REGION_END}/32 dev {link}", f"address delete {REGION_END}/32 dev {link}"
        yield f"link set {link} up", f"link set {link} down"
        back = f"{links[vpc.id]}/32 via {VPC_END} dev {link} onlink"
        yield f"route replace {back}", f"route delete {back}"
        for interface in public_interfaces(state, vpc):
            route = f"{interface.public}/32 via {VPC_END} dev {link} onlink"
            yield f"route replace {route}", f"route delete {route}"


def vpc_lines(place: Place, state: State, vpc: Vpc) -> Iterator[tuple[str, str]]:
    """The router of a VPC."""
    yield f"address replace {VPC_END}/32 dev uplink", f"address delete {VPC_END}/32 dev uplink"
    yield "link set uplink up", "link set uplink down"
    own = link_addresses(place, state)[vpc.id]
    yield f"address replace {own}/32 dev uplink", f"address delete {own}/32 dev uplink"
    names = f"{REGION_END}/32 dev uplink src {own}"
    yield f"route replace {names}", f"route delete {names}"
    for address in (METADATA, RESOLVER, vpc.resolver):
        yield f"address replace {address}/32 dev lo", f"address delete {address}/32 dev lo"
    for network in vpc.ranges:
        # Addresses that no subnet has must not leave the VPC.
        yield f"route replace unreachable {network}", f"route delete unreachable {network}"
    subnets = [subnet for subnet in state.subnets if subnet.vpc == vpc.id]
    for subnet in subnets:
        yield from subnet_lines(subnet)
        for interface in plugged(state):
            if interface.subnet == subnet.id:
                yield from plug_lines(place, interface, subnet)
    for subnet in subnets:
        for route in table_of(state, subnet).routes:
            yield from route_lines(state, subnet, route)


def link_addresses(place: Place, state: State) -> dict[str, str]:
    """VPC → the address of its router that no other has; the two ends of the links are everywhere the same."""
    found: dict[str, str] = {}
    for vpc in sorted(vpc.id for vpc in state.vpcs):
        number = int(vpc[-7:], 16)
        while (address := str(place.links[1 + number % (place.links.num_addresses - 2)])) in found.values():
            number += 1
        found[vpc] = address
    return found


def subnet_lines(subnet: Subnet) -> Iterator[tuple[str, str]]:
    yield f"address replace {subnet.gateway}/32 dev lo", f"address delete {subnet.gateway}/32 dev lo"
    refuse = f"unreachable default metric 4096 table {number(subnet.id)}"
    yield f"route replace {refuse}", f"route delete {refuse}"


def plug_lines(place: Place, interface: Interface, subnet: Subnet) -> Iterator[tuple[str, str]]:
    """The VPC's end of what is plugged into a subnet."""
    end = plug(interface)
    peer = f"peer name {device(interface)} netns {place.namespace_of(str(interface.owner))}"
    yield f"link add {end} type veth {peer}", f"link delete {end}"
    # The kernel lets whoever asks for a neighbor wait a while otherwise.
    delay = f"ntable change name arp_cache dev {end} proxy_delay"
    yield f"{delay} 0", f"{delay} 800"
    yield f"link set {end} up", f"link set {end} down"
    rule = f"iif {end} lookup {number(subnet.id)} priority {PRIORITY}"
    yield f"rule add {rule}", f"rule delete {rule}"
    route = f"{interface.private}/32 dev {end} src {subnet.gateway}"
    yield f"route replace {route}", f"route delete {route}"


def port_lines(interface: Interface, subnet: Subnet) -> Iterator[tuple[str, str]]:
    """The owner's end."""
    name = device(interface)
    yield f"link set {name} address {interface.mac}", ""
    address = f"{interface.private}/{subnet.range.prefixlen} dev {name}"
    yield f"address replace {address}", f"address delete {address}"
    yield f"link set {name} up", f"link set {name} down"
    yield f"route replace default via {subnet.gateway}", f"route delete default via {subnet.gateway}"


def route_lines(state: State, subnet: Subnet, route: Route) -> Iterator[tuple[str, str]]:
    """A route of a subnet's table; none when its target does not lead anywhere here."""
    way = next_hop(state, subnet.vpc, route)
    if way:
        line = f"{route.destination} {way} table {number(subnet.id)}"
        yield f"route replace {line}", f"route delete {line}"


def next_hop(state: State, vpc: str, route: Route) -> str | None:
    if route.target in {gateway.id for gateway in state.internet_gateways if gateway.vpc == vpc}:
        return f"via {REGION_END} dev uplink onlink"
    for interface in plugged(state):
        if route.target in (interface.id, interface.owner) and interface.vpc == vpc:
            return f"via {interface.private} dev {plug(interface)} onlink"
    return None


def table_of(state: State, subnet: Subnet) -> RouteTable:
    """The table that a subnet is associated with, else the VPC's main one."""
    tables = [table for table in state.route_tables if table.vpc == subnet.vpc]
    named = [table for table in tables if subnet.id in table.subnets]
    main = [table for table in tables if table.main]
    return next(iter([*named, *main]), RouteTable("", subnet.vpc, True, (), ()))


def plugged(state: State) -> list[Interface]:
    """The interfaces that somebody has; of several of an instance the first alone."""
    subnets = {subnet.id for subnet in state.subnets}
    return [found for found in state.interfaces if found.owner and found.index == 0 and found.subnet in subnets]


def public_interfaces(state: State, vpc: Vpc) -> list[Interface]:
    """Interfaces that the Internet reaches, where there is a gateway."""
    if vpc.id not in {gateway.vpc for gateway in state.internet_gateways}:
        return []
    return [found for found in state.interfaces if found.vpc == vpc.id and found.public and found.owner]


def plug(interface: Interface) -> str:
    """The router's end of what an interface is plugged in with."""
    return short("v", interface.id)


def device(interface: Interface) -> str:
    """Instances of EC2 call it ens5; nobody looks at the others."""
    return "ens5" if str(interface.owner).startswith("i-") else "eth0"


def short(kind: str, resource: str) -> str:
    """A name that an interface can have, of 15 letters at most."""
    return f"{kind}-{resource[-12:]}"


def number(subnet: str) -> int:
    """The routing table of a subnet, beyond those of the kernel."""
    return int(subnet[-7:], 16) + 1000
