# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From services to certificates."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.declare import certificates
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError

SERVICES: list[dict[str, Any]] = [
    {"name": "orders", "host": "microservice1", "port": 5001},
    {"name": "homepage", "host": "@", "aliases": ["www"], "port": 5000},
    {"name": "shop", "port": 5003},
]


def test_one_certificate_has_all_names_the_domain_first() -> None:
    assert certificates(SERVICES, "example.test") == [
        {
            "name": "example.test",
            "names": ["example.test", "microservice1.example.test", "www.example.test", "shop.example.test"],
        }
    ]


def test_no_service_no_certificate() -> None:
    assert certificates([], "example.test") == []


def test_the_domain_is_left_out_when_no_service_answers_there() -> None:
    assert certificates(SERVICES[:1], "example.test")[0]["names"] == ["microservice1.example.test"]


@pytest.mark.parametrize("options", [{"https": False, "port": 8080}, {"certificate": "/etc/ssl/own.pem"}])
def test_a_service_with_plain_http_or_a_certificate_of_its_own_adds_no_name(options: dict[str, Any]) -> None:
    assert certificates([{**SERVICES[0], "virtual_host": options}, SERVICES[1]], "example.test")[0]["names"] == [
        "example.test",
        "www.example.test",
    ]


def test_a_name_outside_the_domain_is_an_error() -> None:
    with pytest.raises(VirtualHostsError, match="outside the domain"):
        certificates([{**SERVICES[0], "host": "shop.other.test"}], "example.test")
