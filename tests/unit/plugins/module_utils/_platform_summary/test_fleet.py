# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts behind the load balancer: rows, table and findings."""

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._platform_summary.fleet import (
    fleet_findings,
    fleet_states,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_summary.table import platform_summary

SERVICES = [{"name": "shop", "listen": 8000}, {"name": "job"}]


def host(zone: str, release: str, **more: Any) -> dict[str, Any]:
    runs = {"shop": {"release": release, "color": "blue", "findings": []}}
    return {"ec2_placement": {"availability_zone": zone}, "web_service_result": {"services": runs}, **more}


def target(name: str, state: str, words: str = "") -> dict[str, Any]:
    return {"id": name, "port": 8000, "state": state, "description": words, "availability_zone": ""}


HOSTVARS = {"i-1": host("eu-1a", "r2"), "i-2": host("eu-1b", "r1"), "i-3": {}}
TARGETS = {
    "shop": [target("i-1", "healthy"), target("i-2", "unhealthy", "failed with [502]"), target("i-9", "initial")]
}
ENDPOINT = {"name": "shop", "url": "http://shop.example/health", "status": 200, "milliseconds": 3}


def test_the_table_has_every_host_with_zone_state_and_release() -> None:
    rows = fleet_states(HOSTVARS, ["i-1", "i-2", "i-3"], SERVICES, TARGETS)
    assert platform_summary([ENDPOINT], hosts=rows, findings=fleet_findings(rows)) == [
        "URL                         SERVICE  RELEASE                UNIT  HEALTH  MS",
        "http://shop.example/health  shop     2 releases, see below  -     200 ok  3",
        "",
        "HOST  ZONE   SERVICE  TARGET          RELEASE  UNIT",
        "i-3   -      shop     not registered  -        -",
        "i-9   -      shop     initial         -        -",
        "i-1   eu-1a  shop     healthy         r2       blue",
        "i-2   eu-1b  shop     unhealthy       r1       blue",
        "",
        "Not as it should be:",
        "- i-3 (zone unknown) is not registered for shop",
        "- i-2 (eu-1b) is unhealthy for shop, as the load balancer says: failed with [502]",
    ]


def test_one_release_everywhere_is_that_of_the_service() -> None:
    rows = fleet_states({"i-1": host("a", "r2")}, ["i-1"], SERVICES, TARGETS)
    assert platform_summary([ENDPOINT], hosts=rows)[1].split()[:3] == ["http://shop.example/health", "shop", "r2"]


def test_a_host_that_got_the_same_code_later_has_the_same_release() -> None:
    early, late = "20261120T131800Z-1a2b3c4d", "20261120T140000Z-1a2b3c4d"
    rows = fleet_states({"i-1": host("a", late), "i-2": host("a", early)}, ["i-1", "i-2"], SERVICES, TARGETS)
    assert platform_summary([ENDPOINT], hosts=rows)[1].split()[:3] == ["http://shop.example/health", "shop", late]


def test_hosts_are_found_among_the_targets_by_instance_or_address() -> None:
    hostvars = {
        "web1": host("a", "r1", ec2_instance_id="i-1"),
        "web2": host("b", "r1", ansible_host="10.0.1.5"),
    }
    targets = {"shop": [target("i-1", "healthy"), target("10.0.1.5", "draining")]}
    assert [(row["host"], row["state"]) for row in fleet_states(hostvars, list(hostvars), SERVICES, targets)] == [
        ("web1", "healthy"),
        ("web2", "draining"),
    ]


def test_a_host_has_the_services_that_its_tag_names() -> None:
    both = [{"name": "shop", "listen": 8000}, {"name": "api", "listen": 8001}]
    hostvars = {
        "i-1": host("a", "r1", ec2_tags={"gatehouse:services": "api"}),
        "i-2": host("a", "r1", ec2_tags={"gatehouse:services": ""}),
    }
    assert [(row["host"], row["service"]) for row in fleet_states(hostvars, list(hostvars), both, {})] == [
        ("i-1", "api")
    ]


def test_a_load_balancer_that_does_not_exist_is_the_one_thing_told() -> None:
    rows = fleet_states(HOSTVARS, ["i-1"], SERVICES, {})
    assert fleet_findings(rows, "shop-lb") == ["there is no load balancer shop-lb of this platform: run site.yml"]


def test_what_was_found_on_a_host_is_told_with_it() -> None:
    hostvars = {"i-1": {"platform_running": {"services": {"shop": {"findings": ["shop: both run"]}}}}}
    rows = fleet_states(hostvars, ["i-1"], SERVICES, {"shop": [target("i-1", "healthy")]}, "platform_running")
    assert fleet_findings(rows) == ["i-1 (zone unknown): shop: both run"]
