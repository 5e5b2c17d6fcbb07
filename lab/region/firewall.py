# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups as nftables rules of a VPC's router, which every packet of an interface passes.

They stand where AWS has them: out of reach of whoever has the interface, before any translation of the host's own, so
that what a host passes on (to its containers, as a NAT instance) is filtered as well. Stateful, everything else
dropped: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html

Nobody passes himself off as another either, whose source and destination are checked:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.machine import run
from lab.region.place import Place, namespace_file
from lab.region.state import State
from lab.region.state_security_groups import ALL, Rule, SecurityGroups
from lab.region.vpc import plug, plugged
from lab.region.vpc_rules import elements

TABLE = "gatehouse_region"
# "Security groups do not filter traffic destined to and from": time, DNS and metadata of the platform.
PLATFORM = ("169.254.169.123", "169.254.169.253", "169.254.169.254")
PORTS = ("tcp", "udp")
ICMP = {"icmp": 4, "icmpv6": 6}


@dataclass(frozen=True)
class Behind:
    """What is behind a plug: security groups, and the only address that packets may have; None: any."""

    groups: Sequence[str]
    address: str | None = None


class Firewalls:
    """The adapter."""

    needed = True

    def __init__(self, place: Place) -> None:
        self._place = place
        # What is loaded, with the number that the kernel gave the namespace.
        self._loaded: dict[str, tuple[int, str]] = {}

    def wanted(self, state: State) -> dict[str, str]:
        """Namespace → rules. A NAT gateway has no security groups."""
        nats = {nat.id for nat in state.nat_gateways}
        plugs: dict[str, dict[str, Behind]] = {vpc.id: {} for vpc in state.vpcs}
        for found in plugged(state):
            if found.owner not in nats:
                behind = Behind(found.groups, found.private if found.checked else None)
                plugs[found.vpc][plug(found)] = behind
        groups = state.part(SecurityGroups)
        return {self._place.namespace_of(vpc.id): ruleset(plugs[vpc.id], groups, [vpc.resolver]) for vpc in state.vpcs}

    def apply(self, wanted: Mapping[str, str]) -> None:
        self._loaded = {name: loaded for name, loaded in self._loaded.items() if name in wanted}
        for name, text in wanted.items():
            path = namespace_file(name)
            loaded = path.stat().st_ino, text
            if self._loaded.get(name) != loaded:
                apply(path, text)
                self._loaded[name] = loaded

    def close(self) -> None:
        """Rules stay."""


def ruleset(plugs: Mapping[str, Behind], state: SecurityGroups, resolver: Sequence[str] = ()) -> str:
    """The whole table of a router.

    resolver: further addresses that no security group keeps away, as the VPC's own DNS server.
    """
    rules = {end: rules_of(behind.groups, state) for end, behind in sorted(plugs.items())}
    everything = [rule for found in rules.values() for rule in found]
    exempt = ", ".join((*PLATFORM, *resolver))
    own = {end: behind.address for end, behind in sorted(plugs.items()) if behind.address}
    return f"""\
table inet {TABLE} {{}}
delete table inet {TABLE}
table inet {TABLE} {{
  set checked {{ type ifname; {elements(f'"{end}"' for end in own)} }}
  set own {{ type ifname . ipv4_addr; {elements(f'"{end}" . {address}' for end, address in own.items())} }}
{lines("  ", sets(everything, state))}
{"".join(chain(end, found, egress) for end, found in rules.items() for egress in (False, True))}
  chain ingress {{
    type filter hook postrouting priority mangle; policy accept;
    oifname @checked oifname . ip daddr != @own drop
    ct state established,related accept
    icmpv6 type {{ nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }} accept
    oifname vmap {{ {verdicts(rules, egress=False)} }}
  }}
  chain egress {{
    type filter hook prerouting priority mangle; policy accept;
    iifname @checked iifname . ip saddr != @own drop
    ct state established,related accept
    ip daddr {{ {exempt} }} accept
    icmpv6 type {{ nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report }} accept
    iifname vmap {{ {verdicts(rules, egress=True)} }}
  }}
}}
"""


def rules_of(groups: Iterable[str], state: SecurityGroups) -> list[Rule]:
    return [rule for group in groups if group in state.groups for rule in state.groups[group].rules]


def chain(end: str, rules: Iterable[Rule], egress: bool) -> str:
    """What is let through a plug in one direction."""
    return f"""\
  chain {name_of_chain(end, egress)} {{
{lines("    ", statements(rules, egress))}
    drop
  }}
"""


def verdicts(plugs: Iterable[str], egress: bool) -> str:
    """Which chain decides; the router itself is nobody's."""
    return ", ".join(['"lo" : accept', *(f'"{end}" : jump {name_of_chain(end, egress)}' for end in plugs)])


def apply(namespace: Path, text: str) -> None:
    """Put the table in place of the one before it, in one transaction.

    namespace: a file of the kernel's, as /proc/PID/ns/net or /run/netns/NAME.
    """
    run("nsenter", f"--net={namespace}", "nft", "-f", "-", text=text)


def lines(indent: str, found: Iterable[str]) -> str:
    return "\n".join(indent + line for line in dict.fromkeys(found))


def sets(rules: Iterable[Rule], state: SecurityGroups) -> Iterator[str]:
    """A named set per referenced group and prefix list, and kind of address."""
    for kind, source in sorted({(rule.kind, rule.source) for rule in rules if rule.kind != "cidr"}):
        known = state.members if kind == "group" else state.prefix_lists
        for version in (4, 6):
            listed = [entry for entry in known.get(source, ()) if version_of(entry) == version]
            flags = "flags interval; auto-merge;"
            yield f"set {name_of_set(source, version)} {{ type ipv{version}_addr; {flags} {elements(listed)} }}"


def statements(rules: Iterable[Rule], egress: bool) -> Iterator[str]:
    """What is accepted in one direction."""
    for rule in rules:
        if rule.egress is egress:
            for version, source in sources(rule):
                if ICMP.get(rule.protocol, version) == version:
                    family = "ip" if version == 4 else "ip6"
                    yield f"{family} {'daddr' if egress else 'saddr'} {source} {traffic(rule)}accept"


def sources(rule: Rule) -> list[tuple[int, str]]:
    """What a rule's source is in nftables, with the version of its addresses."""
    if rule.kind == "cidr":
        return [(version_of(rule.source), rule.source)]
    return [(version, f"@{name_of_set(rule.source, version)}") for version in (4, 6)]


def traffic(rule: Rule) -> str:
    """The match of protocol and ports, or of type and code."""
    if rule.protocol == str(ALL):
        return ""
    if rule.protocol in ICMP and rule.from_port != ALL:
        code = "" if rule.to_port == ALL else f"{rule.protocol} code {rule.to_port} "
        return f"{rule.protocol} type {rule.from_port} {code}"
    if rule.protocol in PORTS and rule.from_port != ALL:
        return f"{rule.protocol} dport {rule.from_port}-{rule.to_port} "
    # 58 is icmpv6, which nftables calls otherwise here.
    return f"meta l4proto {'58' if rule.protocol == 'icmpv6' else rule.protocol} "


def name_of_chain(end: str, egress: bool) -> str:
    return f"{end}.{'egress' if egress else 'ingress'}"


def name_of_set(source: str, version: int) -> str:
    return f"{source}.{version}"


def version_of(text: str) -> int:
    return ipaddress.ip_network(text, strict=False).version
