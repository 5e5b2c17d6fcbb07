# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints that follow from the list of services."""

from __future__ import annotations

from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.derive import endpoints

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
