# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public names in a zone of an account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.provisioning.playbook import Run, run

OWN = {"name": "shop.example", "addresses": ["203.0.113.20"]}
API = {"name": "api.shop.example", "load_balancer": {"dns_name": "lb.elb.amazonaws.com", "zone_id": "Z215JYRZR1TBD5"}}


def play(
    cloud: ControlPlane, folder: Path, *options: str, succeeds: bool = True, state: str = "present", records: Any = ()
) -> Run:
    names = {"platform": "shop", "zone": "shop.example", "state": state, "records": list(records)}
    tasks = [{"name": "Lead the names", "gatehouse.platform.public_names": names}]
    return run(cloud, folder, tasks, {}, *options, succeeds=succeeds)


@pytest.fixture
def zone(cloud: ControlPlane) -> str:
    """A zone with a record of somebody else."""
    route53 = cloud.client("route53")
    found = str(route53.create_hosted_zone(Name="shop.example", CallerReference="1")["HostedZone"]["Id"])
    put(cloud, found, "mail.shop.example", "192.0.2.9")
    return found


def put(cloud: ControlPlane, zone: str, name: str, address: str) -> None:
    record = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": address}]}
    change = {"Action": "UPSERT", "ResourceRecordSet": record}
    cloud.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})


def records(cloud: ControlPlane, zone: str) -> dict[str, str]:
    """Where the names of the zone lead."""
    found = cloud.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {
        one["Name"]: one["AliasTarget"]["DNSName"] if "AliasTarget" in one else one["ResourceRecords"][0]["Value"]
        for one in found
        if one["Type"] in ("A", "TXT")
    }


def test_names_are_led_changed_and_removed_and_others_stay(cloud: ControlPlane, tmp_path: Path, zone: str) -> None:
    unknown = play(cloud, tmp_path, "--check", records=[{**OWN, "addresses": [""]}])
    assert unknown.changed == 1
    assert "+shop.example A (not there yet)" in unknown.stdout
    assert play(cloud, tmp_path, "--check", records=[OWN, API]).changed == 1
    assert records(cloud, zone) == {"mail.shop.example.": "192.0.2.9"}

    assert play(cloud, tmp_path, records=[OWN, API]).changed == 1
    assert records(cloud, zone) == {
        "mail.shop.example.": "192.0.2.9",
        "shop.example.": "203.0.113.20",
        "_gatehouse.shop.example.": '"gatehouse:platform=shop"',
        "api.shop.example.": "lb.elb.amazonaws.com.",
        "_gatehouse.api.shop.example.": '"gatehouse:platform=shop"',
    }
    assert play(cloud, tmp_path, records=[OWN, API]).changed == 0

    moved = play(cloud, tmp_path, records=[{**OWN, "addresses": ["203.0.113.21"]}])
    assert "-shop.example A 203.0.113.20" in moved.stdout
    assert "+shop.example A 203.0.113.21" in moved.stdout
    assert "api.shop.example." not in records(cloud, zone)
    assert play(cloud, tmp_path, state="absent").changed == 1
    assert records(cloud, zone) == {"mail.shop.example.": "192.0.2.9"}
    assert play(cloud, tmp_path, state="absent").changed == 0


def test_a_name_of_somebody_else_is_an_error_and_nothing_changes(
    cloud: ControlPlane, tmp_path: Path, zone: str
) -> None:
    put(cloud, zone, "shop.example", "192.0.2.1")
    refused = play(cloud, tmp_path, records=[OWN, API], succeeds=False)
    assert "shop.example leads to 192.0.2.1 (A) and does not belong to the platform" in refused.stdout
    assert set(records(cloud, zone)) == {"mail.shop.example.", "shop.example."}


def test_without_a_zone_or_an_address_the_message_says_what_to_do(cloud: ControlPlane, tmp_path: Path) -> None:
    missing = play(cloud, tmp_path, records=[OWN], succeeds=False)
    assert "there is no public zone shop.example in Route 53: make it" in missing.stdout
    assert play(cloud, tmp_path, state="absent").changed == 0
    cloud.client("route53").create_hosted_zone(Name="shop.example", CallerReference="1")
    nowhere = play(cloud, tmp_path, records=[{**OWN, "addresses": [""]}], succeeds=False)
    assert "shop.example has nothing to lead to" in nowhere.stdout
