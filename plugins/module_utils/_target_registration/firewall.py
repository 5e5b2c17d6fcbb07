# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether security groups keep the load balancer's health checks from their targets; only reads.

Nothing is said where that cannot be known: a prefix list may hold the load balancer's addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration import api
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Health,
    Target,
    TargetGroup,
    canonical,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.reasons import check_port
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.zones import networks_of

SUSPICIOUS = ("", "Elb.InitialHealthChecking", "Target.Timeout", "Target.FailedHealthChecks")
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
TCP = ("tcp", "6", "-1")


@dataclass(frozen=True)
class End:
    """One end of the health check's connections: its security groups and where its addresses lie.

    Without security groups, as a Network Load Balancer can be, nothing is kept from it.
    """

    groups: frozenset[str]
    networks: tuple[Any, ...]

    def says_no(self, whose: str) -> str:
        """The groups as the subject of a sentence."""
        if len(self.groups) > 1:
            return f"the security groups of {whose} ({self}) do not"
        return f"the security group of {whose} ({self}) does not"

    def __str__(self) -> str:
        return ", ".join(sorted(self.groups or map(str, self.networks)))


def obstacles(elbv2: Any, ec2: Any, group: TargetGroup, targets: Mapping[Target, Health]) -> list[str]:
    """What security groups do not let through, in words. Raises AwsError where they may not be read."""
    asked = {target: health for target, health in targets.items() if health.reason in SUSPICIOUS}
    if not asked or group.kind not in ("instance", "ip") or not group.load_balancers:
        return []
    balancer = _balancer_end(elbv2, ec2, group)
    if not balancer.groups and not balancer.networks:
        return []
    ends = _target_ends(ec2, group, asked)
    named = sorted(balancer.groups.union(*(end.groups for end in ends.values())))
    rules = {told["GroupId"]: told for told in api.describe_security_groups(ec2, {"group-id": named})}
    return [
        finding
        for target, end in ends.items()
        for finding in _closed(target, end, balancer, rules, check_port(group, target, asked[target]))
    ]


def _balancer_end(elbv2: Any, ec2: Any, group: TargetGroup) -> End:
    balancers = api.describe_load_balancers(elbv2, group.load_balancers)
    groups = frozenset(name for told in balancers for name in told.get("SecurityGroups") or ())
    subnets = [zone["SubnetId"] for told in balancers for zone in told.get("AvailabilityZones") or ()]
    found = api.describe_subnets(ec2, {"subnet-id": subnets})
    return End(groups, tuple(network for told in found for network in networks_of(told)))


def _target_ends(ec2: Any, group: TargetGroup, targets: Iterable[Target]) -> dict[Target, End]:
    """By target, the interface that its checks arrive at; an instance's is its first one."""
    ids = sorted({target.id for target in targets})
    if group.kind == "instance":
        filters = {"attachment.instance-id": ids}
    else:
        name = "ipv6-addresses.ipv6-address" if group.address_type == "ipv6" else "addresses.private-ip-address"
        filters = {name: ids, "vpc-id": [group.vpc]}
    ends: dict[str, End] = {}
    for told in api.describe_interfaces(ec2, filters):
        addresses = _addresses(told)
        attached = told.get("Attachment") or {}
        names = addresses if group.kind == "ip" else [attached["InstanceId"]] if not attached["DeviceIndex"] else []
        networks = tuple(ipaddress.ip_network(address) for address in addresses)
        end = End(frozenset(named["GroupId"] for named in told["Groups"]), networks)
        ends.update(dict.fromkeys(names, end))
    return {target: ends[target.id] for target in targets if target.id in ends}


def _addresses(interface: Mapping[str, Any]) -> list[str]:
    told = [address["PrivateIpAddress"] for address in interface.get("PrivateIpAddresses") or ()]
    return told + [canonical(address["Ipv6Address"]) for address in interface.get("Ipv6Addresses") or ()]


def _closed(
    target: Target, end: End, balancer: End, rules: Mapping[str, Mapping[str, Any]], port: int | None
) -> Iterator[str]:
    if port is None:
        return
    admitted = [rules[name]["IpPermissions"] for name in end.groups if name in rules]
    if end.groups and not _open(port, balancer, admitted):
        yield (f"{end.says_no(target.id)} admit the health-check port {port} from the load balancer ({balancer})")
    let_out = [rules[name]["IpPermissionsEgress"] for name in balancer.groups if name in rules]
    if balancer.groups and not _open(port, end, let_out):
        yield (f"{balancer.says_no('the load balancer')} let the health-check port {port} out to {target.id} ({end})")


def _open(port: int, other: End, directions: Iterable[Iterable[Mapping[str, Any]]]) -> bool:
    return any(
        _covers(rule, port) and _names(rule, other)
        for permissions in directions
        for rule in permissions
        if rule["IpProtocol"] in TCP
    )


def _covers(rule: Mapping[str, Any], port: int) -> bool:
    first, last = rule.get("FromPort"), rule.get("ToPort")
    return first is None or last is None or rule["IpProtocol"] == "-1" or first <= port <= last


def _names(rule: Mapping[str, Any], other: End) -> bool:
    if rule.get("PrefixListIds") or any(pair["GroupId"] in other.groups for pair in rule.get("UserIdGroupPairs") or ()):
        return True
    told = [entry["CidrIp"] for entry in rule.get("IpRanges") or ()]
    told += [entry["CidrIpv6"] for entry in rule.get("Ipv6Ranges") or ()]
    ranges = [ipaddress.ip_network(range_, strict=False) for range_ in told]
    return any(
        range_.version == network.version and range_.overlaps(network)
        for range_ in ranges
        for network in other.networks
    )
