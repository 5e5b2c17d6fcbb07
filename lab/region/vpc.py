# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VPCs: a router each, in a network namespace of its own, with a bridge per subnet and a link to the region's.

Public addresses are translated where an Internet gateway would do it, one to one, between VPC and region. A NAT
gateway is a host of its subnet that passes on what is sent to it under its own address. What has no route is refused,
where AWS is silent.

https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lab.region.namespaces import Wiring
from lab.region.place import API_ADDRESS, Place
from lab.region.state import Interface, Route, RouteTable, State, Subnet, Vpc

# Labs and regions of this machine.
NEIGHBORS = "10.201.0.0-10.250.255.255"
METADATA = "169.254.169.254"
RESOLVER = "169.254.169.253"
# The two ends of every link between the region and a VPC.
REGION_END, VPC_END = "169.254.0.1", "169.254.0.2"
# What the rules of routing look at after the VPC's own ranges.
PRIORITY = 40000


def wanted(place: Place, state: State) -> dict[str, Wiring]:
    """Namespace → what is to be in it."""
    subnets = {subnet.id: subnet for subnet in state.subnets}
    ports = [port for port in state.interfaces if port.owner and port.index == 0 and port.subnet in subnets]
    found = {place.namespace: Wiring(tuple(region_lines(place, state)), region_rules(place))}
    for vpc in state.vpcs:
        found[place.namespace_of(vpc.id)] = Wiring(tuple(vpc_lines(place, state, vpc)), vpc_rules(state, vpc))
    nats = {nat.id for nat in state.nat_gateways}
    for port in ports:
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
    for interface in state.interfaces:
        if interface.owner and interface.index == 0 and interface.subnet in {subnet.id for subnet in subnets}:
            yield from plug_lines(place, interface)
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
    bridge, table = short("b", subnet.id), number(subnet.id)
    # Without an address of its own a bridge has that of one of its ports, and another one when that port goes: the
    # other hosts' packets would then be lost until their neighbor entries have aged.
    fixed = f"address {hardware_address(subnet)} type bridge forward_delay 0"
    yield f"link add {bridge} {fixed}", f"link delete {bridge}"
    address = f"{subnet.gateway}/{subnet.range.prefixlen} dev {bridge}"
    yield f"address replace {address}", f"address delete {address}"
    yield f"link set {bridge} up", f"link set {bridge} down"
    rule = f"iif {bridge} lookup {table} priority {PRIORITY}"
    yield f"rule add {rule}", f"rule delete {rule}"
    refuse = f"unreachable default metric 4096 table {table}"
    yield f"route replace {refuse}", f"route delete {refuse}"


def plug_lines(place: Place, interface: Interface) -> Iterator[tuple[str, str]]:
    """The VPC's end of what is plugged into a subnet."""
    plug, bridge = short("v", interface.id), short("b", interface.subnet)
    peer = f"peer name {device(interface)} netns {place.namespace_of(str(interface.owner))}"
    yield f"link add {plug} type veth {peer}", f"link delete {plug}"
    yield f"link set {plug} master {bridge} up", f"link set {plug} down"


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
    for interface in state.interfaces:
        named = route.target in (interface.id, interface.owner)
        if named and interface.vpc == vpc and interface.owner and interface.index == 0:
            return f"via {interface.private} dev {short('b', interface.subnet)}"
    return None


def table_of(state: State, subnet: Subnet) -> RouteTable:
    """The table that a subnet is associated with, else the VPC's main one."""
    tables = [table for table in state.route_tables if table.vpc == subnet.vpc]
    named = [table for table in tables if subnet.id in table.subnets]
    main = [table for table in tables if table.main]
    return next(iter([*named, *main]), RouteTable("", subnet.vpc, True, (), ()))


def public_interfaces(state: State, vpc: Vpc) -> list[Interface]:
    """Interfaces that the Internet reaches, where there is a gateway."""
    if vpc.id not in {gateway.vpc for gateway in state.internet_gateways}:
        return []
    return [found for found in state.interfaces if found.vpc == vpc.id and found.public and found.owner]


