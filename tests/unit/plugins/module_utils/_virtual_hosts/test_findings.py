# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.findings import findings

HOST: dict[str, Any] = {
    "name": "orders",
    "server_name": "orders.example.org",
    "aliases": [],
    "https": True,
    "port": 80,
    "certificate": "/live/chain.pem",
    "certificate_key": "/live/key.pem",
    "backends": ["http://127.0.0.1:5001"],
    "static": [],
    "maintenance": False,
    "extra_directives": "",
}


def test_a_complete_host_is_fine() -> None:
    others = [{**HOST, "name": "wild", "server_name": "*.example.org"}, {**HOST, "name": "x", "server_name": "x"}]
    assert findings([HOST, *others]) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"server_name": "a b"}, "'a b' is not a host name"),
        ({"aliases": ["shop-.example.org", "-x"]}, "'-x' is not a host name"),
        ({"certificate_key": ""}, "HTTPS needs certificate and certificate_key"),
        ({"backends": []}, "there is nothing to serve, neither backends nor static paths"),
        ({"backends": ["127.0.0.1:5001"]}, "the backend '127.0.0.1:5001' is not like http://127.0.0.1:5001"),
        ({"backends": ["http://h/path"]}, "the backend 'http://h/path' is not like http://127.0.0.1:5001"),
        ({"https": False, "port": 443}, "port 443 cannot be a plain one"),
    ],
)
def test_each_problem_is_told_with_its_host(change: dict[str, Any], problem: str) -> None:
    assert findings([{**HOST, **change}]) == [f"orders: {problem}"]


@pytest.mark.parametrize(("port", "claimed"), [(80, True), (8080, False)])
def test_a_name_is_claimed_once_on_a_port(port: int, claimed: bool) -> None:
    plain = {**HOST, "name": "plain", "server_name": "ORDERS.example.org", "https": False, "port": port}
    told = ["plain: the name ORDERS.example.org belongs to another virtual host already"]
    assert findings([HOST, plain]) == (told if claimed else [])
