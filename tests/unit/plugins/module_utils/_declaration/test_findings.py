# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a declaration, all at once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._declaration.findings import findings

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKk8Zn4y7pD7cF5o0Xw1uY2rM3tQ6vB9eJ0aL1sD2fG3 operator"
SHOP = {
    "name": "shop",
    "host": "@",
    "port": 5000,
    "listen": 8000,
    "fleet": "web",
    "source": {"git": "shop", "revision": "main"},
}
RIGHT: dict[str, Any] = {
    "operators": ["203.0.113.0/24"],
    "load_balancer": {"https": False},
    "fleets": [{"name": "web"}],
    "machine": {"public_key": KEY, "image": {"name": "debian-13-*", "owner": "1"}},
}


def found(*services: dict[str, Any], **more: Any) -> list[str]:
    return findings(services or [SHOP], "shop", "shop.example", **{**RIGHT, **more})


def test_what_is_right_has_none() -> None:
    assert found() == []
    alone = [{"name": "orders", "port": 5001, "source": {"git": "orders", "revision": "main"}}]
    assert found(*alone, load_balancer=None, fleets=[], hosts=[{"name": "web"}], topology="direct") == []


@pytest.mark.parametrize(
    ("service", "options", "words"),
    [
        ({}, {"load_balancer": {"https": True}}, "there is no platform_load_balancer.certificate"),
        ({}, {"operators": ["0.0.0.0/0"]}, "group shop-bastion opens port 22 to everybody"),
        ({}, {"operators": []}, "platform_operators is empty"),
        ({}, {"topology": "open"}, "platform_topology 'open' is none"),
        ({"fleet": "other"}, {}, "service shop runs on 'other', which is not declared"),
        ({"listen": None}, {}, "service shop runs on web behind the load balancer: give listen"),
        ({"health_check": {"port": 8001}}, {}, "service shop: health_check.port 8001, where nothing answers on web"),
        (
            {},
            {"load_balancer": {"health_check": {"port": 8001}}},
            "service shop: platform_load_balancer.health_check.port 8001, where nothing answers on web",
        ),
        ({}, {"fleets": [{"name": "web", "desird": 2}]}, "platform_fleets[0] web has no option 'desird'"),
        ({}, {"fleets": [{"name": "web", "health_check": {"type": "ELB"}}]}, "web: health_check has no option 'type'"),
        ({}, {"fleets": [], "hosts": [{"name": "web", "max": 2}]}, "platform_hosts[0] web has no option 'max'"),
        ({"health_check": {"port": "http"}}, {}, "service shop: health_check.port 'http' is no port"),
        ({"virtual_host": {"color": "red"}}, {}, "service shop: virtual_host has no option 'color'"),
        ({"workers": 0}, {}, "platform_services[0].workers"),
        ({"source": {"directory": "nowhere"}}, {}, "shop: the source directory"),
        ({"permissions": [{"actions": ["s3:*"], "resources": ["*"]}]}, {}, "permissions[0]: the action 's3:*'"),
        ({}, {"machine": {"image": RIGHT["machine"]["image"]}}, "platform_public_key is missing"),
        ({}, {"machine": {**RIGHT["machine"], "public_key": "ssh-dss A"}}, "platform_public_key is no line as"),
        ({}, {"machine": {**RIGHT["machine"], "tags": {"Name": "x"}}}, "platform_tags: the tag Name"),
        ({}, {"fleets": [{"name": "web", "min": 3, "max": 2}]}, "platform_fleets[0] web: min 3, desired 3, max 2"),
        ({}, {"fleets": [{"name": "web", "deploy": {"batch": "x"}}]}, "platform_fleets: web: deploy.batch"),
        ({"host": "elsewhere.example"}, {}, "'elsewhere.example' is outside the domain shop.example"),
    ],
)
def test_what_is_wrong_is_told(service: dict[str, Any], options: dict[str, Any], words: str) -> None:
    assert any(words in finding for finding in found({**SHOP, **service}, **options))


@pytest.mark.parametrize(
    ("service", "options", "words"),
    [
        ({"name": None}, {}, "platform_services[0].name is missing"),
        ({}, {"machine": {**RIGHT["machine"], "image": "ami-1"}}, "platform_image is 'ami-1', and has to be a mapping"),
        ({}, {"fleets": [{"name": "web", "deploy": "x"}]}, "platform_fleets[0].deploy is 'x', and has to be a mapping"),
    ],
)
def test_what_has_another_shape_is_told_too(service: dict[str, Any], options: dict[str, Any], words: str) -> None:
    assert any(words in finding for finding in found({**SHOP, **service}, **options))


def test_parts_are_told_together_and_each_finding_once() -> None:
    told = found({**SHOP, "listen": None}, operators=[], load_balancer={"https": True})
    assert len(told) == len(set(told))
    assert [
        finding
        for finding in told
        if finding.startswith(("platform_operators is empty", "platform_load_balancer.https is true"))
    ] == [
        "platform_operators is empty, so nobody would get in: give the ranges that operators come from",
        "platform_load_balancer.https is true, and there is no platform_load_balancer.certificate",
    ]
