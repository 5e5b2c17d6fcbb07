# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a list of services is told all at once, with its place."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.findings import findings

ORDERS: dict[str, Any] = {"name": "orders", "port": 5001, "source": {"directory": "orders"}}


def test_a_right_list_has_no_findings() -> None:
    homepage = {"name": "homepage", "host": "@", "port": 5000, "source": {"package": "homepage", "version": "1.2"}}
    assert findings([ORDERS, {**homepage, "virtual_host": {"hsts": True}, "peers": True}], "example.test") == []
    assert findings([ORDERS]) == []
    assert findings([{**ORDERS, "network": ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]}]) == []
    assert findings([{**ORDERS, "network": ["any"]}, {**homepage, "network": "any"}], "example.test") == []
    assert findings([{"name": "orders", "state": "absent"}]) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "Orders"}, "platform_services[0].name is 'Orders', but a name has"),
        ({"name": "orders-"}, "platform_services[0].name is 'orders-', but a name has"),
        ({"name": None}, "platform_services[0].name is missing"),
        ({"name": "orders-blue"}, "platform_services[0].name is 'orders-blue', but names that begin with gatehouse or"),
        ({"name": "orders-task"}, "end in -blue, -green, -candidate or -task are taken"),
        ({"name": "gatehouse-x"}, "are taken by units of the platform"),
        ({"port": None}, "platform_services[0].port is missing"),
        ({"port": 80}, "platform_services[0].port is 80, but has to be between 1024 and 65535"),
        ({"port": True}, "platform_services[0].port is True"),
        ({"prot": 1}, "platform_services[0].prot is not known; known are"),
        ({"source": None}, "platform_services[0].source is missing"),
        ({"source": {}}, "platform_services[0].source has none of directory, git, archive, package"),
        ({"source": {"directory": "a", "git": "b"}}, "platform_services[0].source has directory and git of"),
        ({"source": {"git": "b"}}, "platform_services[0].source.revision is missing beside git"),
        (
            {"source": {"git": "b", "revision": "--upload-pack=x"}},
            "revision is '--upload-pack=x', which is no revision",
        ),
        ({"source": {"git": "--upload-pack=x", "revision": "main"}}, "source.git is '--upload-pack=x'"),
        ({"source": {"directory": "a", "revision": "b"}}, "source.revision is not known beside directory"),
        ({"source": {"package": "a"}}, "source.version is missing beside package"),
        ({"kind": "php"}, "kind is 'php', but has to be one of wsgi, asgi, command"),
        ({"kind": "command"}, "command is missing for kind command"),
        ({"command": ["node"]}, "command goes with kind command only"),
        ({"workers": 0}, "workers is 0, but has to be between 1 and 256"),
        ({"memory_max": "much"}, "memory_max is 'much', but has to be like 512M"),
        ({"network": ["x\nExecStartPre=+/bin/x"]}, "but has to be any, or a list of ranges like 10.0.0.0/8"),
        ({"network": ["any", "10.0.0.0/8"]}, "network is ['any', '10.0.0.0/8'], but has to be any, or a list"),
        ({"network": [10]}, "network is [10], but has to be any"),
        ({"log_name": "a\nb"}, "log_name is 'a\\nb', but has to be made of letters"),
        ({"log_name": "a/b"}, "log_name is 'a/b', but has to be made of letters"),
        ({"migrate": ["a\0b"]}, "migrate holds a NUL"),
        ({"application": "app"}, "application is 'app', but has to be like module:callable"),
        ({"health": {"path": "health"}}, "health.path is 'health', but has to begin with /"),
        ({"health": {"url": "/"}}, "health.url is not known"),
        ({"health": {"status": 99}}, "health.status is 99, which is no HTTP status"),
        ({"environment": {"A B": "1"}}, "environment has 'A B', which is no name of a variable"),
        ({"secrets": {"../../x": "1"}}, "secrets has '../../x', which is no name of a variable"),
        ({"environment": {"A": ["1"]}}, "environment.A is not a text"),
        ({"migrate": "python migrate.py"}, "migrate is not a list of words"),
        ({"hooks": {"after": []}}, "hooks.after is not known; known are before_switch, after_switch"),
        ({"host": "a.other.test"}, "host: 'a.other.test' is outside the domain example.test; it has to be"),
        ({"aliases": ["ok", "not_ok"]}, "aliases[1]: 'not_ok' is not a host name"),
        ({"aliases": "ok"}, "platform_services[0].aliases is not a list"),
        ({"state": "absent"}, "[0].state does not belong into this list: a service is removed when its entry leaves"),
        ({"remove_data": True}, "[0].remove_data does not belong into this list: a service is removed when"),
        ({"release": "previous"}, "[0].release does not belong into this list: rollback.yml goes back"),
        ({"server_name": "a.test"}, "[0].server_name does not belong into this list: it follows from host"),
    ],
)
def test_each_mistake_is_told_with_its_place(change: dict[str, Any], sentence: str) -> None:
    found = findings([{**ORDERS, **change}], "example.test")
    assert len(found) == 1
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"state": "gone"}, "services[0].state is 'gone', but has to be present or absent"),
        ({"server_name": "a b"}, "services[0].server_name is 'a b', which is no host name"),
        ({"host": "shop"}, "services[0].host is not known; known are"),
    ],
)
def test_the_role_s_own_keys_are_checked(change: dict[str, Any], sentence: str) -> None:
    (found,) = findings([{**ORDERS, **change}], place="services")
    assert sentence in found


