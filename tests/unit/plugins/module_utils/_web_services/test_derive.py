# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the platform's list to the role's, and what a diff shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import derive, describe, plan
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import Service, State

SERVICES = [
    {"name": "homepage", "host": "@", "port": 5000, "peers": True, "environment": {"LEVEL": "info"}},
    {"name": "orders", "host": "shop", "port": 5001, "log_name": "ms1", "virtual_host": {}},
    {"name": "payments", "port": 5002},
]


def test_public_names_stay_with_the_proxy() -> None:
    assert derive.role_services(SERVICES, "example.test", "orders") == [
        {"name": "orders", "port": 5001, "server_name": "shop.example.test"}
    ]
    assert derive.role_services(SERVICES, only="payments") == [{"name": "payments", "port": 5002}]


def test_peers_are_told_where_the_others_are() -> None:
    assert derive.role_services(SERVICES, "example.test")[0]["environment"] == {
        "SERVICES": "orders=http://127.0.0.1:5001,payments=http://127.0.0.1:5002",
        "LINKS": "orders=https://shop.example.test,payments=https://payments.example.test",
        "LEVEL": "info",
    }


def test_links_say_http_where_nothing_is_encrypted() -> None:
    listening = {"name": "api", "port": 5003, "listen": 8003}
    plain = {"name": "docs", "port": 5004, "virtual_host": {"https": False}}
    services = [SERVICES[0], listening, plain]

    def links(**load_balancer: str) -> str:
        return str(derive.role_services(services, "example.test", "homepage", load_balancer)[0]["environment"]["LINKS"])

    assert links() == "api=http://api.example.test,docs=http://docs.example.test"
    assert links(certificate="arn") == "api=https://api.example.test,docs=http://docs.example.test"


def test_a_service_with_permissions_may_use_the_role_of_its_instance() -> None:
    allowed = {"name": "api", "port": 5003, "permissions": [{"actions": ["s3:GetObject"], "resources": ["arn:x"]}]}
    assert derive.role_services([allowed]) == [{"name": "api", "port": 5003, "instance_role": True}]


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="there is no service order; the list has homepage, orders, payments"):
        derive.role_services(SERVICES, only="order")


def test_lines_of_a_result() -> None:
    found = {
        "release": "r1",
        "color": "blue",
        "url": "http://127.0.0.1:5001",
        "health": {"status": 200},
        "previous": "r0",
    }
    assert derive.result_lines({"plan": ["orders: x"], "services": {"orders": found, "old": {"state": "absent"}}}) == [
        "orders runs release r1 (blue) at http://127.0.0.1:5001, health: status 200, before it r0",
        "old is not on this host",
    ]


def test_a_diff_shows_names_and_no_values() -> None:
    service = Service(
        "orders",
        5001,
        fingerprint="a" * 64,
        environment={"LEVEL": 'one\nSECRET="two'},
        secrets={"TOKEN": "s3cret"},
    )
    text = describe.difference(plan.plan(service, State(), "3.11", "20261120T131800Z"))["after"]
    assert "variable LEVEL\n" in text
    assert "secret TOKEN\n" in text
    assert "s3cret" not in text
    assert "SECRET" not in text
    assert "20261120T131800Z" not in text


def test_after_a_failure_is_told_what_was_found_and_not_what_was_planned() -> None:
    service = Service("orders", 5001, fingerprint="a" * 64, after_switch=("false",))
    first = plan.plan(service, State(), "3.11", "20261120T131800Z")
    old = first.after()
    new = plan.plan(replace(service, fingerprint="b" * 64), old, "3.11", "20261120T141800Z").after()
    assert describe.still_running(State(), State()) == "nothing was running before, nothing runs now"
    assert describe.still_running(old, old) == "release 20261120T131800Z-aaaaaaaa (blue) still runs"
    assert describe.still_running(old, new) == "release 20261120T141800Z-bbbbbbbb (green) runs now"
    assert describe.still_running(old, State()) == "nothing runs now"
    lame = replace(old, colors={color: replace(one, active=False) for color, one in old.colors.items()})
    assert (
        describe.still_running(old, lame)
        == "release 20261120T131800Z-aaaaaaaa (blue) is the live one, but does not run"
    )


JOURNAL = """\
Exception in worker process
Traceback (most recent call last):
  File "/srv/orders/environments/abc/lib/gunicorn/arbiter.py", line 683, in spawn_worker
    worker.init_process()
    ~~~~~~~~~~~~~~~~~~~^^
  File "/srv/orders/releases/r1/app.py", line 3, in <module>
    raise RuntimeError("broken")
RuntimeError: broken
Traceback (most recent call last):
  File "/usr/lib/python3.13/x.py", line 1, in halt
    self.stop()
gunicorn.errors.HaltServer: <HaltServer 'Worker failed to boot.' 3>"""


def test_the_cause_is_not_drowned_by_frames_of_the_server() -> None:
    assert describe.excerpt(JOURNAL, "/srv/orders/releases/", lines=5).splitlines() == [
        '  File "/srv/orders/releases/r1/app.py", line 3, in <module>',
        '    raise RuntimeError("broken")',
        "RuntimeError: broken",
        "Traceback (most recent call last):",
        "gunicorn.errors.HaltServer: <HaltServer 'Worker failed to boot.' 3>",
    ]
