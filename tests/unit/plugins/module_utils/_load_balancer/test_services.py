# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the service list to target groups, listeners and certificate."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer import services
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.services import LoadBalancerError

SHOP = {"name": "shop", "host": "@", "port": 5000, "fleet": "web", "listen": 8000, "health": {"path": "/health"}}
API = {
    "name": "api",
    "host": "api",
    "aliases": ["v1.api.shop.example"],
    "paths": ["/v1", "/v1/long"],
    "port": 5001,
    "fleet": "web",
    "listen": 8001,
    "health": {"path": "/ready", "status": 204},
    "stickiness": 3600,
    "health_check": {"interval": 5, "timeout": 2},
}
TO_API = {"forward": [{"target_group": "api", "weight": 1}]}
TO_SHOP = {"forward": [{"target_group": "shop", "weight": 1}]}


def test_target_groups_have_what_the_service_says_else_what_the_load_balancer_says() -> None:
    common = {"deregistration_delay": 20, "health_check": {"interval": 15, "healthy": 4}}
    assert services.target_groups([SHOP, API, {"name": "job", "port": 1}], common) == [
        {
            "name": "shop",
            "port": 8000,
            "deregistration_delay": 20,
            "health_check": {"path": "/health", "codes": "200", "interval": 15, "healthy": 4},
        },
        {
            "name": "api",
            "port": 8001,
            "deregistration_delay": 20,
            "stickiness": {"seconds": 3600},
            "health_check": {"path": "/ready", "codes": "204", "interval": 5, "timeout": 2, "healthy": 4},
        },
    ]


def test_without_a_certificate_port_80_serves_the_longest_path_first() -> None:
    [listener] = services.listeners([SHOP, API], "shop.example", {})
    hosts = ["api.shop.example", "v1.api.shop.example"]
    assert (listener["port"], listener["protocol"], listener["default"]["respond"]["status"]) == (80, "HTTP", 404)
    assert listener["rules"] == [
        {"hosts": hosts, "paths": ["/v1/long"], "action": TO_API},
        {"hosts": hosts, "paths": ["/v1"], "action": TO_API},
        {"hosts": ["shop.example"], "paths": [], "action": TO_SHOP},
    ]


def test_with_one_port_80_leads_to_443() -> None:
    plain, secure = services.listeners([SHOP], "shop.example", {"certificate": {"arn": "arn:…"}})
    assert (plain["port"], plain["rules"], plain["default"]) == (80, [], services.TO_HTTPS)
    assert (secure["port"], secure["protocol"], len(secure["rules"])) == (443, "HTTPS", 1)


def test_weights_and_fixed_responses() -> None:
    old = {**SHOP, "name": "old", "host": "old"}
    new = {**SHOP, "traffic": {"shop": 90, "old": 10}}
    common = {"responses": [{"host": "@", "paths": ["/gone"], "status": 410}]}
    [listener] = services.listeners([new, old], "shop.example", common)
    assert listener["rules"][0] == {
        "hosts": ["shop.example"],
        "paths": ["/gone"],
        "action": {"respond": {"status": 410}},
    }
    assert [share["weight"] for share in listener["rules"][1]["action"]["forward"]] == [90, 10]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, {}),
        ({"certificate": {"arn": "a"}}, {"arn": "a"}),
        ({"certificate": {"arn": "a"}, "https": False}, {}),
        (
            {"certificate": {"request": True, "zone": "shop.example"}},
            {
                "request": {
                    "names": ["shop.example", "api.shop.example", "v1.api.shop.example"],
                    "zone": "shop.example",
                }
            },
        ),
        (
            {"certificate": {"request": {"zone": "shop.example", "wait": 60}}},
            {
                "request": {
                    "names": ["shop.example", "api.shop.example", "v1.api.shop.example"],
                    "zone": "shop.example",
                    "wait": 60,
                }
            },
        ),
        (
            {"certificate": {"request": {}}},
            {"request": {"names": ["shop.example", "api.shop.example", "v1.api.shop.example"]}},
        ),
    ],
)
def test_the_certificate_is_for_all_names(told: dict[str, Any], found: dict[str, Any]) -> None:
    assert services.certificate([SHOP, API], "shop.example", told) == found


def test_all_that_is_wrong_is_told_at_once() -> None:
    bad = [
        {**SHOP, "listen": None},
        {**API, "paths": ["v1"]},
        {**API, "name": "two", "host": "elsewhere.example"},
        {**SHOP, "name": "three", "traffic": {"nobody": 1}},
        {**SHOP, "name": "four"},
        {**SHOP, "name": "five", "host": "five", "health": "/ready"},
    ]
    with pytest.raises(LoadBalancerError) as error:
        services.listeners(bad, "shop.example", {"https": True, "colour": "red"})
    for part in (
        "platform_load_balancer has no option 'colour'",
        "https is true, and there is no platform_load_balancer.certificate",
        "service shop: 'listen' is missing",
        "service api: the path 'v1' does not begin with a slash",
        "service two: 'elsewhere.example' is outside the domain shop.example",
        "service three: traffic goes to 'nobody'",
        "shop.example/ belongs to three and to four",
        "service five: health is '/ready', and has to be a mapping, like {path: /ready}",
    ):
        assert part in str(error.value)
