# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From facts to findings: one row per thing that can stand in the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.check import findings
from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.model import Facts, Holder, Request, Space
from hypothesis import given
from hypothesis import strategies as st

REQUEST = Request(
    names=("example.com",),
    public_address="203.0.113.10",
    service_ports={"orders": 5001},
    free_space={"/srv": 500},
    time=1000.0,
)
FACTS = Facts(
    system="debian 12",
    systemd=True,
    root=True,
    now=1001.0,
    addresses={"example.com": ("203.0.113.10",)},
    holders=(),
    own_services=frozenset({"old-service"}),
    space={"/srv": Space(501, None)},
)


def test_nothing_is_found_on_a_fit_host() -> None:
    assert findings(REQUEST, FACTS) == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"system": "fedora 41"}, "the system is fedora 41; supported are debian 12, debian 13"),
        ({"system": ""}, "the system is not known"),
        ({"systemd": False}, "systemd does not run here"),
        ({"root": False}, "set become: true"),
        ({"addresses": {}}, "example.com does not resolve; it has to lead to 203.0.113.10"),
        (
            {"addresses": {"example.com": ("10.0.0.1", "::1")}},
            "example.com leads to 10.0.0.1, ::1, not to 203.0.113.10",
        ),
        ({"space": {"/srv": Space(499, None)}}, "/srv has 499 MB free; 500 MB are needed"),
        ({"space": {"/srv": Space(501, 12)}}, "/srv has room for 12 more files only"),
        ({"now": 2000.0}, "the clock is 1000 seconds ahead of the controller's"),
        ({"now": 0.0}, "the clock is 1000 seconds behind the controller's"),
        (
            {"holders": (Holder(80, "0.0.0.0", "nginx", 7, ("nginx.service",)),)},
            "port 80, wanted by Apache, is held by",
        ),
        (
            {"holders": (Holder(5001, "127.0.0.1", "node", 9),)},
            "wanted by the service orders, is held by node, process 9",
        ),
        ({"holders": (Holder(5001, "::", "systemd", 1, ("other.socket",)),)}, "systemd, process 1, unit other.socket"),
    ],
)
def test_each_obstacle_is_told(changes: dict[str, object], finding: str) -> None:
    (found,) = findings(REQUEST, replace(FACTS, **changes))  # type: ignore[arg-type]
    assert finding in found


@pytest.mark.parametrize(
    "holder",
    [
        Holder(80, "::", "apache2", 7, ("apache2.service",)),
        Holder(5001, "127.0.0.1", "systemd", 1, ("orders.socket",)),
        Holder(5001, "127.0.0.1", "gunicorn", 8, ("orders-blue.service",)),
        Holder(5001, "127.0.0.1", "gunicorn", 8, ("old-service-green.service",)),
        Holder(5001, "192.0.2.1", "node", 9),
    ],
)
def test_own_holders_and_other_addresses_are_no_obstacle(holder: Holder) -> None:
    assert findings(REQUEST, replace(FACTS, holders=(holder,))) == []


def test_all_findings_come_at_once_and_each_holder_once() -> None:
    nginx = [Holder(80, address, "nginx", pid, ("nginx.service",)) for address in ("0.0.0.0", "::") for pid in (1, 2)]
    assert len(findings(REQUEST, replace(FACTS, holders=tuple(nginx), root=False, addresses={}))) == 3


@given(st.text(max_size=12), st.integers(1, 65535), st.lists(st.text(max_size=12), max_size=3))
def test_any_holder_becomes_at_most_one_sentence(process: str, port: int, units: list[str]) -> None:
    holder = Holder(port, "127.0.0.1", process, None, tuple(units))
    assert len(findings(REQUEST, replace(FACTS, holders=(holder, holder)))) <= 1