def vpc_rules(state: State, vpc: Vpc) -> str:
    """Rules of a VPC's router: what an Internet gateway translates, and who may ask the VPC's own services."""
    public = public_interfaces(state, vpc)
    inward = elements(f"{interface.public} : {interface.private}" for interface in public)
    outward = elements(f"{interface.private} : {interface.public}" for interface in public)
    return f"""\
table ip gatehouse {{}}
delete table ip gatehouse
table ip gatehouse {{
  map inward {{ type ipv4_addr : ipv4_addr; {inward} }}
  map outward {{ type ipv4_addr : ipv4_addr; {outward} }}
  chain arriving {{
    type nat hook prerouting priority dstnat;
    iifname "uplink" dnat to ip daddr map @inward
  }}
  chain leaving {{
    type nat hook postrouting priority srcnat;
    oifname "uplink" snat to ip saddr map @outward
  }}
  chain forwarding {{
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname "uplink" ct status dnat accept
    iifname "uplink" drop
    oifname "uplink" ip saddr != @senders reject
  }}
  set senders {{ type ipv4_addr; {elements(interface.private for interface in public)} }}
  chain services {{
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    iifname "uplink" drop
    ip daddr {METADATA} tcp dport 80 accept
    ip daddr {{ {RESOLVER}, {vpc.resolver} }} meta l4proto {{ tcp, udp }} th dport 53 accept
    reject
  }}
}}
"""


# A NAT gateway: out under its own address, and nothing in that was not asked for.
NAT_RULES = """\
table ip gatehouse {}
delete table ip gatehouse
table ip gatehouse {
  chain leaving {
    type nat hook postrouting priority srcnat;
    oifname "eth0" masquerade
  }
  chain services {
    type filter hook input priority filter; policy drop;
    iif lo accept
    ct state established,related accept
  }
}
"""


def region_rules(place: Place) -> str:
    """Rules of the region: between its VPCs public addresses only; outside, the package registries and names, and the
    ACME server of a lab.
    """
    machine, router = place.uplink
    return f"""\
table ip gatehouse {{}}
delete table ip gatehouse
table ip gatehouse {{
  chain leaving {{
    type nat hook postrouting priority srcnat;
    oifname "uplink" masquerade
  }}
  chain forwarding {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ip daddr {place.public} iifname "uplink" accept
    ip saddr != {place.public} drop
    ip daddr {place.public} accept
    oifname "uplink" meta l4proto {{ tcp, udp }} th dport 53 accept
    oifname "uplink" tcp dport {{ 80, 443 }} accept
    oifname "uplink" ip daddr {NEIGHBORS} tcp dport {{ 14000, 14001 }} accept
    reject
  }}
  chain services {{
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    meta l4proto icmp accept
    ip daddr {API_ADDRESS} ip saddr {place.public} tcp dport 80 accept
    ip daddr {REGION_END} ip saddr {place.links} meta l4proto {{ tcp, udp }} th dport 53 accept
    ip daddr {router} ip saddr {machine} meta l4proto {{ tcp, udp }} th dport 53 accept
    meta l4proto tcp reject with tcp reset
    reject
  }}
}}
"""


def elements(found: Iterable[str]) -> str:
    listed = ", ".join(sorted(found))
    return f"elements = {{ {listed} }};" if listed else ""


def device(interface: Interface) -> str:
    """Instances of EC2 call it ens5; nobody looks at the others."""
    return "ens5" if str(interface.owner).startswith("i-") else "eth0"


def short(kind: str, resource: str) -> str:
    """A name that an interface can have, of 15 letters at most."""
    return f"{kind}-{resource[-12:]}"


def hardware_address(subnet: Subnet) -> str:
    """Of the router in a subnet."""
    return ":".join(["0a", *(subnet.id[-10:][place : place + 2] for place in range(0, 10, 2))])


def number(subnet: str) -> int:
    """The routing table of a subnet, beyond those of the kernel."""
    return int(subnet[-7:], 16) + 1000
