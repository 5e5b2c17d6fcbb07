# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public names and the records of a zone, in the one form in which they are compared.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Records have no tags: a TXT record beside each name says whose it is.
MARKER = "_gatehouse."
OWNER = "gatehouse:platform"


class PublicNamesError(Exception):
    """Something that the user has to know; ``str()`` is the whole message."""


@dataclass(frozen=True)
class Record:
    """A record set of simple routing; ``alias`` is a name and the id of its zone. Names are in small letters."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    alias: tuple[str, str] | None = None
    ttl: int = 0
    routing: str = ""

    @property
    def leads_to(self) -> str:
        """Where it leads, in words."""
        return self.alias[0] if self.alias else ", ".join(self.values)

    @property
    def line(self) -> str:
        """The record as a line of a diff."""
        return f"{self.name} {self.type} {self.leads_to}"


Records = Mapping[tuple[str, str], Record]


@dataclass(frozen=True)
class Wish:
    """A name and where it is to lead: addresses, or a load balancer's name and zone. Both may not be there yet."""

    name: str
    addresses: tuple[str, ...] = ()
    alias: tuple[str, str] | None = None

    @property
    def known(self) -> bool:
        """Whether there is something that it can lead to."""
        return all(self.alias) if self.alias else bool(self.addresses) and "" not in self.addresses

    def record(self, ttl: int) -> Record:
        if self.alias:
            return Record(self.name, "A", alias=self.alias)
        return Record(self.name, "A", self.addresses, ttl=ttl)


def plain(name: str) -> str:
    """A name as it is compared."""
    return name.lower().rstrip(".").removeprefix("dualstack.")


def from_params(params: Mapping[str, Any]) -> list[Wish]:
    """The wanted names, in order, each once."""
    found = {}
    for told in params["records"] if params["state"] == "present" else ():
        balancer = told.get("load_balancer")
        alias = (plain(balancer.get("dns_name") or ""), balancer.get("zone_id") or "") if balancer else None
        name = plain(told["name"])
        found[name] = Wish(name, () if alias else tuple(sorted(set(told.get("addresses") or ()))), alias)
    return [found[name] for name in sorted(found)]


def from_api(told: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Record]:
    """The records of a zone; of several sets of one name and type the last, whose ``routing`` is not empty."""
    found = {}
    for one in told:
        alias = one.get("AliasTarget")
        values = tuple(sorted(entry["Value"] for entry in one.get("ResourceRecords") or ()))
        target = (plain(alias["DNSName"]), str(alias.get("HostedZoneId") or "")) if alias else None
        routing = str(one.get("SetIdentifier") or "")
        record = Record(plain(one["Name"]), one["Type"], values, target, int(one.get("TTL") or 0), routing)
        found[record.name, record.type] = record
    return found


def to_api(record: Record) -> dict[str, Any]:
    told: dict[str, Any] = {"Name": f"{record.name}.", "Type": record.type}
    if record.alias:
        name, zone = record.alias
        return {**told, "AliasTarget": {"DNSName": f"{name}.", "HostedZoneId": zone, "EvaluateTargetHealth": False}}
    return {**told, "TTL": record.ttl, "ResourceRecords": [{"Value": value} for value in record.values]}


def marker(name: str, platform: str, ttl: int) -> Record:
    """What says that a name is a platform's."""
    return Record(f"{MARKER}{name}", "TXT", (f'"{OWNER}={platform}"',), ttl=ttl)
