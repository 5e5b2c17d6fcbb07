# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a port, read from this machine and from what others print."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._preflight import api, ports


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_listening_process_is_found_and_a_connection_is_not(family: int, address: str) -> None:
    with socket.socket(family) as listener, socket.socket(family) as client:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.skip(f"{address} is not there")
        listener.listen()
        port = listener.getsockname()[1]
        client.connect((address, port))
        (holder,) = ports.holders({port, client.getsockname()[1]})
    assert (holder.port, holder.address, holder.pid) == (port, address, os.getpid())


def test_a_port_that_nobody_holds_has_no_holder() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert ports.holders({closed.getsockname()[1]}) == ()


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/orders-blue.service\n", "orders-blue.service"),
        ("1:name=systemd:/system.slice/apache2.service\n0::/system.slice/apache2.service\n", "apache2.service"),
        ("0::/user.slice/user@0.service/app.slice/x.service/sub\n", "x.service"),
        ("0::/init.scope\n", None),
        ("", None),
    ],
)
def test_the_unit_comes_from_the_control_group(cgroup: str, unit: str | None) -> None:
    assert ports.unit_of(cgroup) == unit


def test_socket_units_are_found_by_port() -> None:
    lines = ["127.0.0.1:5001 orders.socket orders-blue.service", "[::]:22 ssh.socket ssh.service", "/run/x a.socket -"]
    text = "\n".join(lines)
    assert ports.parse_socket_units(text, 5001) == ("orders.socket",)
    assert ports.parse_socket_units(text, 22) == ("ssh.socket",)
    assert ports.parse_socket_units(text, 2) == ()


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "debian 12"),
        ("NAME='Ubuntu'\nVERSION_ID=\"24.04\"\nID=ubuntu\n# ID=x\n", "ubuntu 24.04"),
        ("ID=debian\n", "debian"),
        ("", ""),
    ],
)
def test_the_system_is_read(text: str, system: str) -> None:
    assert api.parse_os_release(text) == system


def test_names_resolve_or_have_no_address() -> None:
    assert api.resolve(["localhost", "nowhere.invalid", "a" * 80 + ".invalid", ".."])["localhost"]
    assert api.resolve(["nowhere.invalid"]) == {"nowhere.invalid": ()}
    assert api.resolve([]) == {}


def test_room_is_measured_where_a_path_will_be() -> None:
    assert api.space("/nowhere/at/all").megabytes == api.space("/").megabytes
