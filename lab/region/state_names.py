# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route 53 zones with their records, and the DNS names of load balancers, read from the API.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.region.state import Client, pages


@dataclass(frozen=True)
class Record:
    """A record set. ``name`` and ``alias`` end without a dot; ``values`` are as Route 53 has them."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    alias: str | None = None
    ttl: int = 60


@dataclass(frozen=True)
class Zone:
    """A hosted zone; ``vpcs`` are those that see it, none for a public one."""

    name: str
    vpcs: frozenset[str] = frozenset()
    records: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Balancer:
    """A load balancer's DNS name, and how its network interfaces are described."""

    name: str
    interfaces: str


@dataclass(frozen=True)
class Names:
    zones: tuple[Zone, ...] = ()
    balancers: tuple[Balancer, ...] = ()


def read(client: Client) -> Names:
    """``client`` gives a boto3 client for the name of a service."""
    route53 = client("route53")
    found = pages(route53, "list_hosted_zones", "HostedZones")
    balancers = pages(client("elbv2"), "describe_load_balancers", "LoadBalancers")
    return Names(
        tuple(sorted((read_zone(route53, one) for one in found), key=lambda zone: (zone.name, sorted(zone.vpcs)))),
        tuple(
            sorted(
                (Balancer(one["DNSName"].lower(), interfaces_of(one)) for one in balancers), key=lambda one: one.name
            )
        ),
    )


def read_zone(route53: Any, told: dict[str, Any]) -> Zone:
    vpcs = route53.get_hosted_zone(Id=told["Id"]).get("VPCs") or []
    sets = pages(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=told["Id"])
    records = (record for one in sets for record in read_record(one))
    return Zone(plain(told["Name"]), frozenset(one["VPCId"] for one in vpcs), tuple(records))


def read_record(told: dict[str, Any]) -> Iterator[Record]:
    """Nothing for a record set whose weight is 0, and for what would be several lines of a configuration."""
    values = tuple(one["Value"] for one in told.get("ResourceRecords", []))
    if told.get("Weight") == 0 or not all(text.isprintable() for text in (plain(told["Name"]), *values)):
        return
    alias = (told.get("AliasTarget") or {}).get("DNSName")
    yield Record(plain(told["Name"]), told["Type"], values, plain(alias) if alias else None, int(told.get("TTL", 60)))


def plain(name: str) -> str:
    r"""A name without its last dot, its escapes (\052 is an asterisk) and the prefix of names for both families."""
    text = re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), name)
    return text.rstrip(".").lower().removeprefix("dualstack.")


def interfaces_of(told: dict[str, Any]) -> str:
    """As AWS describes them: ELB app/NAME/ID."""
    return f"ELB {told['LoadBalancerArn'].partition('loadbalancer/')[2]}"
