# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of Route 53."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.cloud import ControlPlane
from tests.cloud.account import refused

NAME = "www.example.org"


class Zone:
    """example.org"""

    def __init__(self, cloud: ControlPlane) -> None:
        self.route53 = cloud.client("route53")
        self.id = self.route53.create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]["Id"]

    def upsert(self, *sets: dict[str, Any]) -> None:
        self.change("UPSERT", *sets)

    def change(self, action: str, *sets: dict[str, Any]) -> None:
        changes = [{"Action": action, "ResourceRecordSet": told} for told in sets]
        self.route53.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch={"Changes": changes})

    def names(self) -> set[str]:
        """Of records that somebody has set."""
        found = self.route53.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"]
        return {told["Name"] for told in found if told["Type"] not in ("NS", "SOA")}


def record(kind: str, *values: str, name: str = NAME) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values]}


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("A", "10.0.0.256", "not a valid IPv4 address"),
        ("A", "web.example.org", "not a valid IPv4 address"),
        ("AAAA", "10.0.0.1", "not a valid IPv6 address"),
        ("CNAME", "not a name", "unsupported characters"),
        ("CNAME", "one..example.org", "label is empty"),
        ("PTR", "a" * 64, "label is too long"),
        ("TXT", "no quotation marks", "enclosed in quotation marks"),
        ("TXT", f'"{"a" * 256}"', "too long"),
        ("MX", "mail.example.org", "not a valid MX record"),
        ("SRV", "1 2 mail.example.org", "not a valid SRV record"),
        ("CAA", "0 issue amazon.com", "not a valid CAA record"),
    ],
)
def test_what_is_no_record_is_refused(cloud: ControlPlane, kind: str, value: str, reason: str) -> None:
    """InvalidChangeBatch: "This exception contains a list of messages that might contain one or more error messages.
    Each error message indicates one error in the change batch." Nothing of the batch is done.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
    """
    zone = Zone(cloud)
    with refused("InvalidChangeBatch", reason):
        zone.upsert(record("A", "10.0.0.1", name="good.example.org"), record(kind, value))
    assert zone.names() == set()


def test_what_is_wrong_is_said_at_once(cloud: ControlPlane) -> None:
    """Each error message indicates one error in the change batch."""
    zone = Zone(cloud)
    with pytest.raises(ClientError) as error:
        zone.upsert(record("A", "here"), record("A", "there", name="other.example.org"))
    assert all(f"'{value}'" in str(error.value) for value in ("here", "there"))


def test_a_name_stands_for_one_other(cloud: ControlPlane) -> None:
    """ "You can't create a CNAME record for … the zone apex."

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
    """
    zone = Zone(cloud)
    with refused("InvalidChangeBatch", "apex"):
        zone.upsert(record("CNAME", "www.example.com", name="example.org"))
    with refused("InvalidChangeBatch", "more than one"):
        zone.upsert(record("CNAME", "one.example.com", "two.example.com"))


def test_a_value_stands_once(cloud: ControlPlane) -> None:
    """Duplicate Resource Record"""
    with refused("InvalidChangeBatch", "Duplicate"):
        Zone(cloud).upsert(record("A", "10.0.0.1", "10.0.0.1"))


def test_a_record_has_values_or_is_an_alias(cloud: ControlPlane) -> None:
    """ "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]" """
    zone = Zone(cloud)
    alias = {"HostedZoneId": "Z215JYRZR1TBD5", "DNSName": "shop.elb.amazonaws.com", "EvaluateTargetHealth": False}
    zone.upsert({"Name": NAME, "Type": "A", "AliasTarget": alias})
    with refused("InvalidInput", "found none"):
        zone.upsert({"Name": NAME, "Type": "A", "ResourceRecords": [{"Value": "10.0.0.1"}]})
    with refused("InvalidInput", "more than one"):
        zone.upsert({**record("A", "10.0.0.1"), "AliasTarget": alias})


def test_what_is_there_is_not_created_and_what_is_not_is_not_deleted(cloud: ControlPlane) -> None:
    """ "CREATE: Creates a resource record set that has the specified values. DELETE: Deletes an existing resource
    record set." Tried to create resource record set […] but it already exists

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_Change.html
    """
    zone = Zone(cloud)
    zone.change("CREATE", record("A", "10.0.0.1"))
    with refused("InvalidChangeBatch", "already exists"):
        zone.change("CREATE", record("A", "10.0.0.2"))
    zone.change("CREATE", record("AAAA", "2001:db8::1"))
    zone.change("DELETE", record("A", "10.0.0.1"))
    with refused("InvalidChangeBatch", "not found"):
        zone.change("DELETE", record("A", "10.0.0.1"))


def test_a_name_for_another_has_no_other_records(cloud: ControlPlane) -> None:
    """ "If you create a CNAME record for a subdomain, you cannot create any other records for that subdomain."

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
    """
    zone = Zone(cloud)
    zone.upsert(record("A", "10.0.0.1"))
    with refused("InvalidChangeBatch", "conflicting"):
        zone.upsert(record("CNAME", "www.example.com"))
    zone.change("DELETE", record("A", "10.0.0.1"))
    zone.upsert(record("CNAME", "www.example.com"))
    with refused("InvalidChangeBatch", "conflicting"):
        zone.upsert(record("TXT", '"text"'))
