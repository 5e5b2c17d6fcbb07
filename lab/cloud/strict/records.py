# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of Route 53 are records: a change of one that is none changes nothing of its batch.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from moto.route53.models import route53_backends

from lab.cloud.strict.behavior import Request, refuse, strict

LABEL = re.compile(r"[!-\-/-~]{1,63}")
# "A single string can include up to 255 characters", in quotation marks.
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
LONGEST_STRING = 255
# Numbers, and at most one name that is checked.
FIELDS = {
    "MX": re.compile(r"\d{1,5} +(?P<name>\S+)"),
    "SRV": re.compile(r"\d{1,5} +\d{1,5} +\d{1,5} +(?P<name>\S+)"),
    "CAA": re.compile(r'\d{1,3} +[A-Za-z0-9]+ +"[^"]*"'),
    "SOA": re.compile(r"(?P<name>\S+) +\S+( +\d+){5}"),
}


@strict("route53", "ChangeResourceRecordSets")
def change(request: Request) -> Any:
    """All that is wrong is said at once."""
    asked = request.parameters
    zone = route53_backends[request.account][request.response.partition].get_hosted_zone(asked["HostedZoneId"])
    changes = asked["ChangeBatch"]["Changes"]
    for entry in changes:
        check_form(entry["Action"], entry["ResourceRecordSet"])
    sets = [entry["ResourceRecordSet"] for entry in changes if entry["Action"] != "DELETE"]
    found = [complaint for told in sets for complaint in complaints(told, zone.name)]
    present = {(record.name.lower(), record.type, record.set_identifier) for record in zone.rrsets}
    if found := [*found, *conflicts(changes, present)]:
        raise refuse("InvalidChangeBatch", f"[{', '.join(found)}]")
    return request.proceed()


def check_form(action: str, told: dict[str, Any]) -> None:
    """A record set is an alias, or has values and a time to live."""
    values, lifetime, alias = (told.get(key) is not None for key in ("ResourceRecords", "TTL", "AliasTarget"))
    if alias != (values and lifetime) and values == lifetime:
        return
    where = f"[Action={action}, Name={told['Name']}, Type={told['Type']}, SetIdentifier={told.get('SetIdentifier')}]"
    expected = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
    number = "more than one" if alias else "none"
    text = f"Invalid request: Expected exactly one of {expected}, but found {number} in Change with {where}"
    raise refuse("InvalidInput", text)


def conflicts(changes: list[dict[str, Any]], present: set[tuple[str, str, str | None]]) -> Iterator[str]:
    """What one change after the other does not allow, of record sets by name, type and identifier."""
    for entry in changes:
        told, action = entry["ResourceRecordSet"], entry["Action"]
        name, kind, which = f"{told['Name'].rstrip('.')}.".lower(), told["Type"], told.get("SetIdentifier")
        there = (name, kind, which) in present
        if (action == "DELETE" and not there) or (action == "CREATE" and there):
            reason = "it already exists" if there else "it was not found"
            yield f"Tried to {action.lower()} resource record set [name='{name}', type='{kind}'] but {reason}"
        others = {other for known, other, _which in present if known == name and other != kind}
        if action == "DELETE":
            present.discard((name, kind, which))
            continue
        for other in sorted(others if kind == "CNAME" else others & {"CNAME"}):
            with_name = f"RRSet of type {kind} with DNS name {name}"
            yield f"{with_name} is not permitted because a conflicting RRSet of type {other} already exists"
        present.add((name, kind, which))


def complaints(told: dict[str, Any], zone: str) -> Iterator[str]:
    """What is wrong with a record set, as Route 53 says it."""
    name, kind = f"{told['Name'].rstrip('.')}.", told["Type"]
    values = [entry["Value"] for entry in told.get("ResourceRecords") or ()]
    if kind == "CNAME" and name.lower() == f"{zone.rstrip('.')}.".lower():
        yield f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"
    if kind == "CNAME" and len(values) > 1:
        yield f"RRSet with DNS name {name}, type CNAME contains more than one resource record"
    for value in {value for value in values if values.count(value) > 1}:
        yield f"Duplicate Resource Record: '{value}'"
    for value in values:
        if reason := CHECKS[kind](value) if kind in CHECKS else None:
            yield f"Invalid Resource Record: 'FATAL problem: {reason} encountered with '{value}''"


def address_complaint(value: str) -> str | None:
    return unless(IPv4Address, value, "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)")


def address6_complaint(value: str) -> str | None:
    return unless(IPv6Address, value, "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)")


def unless(kind: Callable[[str], object], value: str, complaint: str) -> str | None:
    try:
        kind(value)
    except ValueError:
        return complaint
    return None


def name_complaint(value: str) -> str | None:
    """Of a domain name."""
    labels = value.removesuffix(".").split(".")
    if not all(labels):
        return "DomainLabelEmpty (Domain label is empty)"
    if any(len(label) > 63 for label in labels) or len(value) > 255:
        return "DomainLabelTooLong (Domain label is too long)"
    if not all(LABEL.fullmatch(label) for label in labels):
        return "UnsupportedCharacter (Value contains unsupported characters)"
    return None


def text_complaint(value: str) -> str | None:
    """Of the strings of a TXT record."""
    strings = QUOTED.findall(value)
    if not strings or QUOTED.sub("", value).strip():
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    if any(len(re.sub(r"\\(\d{3}|.)", "x", text)) - 2 > LONGEST_STRING for text in strings):
        return "CharacterStringTooLong (Value is too long)"
    return None


def fields_complaint(kind: str, value: str) -> str | None:
    found = FIELDS[kind].fullmatch(value)
    if not found:
        return f"{kind}RRDATAWrongFields (Value is not a valid {kind} record)"
    return name_complaint(found["name"]) if "name" in found.groupdict() else None


CHECKS: dict[str, Callable[[str], str | None]] = {
    "A": address_complaint,
    "AAAA": address6_complaint,
    "TXT": text_complaint,
    "SPF": text_complaint,
    **dict.fromkeys(("CNAME", "NS", "PTR"), name_complaint),
    **{kind: partial(fields_complaint, kind) for kind in FIELDS},
}