def test_the_role_takes_what_the_platform_s_list_does_not() -> None:
    assert findings([{**ORDERS, "source": None, "release": "previous", "server_name": "shop.example.test"}]) == []
    assert findings([ORDERS, {**ORDERS, "name": "other", "state": "absent", "remove_data": True}]) == []


def test_an_empty_host_stands_for_the_name() -> None:
    payments = {**ORDERS, "name": "payments", "port": 5002, "host": "orders"}
    (found,) = findings([{**ORDERS, "host": "", "log_name": None}, payments], "example.test")
    assert found.startswith("platform_services[1].host: the public name orders.example.test is that of")


def test_all_mistakes_are_told_at_once() -> None:
    found = findings([{**ORDERS, "prot": 1, "workers": 0}, {"name": "a b", "port": "x"}], "example.test")
    assert len(found) == 5


def test_duplicates_name_both_places() -> None:
    other = {**ORDERS, "host": "other"}
    assert findings([ORDERS, other], "example.test") == [
        "platform_services[1].name: the name orders is that of platform_services[0].name already",
        "platform_services[1].port: the port 5001 is that of platform_services[0].port already",
        "platform_services[1].log_name: the log_name orders is that of platform_services[0].log_name already",
    ]
    payments = {**ORDERS, "name": "payments", "port": 5002, "aliases": ["orders"]}
    (found,) = findings([ORDERS, payments], "example.test")
    assert found.startswith("platform_services[1].aliases[0]: the public name orders.example.test is that of")


def test_services_behind_a_load_balancer_may_share_a_name_and_others_none_of_theirs() -> None:
    shop = {**ORDERS, "listen": 8000}
    api = {**ORDERS, "name": "api", "port": 5002, "log_name": "api", "listen": 8001, "host": "orders"}
    assert findings([shop, api], "example.test") == []
    direct = {**ORDERS, "name": "direct", "port": 5003, "log_name": "direct", "host": "orders"}
    (found,) = findings([shop, api, direct], "example.test")
    assert found.startswith("platform_services[2].host: the public name orders.example.test is that of")


@pytest.mark.parametrize("services", [None, "orders", {"name": "orders"}])
def test_something_that_is_no_list_is_told(services: Any) -> None:
    assert findings(services) == ["platform_services is not a list"]
