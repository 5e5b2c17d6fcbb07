# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups with their rules and members, read from the API alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lab.region.state import Client, pages

ALL = -1
# The kinds of sources that a rule names, as DescribeSecurityGroupRules calls them.
CIDRS = ("CidrIpv4", "CidrIpv6")


@dataclass(frozen=True)
class Rule:
    """A rule with its one source (of an egress rule: its destination).

    protocol: tcp, udp, icmp, icmpv6, another one's number, or -1 for all. Ports are type and code for ICMP;
    -1 means all. kind: cidr, group or prefix_list.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
    """

    egress: bool
    protocol: str
    from_port: int
    to_port: int
    kind: str
    source: str


@dataclass(frozen=True)
class SecurityGroup:
    id: str
    name: str
    vpc: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class SecurityGroups:
    """All groups by id, the private addresses of each group's members, the entries of the prefix lists in use."""

    groups: Mapping[str, SecurityGroup]
    members: Mapping[str, tuple[str, ...]]
    prefix_lists: Mapping[str, tuple[str, ...]]


def read(client: Client) -> SecurityGroups:
    """``client`` gives a boto3 client for the name of a service."""
    ec2 = client("ec2")
    rules: dict[str, list[Rule]] = defaultdict(list)
    for found in pages(ec2, "describe_security_group_rules", "SecurityGroupRules"):
        rules[found["GroupId"]].append(rule(found))
    groups = {
        found["GroupId"]: SecurityGroup(
            found["GroupId"],
            found["GroupName"],
            found.get("VpcId", ""),
            tuple(sorted(rules[found["GroupId"]], key=str)),
        )
        for found in pages(ec2, "describe_security_groups", "SecurityGroups")
    }
    lists = {rule.source for group in groups.values() for rule in group.rules if rule.kind == "prefix_list"}
    return SecurityGroups(groups, members(ec2), {name: entries(ec2, name) for name in sorted(lists)})


def rule(found: dict[str, Any]) -> Rule:
    """A SecurityGroupRule of the API."""
    for key in CIDRS:
        if found.get(key):
            kind, source = "cidr", str(found[key])
            break
    else:
        reference = found.get("ReferencedGroupInfo")
        kind = "group" if reference else "prefix_list"
        source = str(reference["GroupId"] if reference else found["PrefixListId"])
    first, last = (int(found.get(key, ALL)) for key in ("FromPort", "ToPort"))
    return Rule(bool(found["IsEgress"]), str(found["IpProtocol"]), first, last, kind, source)


def members(ec2: Any) -> dict[str, tuple[str, ...]]:
    """ "Traffic is allowed based on the private IP addresses of the network interfaces" that have the group.

    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing
    """
    gone = terminated(ec2)
    found: dict[str, set[str]] = defaultdict(set)
    for interface in pages(ec2, "describe_network_interfaces", "NetworkInterfaces"):
        if interface.get("Attachment", {}).get("InstanceId") not in gone:
            for group in interface.get("Groups", []):
                found[group["GroupId"]].update(addresses(interface))
    return {group: tuple(sorted(listed)) for group, listed in sorted(found.items())}


def terminated(ec2: Any) -> set[str]:
    """The instances whose interfaces the control plane still shows, though AWS deletes them with the instance."""
    states = [{"Name": "instance-state-name", "Values": ["terminated"]}]
    reservations = pages(ec2, "describe_instances", "Reservations", Filters=states)
    return {str(instance["InstanceId"]) for found in reservations for instance in found["Instances"]}


def addresses(interface: dict[str, Any]) -> Iterator[str]:
    """The private addresses of a network interface."""
    for entry in interface.get("PrivateIpAddresses") or [interface]:
        if entry.get("PrivateIpAddress"):
            yield str(entry["PrivateIpAddress"])
    for entry in interface.get("Ipv6Addresses", []):
        yield str(entry["Ipv6Address"])


def entries(ec2: Any, prefix_list: str) -> tuple[str, ...]:
    """The CIDRs of a prefix list."""
    found = ec2.get_managed_prefix_list_entries(PrefixListId=prefix_list)["Entries"]
    return tuple(sorted(str(entry["Cidr"]) for entry in found))
