# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of Route 53, one function each. They raise AwsError.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import call

INSYNC = "INSYNC"


def list_zones(route53: Any, name: str) -> list[str]:
    """Ids of the public zones of this name."""
    answer = call(route53.list_hosted_zones_by_name, DNSName=name)
    public = [zone for zone in answer["HostedZones"] if not (zone.get("Config") or {}).get("PrivateZone")]
    return [str(zone["Id"]) for zone in public if zone["Name"].rstrip(".") == name]


def list_records(route53: Any, zone: str) -> list[dict[str, Any]]:
    """All record sets of a zone."""
    found: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        page = call(route53.list_resource_record_sets, HostedZoneId=zone, **start)
        found += page["ResourceRecordSets"]
        if not page.get("IsTruncated"):
            return found
        keys = {"Name": "NextRecordName", "Type": "NextRecordType", "Identifier": "NextRecordIdentifier"}
        start = {f"StartRecord{key}": page[told] for key, told in keys.items() if page.get(told)}


def change_records(route53: Any, zone: str, changes: Sequence[dict[str, Any]]) -> str:
    """All of them or none: "a transactional change". Returns the id of the change."""
    answer = call(route53.change_resource_record_sets, HostedZoneId=zone, ChangeBatch={"Changes": list(changes)})
    return str(answer["ChangeInfo"]["Id"])


def is_done(route53: Any, change: str) -> bool:
    """Whether all name servers of the zone have it."""
    return bool(call(route53.get_change, Id=change)["ChangeInfo"]["Status"] == INSYNC)
