# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints that follow from the list of services."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.derive import (
    behind,
    closed_ports,
    endpoints,
    urls,
)

SERVICES = [
    {"name": "homepage", "port": 5000, "host": "@", "aliases": ["www"]},
    {"name": "orders", "port": 5001, "host": "microservice1", "health": {"path": "/ready", "status": 204}},
    {"name": "payments", "port": 5002},
]


def test_hosts_are_labels_below_the_domain() -> None:
    found = endpoints(SERVICES, "example.com", "10.0.0.1")
    assert [entry["host"] for entry in found] == ["example.com", "microservice1.example.com", "payments.example.com"]
    assert found[0]["aliases"] == ["www.example.com"]
    assert (found[1]["health_path"], found[1]["status"]) == ("/ready", 204)
    assert (found[2]["health_path"], found[2]["status"]) == ("/health", 200)
    assert {entry["address"] for entry in found} == {"10.0.0.1"}


def test_without_an_address_names_are_resolved() -> None:
    assert {entry["address"] for entry in endpoints(SERVICES, "example.com", "")} == {None}


def test_what_visitors_do_not_reach_over_https_is_left_out() -> None:
    plain = {"name": "behind", "port": 5003, "virtual_host": {"https": False, "port": 8080}}
    down = {"name": "down", "port": 5004, "virtual_host": {"maintenance": True}}
    assert [entry["name"] for entry in endpoints([*SERVICES, plain, down], "example.com")] == [
        "homepage",
        "orders",
        "payments",
    ]


BEHIND = [
    {"name": "shop", "host": "@", "aliases": ["www"], "port": 5000, "listen": 8000, "fleet": "web"},
    {"name": "api", "port": 5001, "listen": 8001, "health": {"path": "/v1/ready", "status": 204}, "paths": ["/v1"]},
]
HTTPS = {"certificate": {"arn": "arn:…"}}


def test_the_load_balancer_is_asked_by_its_own_name_for_what_is_behind_it() -> None:
    found = behind([*BEHIND, *SERVICES[1:]], "shop.example", {"https": False}, "lb.example")
    assert [(entry["host"], entry["aliases"], entry["address"], entry["https"]) for entry in found] == [
        ("shop.example", ["www.shop.example"], "lb.example", False),
        ("api.shop.example", [], "lb.example", False),
    ]
    assert endpoints(BEHIND, "shop.example") == []


@pytest.mark.parametrize(
    ("told", "https"),
    [({"access": []}, False), (HTTPS, True), ({**HTTPS, "https": False}, False), ({"https": True}, True)],
)
def test_a_load_balancer_serves_over_https_where_it_is_told_to_or_has_a_certificate(told: Any, https: bool) -> None:
    assert {entry["https"] for entry in behind(BEHIND, "shop.example", told)} == {https}
    assert urls(BEHIND, "shop.example", told)[0] == f"http{'s' if https else ''}://shop.example/health"


def test_an_internal_load_balancer_is_not_asked_from_outside() -> None:
    assert behind(BEHIND, "shop.example", {"scheme": "internal"}) == []


@pytest.mark.parametrize(
    ("paths", "health", "asked"),
    [
        (["/v1"], "/v1/health", True),
        (["/v1/"], "/v1", True),
        (["/v1"], "/v10/health", False),
        (["/v1", "/health"], "/health?full=1", True),
        (["/api/*"], "/api/health", True),
        (["/api/*"], "/health", False),
        (None, "/health", True),
    ],
)
def test_health_that_no_path_leads_to_is_not_asked_for(paths: Any, health: str, asked: bool) -> None:
    service = {"name": "api", "port": 5001, "listen": 8001, "paths": paths, "health": {"path": health}}
    assert bool(behind([service], "shop.example", HTTPS)) == asked


def test_ports_of_services_are_closed_and_with_a_load_balancer_its_way_to_them() -> None:
    assert closed_ports(SERVICES) == [5000, 5001, 5002]
    assert closed_ports(BEHIND) == [5000, 5001]
    assert closed_ports([*BEHIND, {"name": "old", "port": 5009, "listen": 80}], HTTPS) == [5000, 5001, 5009, 8000, 8001]


def test_without_a_load_balancer_hosts_are_asked_over_https() -> None:
    assert urls(SERVICES, "example.com")[1] == "https://microservice1.example.com/ready"
