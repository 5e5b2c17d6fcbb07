# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table, compared as plain text."""

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._platform_summary.table import platform_summary

CERTIFICATE = {"names": ["a.example", "b.example"], "expires": "2027-01-01T00:00:00Z", "days_left": 42, "sha256": "ab"}
ENDPOINTS: list[dict[str, Any]] = [
    {"name": "home", "url": "https://a.example/health", "status": 200, "milliseconds": 7, "certificate": CERTIFICATE},
    {
        "name": "orders",
        "url": "https://b.example/health",
        "status": None,
        "findings": ["x"],
        "certificate": CERTIFICATE,
    },
]


def test_the_table_is_aligned_and_tells_each_certificate_once() -> None:
    services = {
        "home": {"release": "r1", "color": "blue", "health": "ok"},
        "cron": {"release": "r9", "units": {"cron.socket": "failed (failed)", "b.service": "active (running)"}},
    }
    assert platform_summary(ENDPOINTS, services, findings=["orders is gone"]) == [
        "URL                       SERVICE  RELEASE  UNIT                         HEALTH     MS",
        "https://a.example/health  home     r1       blue                         200 ok     7",
        "https://b.example/health  orders   -        -                            no answer  -",
        "-                         cron     r9       cron.socket failed (failed)  -          -",
        "",
        "Certificate as served, until 2027-01-01T00:00:00Z (42 days left): a.example, b.example",
        "",
        "Not as it should be:",
        "- orders is gone",
    ]


def test_what_is_found_of_a_service_is_told_with_the_rest() -> None:
    lines = platform_summary(ENDPOINTS, {"orders": {"findings": ["orders: both run"]}}, findings=["orders is gone"])
    assert lines[-3:] == ["Not as it should be:", "- orders is gone", "- orders: both run"]


def test_certificates_on_the_host_are_shown_when_none_is_served() -> None:
    lines = platform_summary([], {}, {"a.example": {"names": ["a.example"], "expires": "2027-01-01"}})
    assert lines == ["Nothing runs here yet.", "", "Certificate a.example, until 2027-01-01: a.example"]
