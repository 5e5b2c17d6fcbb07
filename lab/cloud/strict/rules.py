# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A security group rule in the form in which AWS keeps and compares it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.ec2.models.security_groups import SecurityGroupRule

from lab.cloud.strict.behavior import refuse

# IANA's numbers, which AWS answers as names.
PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
WITH_PORTS = ("tcp", "udp", "icmp", "icmpv6")
DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
# How a permission names its sources: the list, the key in it, and the kind of source that it is.
SOURCES = (
    ("IpRanges", "CidrIp", "CidrIpv4"),
    ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId", "PrefixListId"),
    ("UserIdGroupPairs", "GroupId", "ReferencedGroupId"),
)


@dataclass(frozen=True)
class Rule:
    """``kind`` is the key of the source as in ModifySecurityGroupRules; ``account`` is a referenced group's."""

    protocol: str
    from_port: int | None
    to_port: int | None
    kind: str
    source: str
    account: str = ""
    description: str | None = None

    @property
    def identity(self) -> tuple[Any, ...]:
        """What makes two rules the same: all but the description."""
        return (self.protocol, self.from_port, self.to_port, self.kind, self.source)

    def __str__(self) -> str:
        ports = "" if self.from_port is None else f", from port: {self.from_port}, to port: {self.to_port}"
        return f"peer: {self.source}, {self.protocol.upper()}{ports}, ALLOW"


def requested(permissions: list[dict[str, Any]], account: str) -> list[Rule]:
    """Rules that IpPermissions stand for, one per source."""
    rules = [rule for permission in permissions for rule in _of_permission(permission, account)]
    if not rules:
        raise refuse("MissingParameter", "The request must contain the parameter ipPermissions")
    return rules


def _of_permission(permission: dict[str, Any], account: str) -> Iterator[Rule]:
    protocol, from_port, to_port = traffic(permission)
    for key, name, kind in SOURCES:
        for entry in permission.get(key) or []:
            if name not in entry:
                raise refuse("MissingParameter", f"The request must contain the parameter {name}")
            yield Rule(
                protocol,
                from_port,
                to_port,
                kind,
                source(kind, entry[name]),
                entry.get("UserId") or account if kind == "ReferencedGroupId" else "",
                described(entry.get("Description")),
            )


def traffic(permission: dict[str, Any]) -> tuple[str, int | None, int | None]:
    """Protocol and ports.

    "For tcp, udp, and icmp, you must specify a port range. For icmpv6, the port range is optional; if you omit the
    port range, traffic for all types and codes is allowed."
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    if not permission.get("IpProtocol"):
        raise refuse(
            "InvalidParameterValue",
            "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
        )
    protocol = str(permission["IpProtocol"]).lower()
    protocol = PROTOCOLS.get(protocol, protocol)
    if protocol not in WITH_PORTS:
        if protocol != "-1" and not (protocol.isdigit() and int(protocol) < 256):
            raise refuse("InvalidParameterValue", f"Invalid value '{protocol}' for IP protocol. Unknown protocol.")
        return protocol, None, None
    from_port, to_port = permission.get("FromPort"), permission.get("ToPort")
    if protocol == "icmpv6" and from_port is None and to_port is None:
        return protocol, -1, -1
    if from_port is None or to_port is None:
        raise refuse(
            "InvalidParameterValue",
            "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
        )
    if protocol in ("tcp", "udp") and not 0 <= from_port <= to_port <= 65535:
        raise refuse("InvalidParameterValue", f"Invalid value '{from_port}-{to_port}' for portRange.")
    return protocol, from_port, to_port


def source(kind: str, text: str) -> str:
    """The canonical form of a source.

    "AWS canonicalizes IPv4 and IPv6 CIDRs. For example, if you specify 100.68.0.18/18 for the CIDR block, AWS
    canonicalizes the CIDR block to 100.68.0.0/18."
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
    """
    if kind == "ReferencedGroupId":
        if not re.fullmatch(r"sg-[0-9a-f]{8}([0-9a-f]{9})?", text):
            raise refuse("InvalidGroupId.Malformed", f'Invalid id: "{text}" (expecting "sg-...")')
        return text
    if kind == "PrefixListId":
        return text
    version = ipaddress.IPv4Network if kind == "CidrIpv4" else ipaddress.IPv6Network
    try:
        if not re.search(r"/\d+$", text):
            raise ValueError
        return str(version(text, strict=False))
    except ValueError:
        raise refuse("InvalidParameterValue", f"CIDR block {text} is malformed") from None


def described(text: str | None) -> str | None:
    """A rule's description; the empty one is none."""
    if text and not DESCRIPTION.fullmatch(text):
        raise refuse(
            "InvalidParameterValue",
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the following "
            "set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        )
    return text or None


def of(stored: Any) -> Rule:
    """What a rule of moto says."""
    traffic = (stored.ip_protocol, stored.from_port, stored.to_port)
    described = stored.ip_range.get("Description")
    if stored.prefix_list_id:
        return Rule(*traffic, "PrefixListId", stored.prefix_list_id, "", described)
    if group := stored.source_group:
        account = group.get("UserId") or stored.owner_id
        return Rule(*traffic, "ReferencedGroupId", group["GroupId"], account, group.get("Description"))
    kind, name = ("CidrIpv4", "CidrIp") if "CidrIp" in stored.ip_range else ("CidrIpv6", "CidrIpv6")
    return Rule(*traffic, kind, stored.ip_range[name], "", described)


def write(rule: Rule, stored: Any) -> None:
    """Let a rule of moto say this."""
    stored.ip_protocol, stored.from_port, stored.to_port = rule.protocol, rule.from_port, rule.to_port
    # moto shows the description of any kind of source from here.
    stored.ip_range = {"Description": rule.description} if rule.description else {}
    stored.source_group, stored.prefix_list_id = {}, None
    if rule.kind == "PrefixListId":
        stored.prefix_list_id = rule.source
    elif rule.kind == "ReferencedGroupId":
        stored.source_group = {"GroupId": rule.source, "UserId": rule.account, "OwnerId": rule.account}
        if rule.description:
            stored.source_group["Description"] = rule.description
    else:
        stored.ip_range["CidrIp" if rule.kind == "CidrIpv4" else "CidrIpv6"] = rule.source


def store(rule: Rule, group: Any, egress: bool, tags: dict[str, str]) -> Any:
    """Add a rule to a group of moto."""
    stored = SecurityGroupRule(group.ec2_backend, "-1", group.id, None, None, None, is_egress=egress, tags=dict(tags))
    write(rule, stored)
    direction(group, egress).append(stored)
    return stored


def direction(group: Any, egress: bool) -> list[Any]:
    """The rules of a group in one direction; the list that moto keeps."""
    rules: list[Any] = group.egress_rules if egress else group.ingress_rules
    return rules


def find_group(ec2: Any, parameters: dict[str, Any]) -> Any:
    """The group that a request is about."""
    if group_id := parameters.get("GroupId"):
        group = ec2.get_security_group_from_id(source("ReferencedGroupId", group_id))
    else:
        group_id = parameters.get("GroupName")
        if not group_id:
            raise refuse("MissingParameter", "The request must contain the parameter groupName or groupId")
        group = ec2.get_security_group_from_name(group_id, ec2.default_vpc.id)
    if group is None:
        raise refuse("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    return group
