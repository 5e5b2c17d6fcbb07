# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the region's DNS answers, as files of dnsmasq: Route 53, load balancers, instances. Pure.

Who asks matters: a VPC sees its private zones, and the private addresses of instances by their public names; from
elsewhere (``vpc`` is None) there are public zones and public addresses alone.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html
https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

from lab.region.state import State
from lab.region.state_names import Balancer, Names, Record, Zone

# More aliases in a row than this are a circle.
LONGEST_CHAIN = 8
# "The DNS entry also specifies the time-to-live (TTL) of 60 seconds."
# https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html
TTL = 60
BALANCERS = "elb.amazonaws.com"
Addresses = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Answers:
    """``configuration`` is read when dnsmasq starts; ``hosts``, the addresses of machines, whenever it is told to.

    ``zones`` are the names of zones that nobody else is asked about.
    """

    zones: tuple[str, ...]
    configuration: tuple[str, ...]
    hosts: tuple[str, ...]


def answers(state: State, vpc: str | None = None) -> Answers:
    """What is answered without asking anybody else."""
    names = state.part(Names)
    zones = visible(names.zones, vpc)
    hosts = {**instances(state, vpc), **balancers(state, names.balancers)}
    lines = [f"local=/{zone.name}/" for zone in zones]
    lines += [line for zone in zones for line in zone_lines(zone, zones, hosts)]
    begin = ["no-resolv", "no-hosts", f"local-ttl={TTL}", f"local=/{BALANCERS}/"]
    known = {**hosts, **aliases(zones, hosts)}
    return Answers(
        tuple(zone.name for zone in zones),
        (*begin, *dict.fromkeys(lines)),
        tuple(sorted({f"{address} {name}" for name, addresses in known.items() for address in addresses})),
    )


def visible(zones: tuple[Zone, ...], vpc: str | None) -> tuple[Zone, ...]:
    """A private zone hides the public one of the same name from its VPCs."""
    private = tuple(zone for zone in zones if vpc in zone.vpcs)
    hidden = {zone.name for zone in private}
    return (*private, *(zone for zone in zones if not zone.vpcs and zone.name not in hidden))


def instances(state: State, vpc: str | None) -> Addresses:
    """Names of instances: the private one in their VPC only, the public one with the address for who asks."""
    found: dict[str, tuple[str, ...]] = {}
    for instance in state.instances:
        inside = instance.vpc == vpc
        if not instance.exists:
            continue
        if inside and instance.private_name:
            found[instance.private_name] = (instance.private,)
        if instance.public_name and instance.public:
            found[instance.public_name] = (instance.private if inside else instance.public,)
    return found


def balancers(state: State, known: tuple[Balancer, ...]) -> Addresses:
    """The addresses of a load balancer's nodes: public ones where it has them, for whoever asks."""
    found = {}
    for balancer in known:
        nodes = [one for one in state.interfaces if one.description == balancer.interfaces]
        found[balancer.name] = tuple(sorted(node.public or node.private for node in nodes))
    return found


def aliases(zones: tuple[Zone, ...], hosts: Addresses) -> Addresses:
    """Names that have the addresses of others."""
    found: dict[str, tuple[str, ...]] = {}
    for record in (record for zone in zones for record in zone.records if record.alias and not is_wild(record)):
        found[record.name] = found.get(record.name, ()) + resolve(record, zones, hosts)
    return found


def zone_lines(zone: Zone, zones: tuple[Zone, ...], hosts: Addresses) -> Iterator[str]:
    """A zone's records, aliases aside. Names that dnsmasq makes itself, SOA and NS, are left out."""
    local = {record.name for other in zones for record in other.records} | hosts.keys()
    for record in zone.records:
        if is_wild(record) and (record.alias or record.type in ("A", "AAAA")):
            yield from (f"address=/{record.name}/{address}" for address in resolve(record, zones, hosts))
        elif record.alias:
            continue
        elif record.type in ("A", "AAAA"):
            yield from (f"host-record={record.name},{address},{record.ttl}" for address in record.values)
        elif record.type == "CNAME":
            yield cname(record, local)
        else:
            # A value that cannot be written here is nobody else's loss.
            for value in record.values:
                with suppress(ValueError, IndexError):
                    yield from filter(None, [other(record, value)])


def resolve(record: Record, zones: tuple[Zone, ...], hosts: Addresses, depth: int = 0) -> tuple[str, ...]:
    """The addresses of a record, through aliases."""
    if not record.alias:
        return record.values if record.type in ("A", "AAAA") else ()
    if record.alias in hosts:
        return tuple(one for one in hosts[record.alias] if family(one) == record.type)
    found: tuple[str, ...] = ()
    for target in (other for zone in zones for other in zone.records):
        if target.name == record.alias and target.type == record.type and depth < LONGEST_CHAIN:
            found += resolve(target, zones, hosts, depth + 1)
    return found


def family(address: str) -> str:
    return "A" if ip_address(address).version == 4 else "AAAA"


def is_wild(record: Record) -> bool:
    """Whether it is about all names below one."""
    return record.name.startswith("*.")


def cname(record: Record, local: set[str]) -> str:
    """dnsmasq follows aliases of names that it knows; of others it can give the bare record."""
    target = record.values[0].rstrip(".").lower()
    if target in local:
        return f"cname={record.name},{target},{record.ttl}"
    return f"dns-rr={record.name},5,{wire(target)}"


def wire(name: str) -> str:
    """A name as it travels, in hexadecimal (RFC 1035, 3.1)."""
    labels = [label.encode() for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in [*labels, b""]).hex()


def other(record: Record, value: str) -> str | None:
    """A line for a record of another type; None for a type that the lab has not."""
    words = value.split()
    match record.type:
        case "TXT" | "SPF":
            texts = ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in shlex.split(value))
            return f"txt-record={record.name},{texts}"
        case "MX":
            return f"mx-host={record.name},{words[1].rstrip('.')},{words[0]}"
        case "SRV":
            priority, weight, port, target = words
            return f"srv-host={record.name},{target.rstrip('.')},{port},{priority},{weight}"
        case "CAA":
            return f"caa-record={record.name},{words[0]},{words[1]},{words[2].strip(chr(34))}"
        case "PTR":
            return f"ptr-record={record.name},{value.rstrip('.')}"
    return None
