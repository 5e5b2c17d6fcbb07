# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as a user writes them and as AWS tells them, made the same: CIDRs, lists of ports, names of protocols."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    ALL_TRAFFIC,
    WITH_PORTS,
    WITH_TYPES,
    Rule,
    Rules,
    Source,
    key,
)

# Numbers of https://www.iana.org/assignments/protocol-numbers; AWS itself knows the first four by name.
PROTOCOLS = {
    "icmp": "1",
    "tcp": "6",
    "udp": "17",
    "icmpv6": "58",
    "ipip": "4",
    "dccp": "33",
    "gre": "47",
    "esp": "50",
    "ah": "51",
    "ospf": "89",
    "sctp": "132",
}
_BY_NUMBER = {PROTOCOLS[name]: name for name in ("icmp", "tcp", "udp", "icmpv6")}
_BY_NAME = {name: _BY_NUMBER.get(number, number) for name, number in PROTOCOLS.items()}
GROUP_ID = re.compile(r"(?:(\d{12})/)?(sg-[0-9a-f]+)", re.IGNORECASE)
PREFIX_LIST_ID = re.compile(r"pl-[0-9a-f]+", re.IGNORECASE)
PORTS = re.compile(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?")


def protocol(text: str) -> str:
    """The protocol as AWS tells it: tcp, udp, icmp, icmpv6, another one's number, or -1 for all; raises ValueError."""
    plain = str(text).strip().lower()
    if plain in ("-1", "all", "any"):
        return ALL_TRAFFIC
    if plain in _BY_NAME:
        return _BY_NAME[plain]
    if plain.isdecimal() and int(plain) <= 255:
        return _BY_NUMBER.get(str(int(plain)), str(int(plain)))
    raise ValueError(f"'{text}' is no protocol: give tcp, udp, icmp, icmpv6, a number from 0 to 255, or -1 for all")


def ports(value: Any) -> Iterator[tuple[int, int]]:
    """The ranges of ports that a value means: 80, "9000-9010", or a list of such; raises ValueError."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from ports(item)
        return
    found = PORTS.fullmatch(str(value).strip()) if not isinstance(value, (bool, float, dict)) else None
    if not found:
        raise ValueError(f"'{value}' is no port: give a number, a range like 9000-9010, or a list of these")
    first, last = int(found[1]), int(found[2] or found[1])
    if last > 65535:
        raise ValueError(f"'{value}' is no port: they end at 65535")
    if first > last:
        raise ValueError(f"'{value}' is no range: it ends before it begins")
    yield first, last


def cidr(text: str) -> Source:
    """A range of addresses in the canonical form: no bits beside the mask, IPv6 compressed; raises ValueError."""
    if "/" not in text:
        address = ipaddress.ip_address(text)
        raise ValueError(f"'{text}' is an address without a length: give {address}/{address.max_prefixlen}")
    if "%" in text or not text.rpartition("/")[2].isdecimal():
        raise ValueError(f"'{text}' is no CIDR: give an address, a slash and the number of bits")
    network = ipaddress.ip_network(text, strict=False)
    return Source(f"ipv{network.version}", str(network))


def looks_like_cidr(text: str) -> bool:
    """Whether a text is meant as addresses: a name of a group may consist of the same characters."""
    return bool(
        re.fullmatch(r"[0-9.]+(/.*)?|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(/.*)?|[0-9.]+/\d+", text, re.IGNORECASE)
    )


def source(text: str, names: Mapping[str, str]) -> Source:
    """What a declared source means, given the names of the set by their keys; raises ValueError."""
    plain = text.strip()
    found = GROUP_ID.fullmatch(plain)
    if found:
        return Source("group_id", found[2].lower(), account=found[1] or "")
    if PREFIX_LIST_ID.fullmatch(plain):
        return Source("prefix_list", plain.lower())
    if key(plain) in names:
        return Source("group", key(plain), shown=names[key(plain)])
    if looks_like_cidr(plain):
        return cidr(plain)
    raise ValueError(
        f"'{text}' names no group of this set, and is no CIDR, no prefix list (pl-…) and no id of a group (sg-…)"
    )


def ranges(named: str, rule: Mapping[str, Any]) -> list[tuple[int, int]]:
    """First and last of all that a declared rule opens for its protocol; raises ValueError."""
    given, kind, code = rule.get("ports"), rule.get("icmp_type"), rule.get("icmp_code")
    if named in WITH_TYPES:
        if given is not None:
            raise ValueError(f"{named} has no ports: give icmp_type and icmp_code")
        return [_type_and_code(kind, code)]
    if kind is not None or code is not None:
        raise ValueError("icmp_type and icmp_code belong to the protocols icmp and icmpv6")
    if named in WITH_PORTS:
        found = list(ports(given)) if given is not None else []
        if not found:
            raise ValueError(f"{named} needs ports")
        return found
    if given is not None:
        raise ValueError(f"ports cannot be told apart for the protocol {named}: AWS opens it whole, so leave them out")
    return [(-1, -1)]


def _type_and_code(kind: int | None, code: int | None) -> tuple[int, int]:
    first, last = -1 if kind is None else kind, -1 if code is None else code
    if not (-1 <= first <= 255 and -1 <= last <= 255):
        raise ValueError("icmp_type and icmp_code are numbers from 0 to 255, or -1 for all")
    if first == -1 and last != -1:
        raise ValueError("an icmp_code needs its icmp_type")
    return first, last


def from_permissions(permissions: Iterable[Mapping[str, Any]], names: Mapping[str, tuple[str, str]]) -> dict[Rule, str]:
    """Rules of DescribeSecurityGroups with their descriptions.

    ``names`` are the groups of the VPC: id -> (name, account), so that references within it go by name.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    found = {}
    for permission in permissions:
        for item, other in _sources(permission, names):
            found[_rule(permission, other)] = str(item.get("Description") or "")
    return found


def _sources(
    permission: Mapping[str, Any], names: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[Mapping[str, Any], Source]]:
    for item in permission.get("IpRanges") or ():
        yield item, cidr(item["CidrIp"])
    for item in permission.get("Ipv6Ranges") or ():
        yield item, cidr(item["CidrIpv6"])
    for item in permission.get("PrefixListIds") or ():
        yield item, Source("prefix_list", item["PrefixListId"])
    for item in permission.get("UserIdGroupPairs") or ():
        yield item, reference(item["GroupId"], names, str(item.get("UserId") or ""))


def reference(group_id: str, names: Mapping[str, tuple[str, str]], account: str = "") -> Source:
    """A reference to a group, by name where it is one of the VPC."""
    if group_id in names:
        return Source("group", key(names[group_id][0]), shown=names[group_id][0])
    own = {owner for _name, owner in names.values()}
    return Source("group_id", group_id, account="" if account in own else account)


def _rule(permission: Mapping[str, Any], other: Source) -> Rule:
    named = protocol(permission["IpProtocol"])
    told = (permission.get("FromPort"), permission.get("ToPort"))
    first, last = (-1 if number is None else int(number) for number in told)
    if named in WITH_PORTS and first == -1:
        first, last = 0, 65535
    if named not in WITH_PORTS | WITH_TYPES:
        first = last = -1
    return Rule(named, first, last, other, told)


def to_permissions(rules: Rules, ids: Mapping[str, str], described: bool = True) -> list[dict[str, Any]]:
    """Rules as calls take them, one entry per protocol and ports; ``ids`` of groups by the keys of their names."""
    entries: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rule, description in sorted(rules.items()):
        entry = entries.setdefault((rule.protocol, rule.first, rule.last), _with_ports(rule))
        place, item = _to_source(rule.source, ids)
        if described and description:
            item["Description"] = description
        entry.setdefault(place, []).append(item)
    return list(entries.values())


def _with_ports(rule: Rule) -> dict[str, Any]:
    entry: dict[str, Any] = {"IpProtocol": rule.protocol}
    if rule.protocol == ALL_TRAFFIC:
        return entry
    first, last = rule.found or (rule.first, rule.last)
    if first is not None and last is not None:
        entry.update(FromPort=first, ToPort=last)
    return entry


def _to_source(other: Source, ids: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    if other.kind == "ipv4":
        return "IpRanges", {"CidrIp": other.value}
    if other.kind == "ipv6":
        return "Ipv6Ranges", {"CidrIpv6": other.value}
    if other.kind == "prefix_list":
        return "PrefixListIds", {"PrefixListId": other.value}
    pair = {"GroupId": ids[other.value] if other.kind == "group" else other.value}
    return "UserIdGroupPairs", {**pair, **({"UserId": other.account} if other.account else {})}


def to_rule_request(rule: Rule, description: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """A rule as ModifySecurityGroupRules takes it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRuleRequest.html
    """
    place, item = _to_source(rule.source, ids)
    fields = {"IpRanges": "CidrIpv4", "Ipv6Ranges": "CidrIpv6", "PrefixListIds": "PrefixListId"}
    told = (
        {"ReferencedGroupId": item["GroupId"]}
        if place == "UserIdGroupPairs"
        else {fields[place]: next(iter(item.values()))}
    )
    return {**_with_ports(rule), **told, "Description": description}


def from_rule(told: Mapping[str, Any], names: Mapping[str, tuple[str, str]]) -> Rule:
    """A rule of DescribeSecurityGroupRules."""
    if told.get("CidrIpv4") or told.get("CidrIpv6"):
        other = cidr(told.get("CidrIpv4") or told["CidrIpv6"])
    elif told.get("PrefixListId"):
        other = Source("prefix_list", told["PrefixListId"])
    else:
        other = reference(told["ReferencedGroupInfo"]["GroupId"], names)
    return _rule(told, other)
