# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units and files beside them as plain text."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import units
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import Service, WebServiceError
from hypothesis import given
from hypothesis import strategies as st

METADATA = "169.254.169.254 fd00:ec2::254"
ORDERS = Service("orders", 5001, platform="shop")
RELEASE = "20261120T131800Z-1a2b3c4d"

BLUE = """\
# Written by gatehouse.platform. Changes made here are replaced.
[Unit]
Description=orders (blue), release 20261120T131800Z-1a2b3c4d
After=network.target
StartLimitIntervalSec=0

[Service]
Type=notify
Sockets=orders.socket orders-blue.socket
ExecStart=/srv/orders/environments/abc/bin/gunicorn --worker-class=gthread --workers=2 --threads=4 \
--keep-alive=5 --graceful-timeout=65 --worker-tmp-dir=/run/gatehouse/orders-blue --forwarded-allow-ips=127.0.0.1 \
--no-control-socket app:app
Restart=always
RestartSec=1
OOMPolicy=continue
KillMode=mixed
TimeoutStopSec=75
User=orders
Group=orders
WorkingDirectory=/srv/orders/releases/20261120T131800Z-1a2b3c4d
StateDirectory=orders
StateDirectoryMode=0700
RuntimeDirectory=gatehouse/orders-blue
Environment=PATH=/srv/orders/environments/abc/bin:/usr/local/bin:/usr/bin:/bin
Environment=PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
Environment=GATEHOUSE_SERVICE=orders GATEHOUSE_RELEASE=20261120T131800Z-1a2b3c4d
EnvironmentFile=/etc/gatehouse/services/orders/blue/environment
MemoryMax=512M
TasksMax=128
{sandbox}
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
IPAddressDeny=any
IPAddressAllow=localhost
"""


def lines(service: Service, slot: str = "blue", command: tuple[str, ...] = ()) -> list[str]:
    return units.service_unit(service, slot, RELEASE, "abc", command).splitlines()


def test_the_unit_of_a_color() -> None:
    wanted = BLUE.replace("{sandbox}", units.SANDBOX)
    assert units.service_unit(ORDERS, "blue", RELEASE, "abc") == wanted


def test_the_candidate_differs_in_its_socket_is_not_restarted_and_not_waited_for() -> None:
    shorter = [line.replace("--graceful-timeout=5", "--graceful-timeout=65") for line in lines(ORDERS, "candidate")]
    changed = set(shorter) ^ {line.replace("blue", "candidate") for line in lines(ORDERS)}
    assert changed == {
        "Sockets=orders-candidate.socket",
        "Sockets=orders.socket orders-candidate.socket",
        "Restart=always",
        "RestartSec=1",
        "OOMPolicy=continue",
        "TimeoutStopSec=15",
        "TimeoutStopSec=75",
    }


def test_no_secret_and_no_variable_is_in_the_unit() -> None:
    service = replace(ORDERS, secrets={"TOKEN": "s3cret"}, environment={"LEVEL": "shown-to-nobody"})
    files = units.slot_files(service, "blue", RELEASE, "abc")
    unit = files.pop("/etc/systemd/system/orders-blue.service")
    assert "s3cret" not in unit
    assert "shown-to-nobody" not in unit
    assert "LoadCredential=TOKEN:/etc/gatehouse/services/orders/blue/secrets/TOKEN" in unit
    assert files == {
        "/etc/gatehouse/services/orders/blue/environment": 'LEVEL="shown-to-nobody"\n',
        "/etc/gatehouse/services/orders/blue/secrets/TOKEN": "s3cret",
    }


def test_the_public_socket_is_on_loopback_alone() -> None:
    text = units.public_socket(ORDERS)
    assert "ListenStream=127.0.0.1:5001\n" in text
    assert "Service=orders.service\n" in text
    assert "TriggerLimitIntervalSec=0\n" in text


def test_other_kinds() -> None:
    assert any("--worker-class=asgi" in line for line in lines(replace(ORDERS, kind="asgi")))
    node = replace(ORDERS, kind="command", command=("node", "server.js", "--name", "a b"))
    assert 'ExecStart=/usr/bin/env node server.js --name "a b"' in lines(node)
    assert "Type=exec" in lines(node)
    assert "MemoryDenyWriteExecute=yes" not in lines(node)


def test_a_task_runs_once_with_the_same_sandbox() -> None:
    task = lines(ORDERS, "task", ("python", "migrate.py"))
    assert "Type=oneshot" in task
    assert "ExecStart=/usr/bin/env python migrate.py" in task
    assert set(units.SANDBOX.splitlines()) <= set(task)


@pytest.mark.parametrize(
    ("network", "role", "wanted"),
    [
        ((), False, ["IPAddressDeny=any", "IPAddressAllow=localhost"]),
        ((), True, ["IPAddressDeny=any", f"IPAddressAllow=localhost {METADATA}"]),
        (("any",), False, [f"IPAddressDeny={METADATA}"]),
        (("any",), True, []),
        (("10.0.0.0/8",), False, ["IPAddressDeny=any", "IPAddressAllow=localhost 10.0.0.0/8"]),
        (("169.254.169.254",), False, ["IPAddressDeny=any", "IPAddressAllow=localhost"]),
        (
            ("169.254.169.252/30", "fd00::/8"),
            True,
            ["IPAddressDeny=any", f"IPAddressAllow=localhost 169.254.169.252/30 fd00::/8 {METADATA}"],
        ),
        (
            ("169.254.169.252/30",),
            False,
            ["IPAddressDeny=any", "IPAddressAllow=localhost 169.254.169.252/31 169.254.169.255/32"],
        ),
    ],
)
def test_networks(network: tuple[str, ...], role: bool, wanted: list[str]) -> None:
    service = replace(ORDERS, network=network, instance_role=role)
    assert [line for line in lines(service) if line.startswith("IPAddress")] == wanted


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_no_range_opens_the_way_to_the_metadata(address: IPv4Address, prefix: int) -> None:
    declared = ip_network((address, prefix), strict=False)
    (allow,) = [
        line for line in lines(replace(ORDERS, network=(str(declared),))) if line.startswith("IPAddressAllow=localhost")
    ]
    allowed = [ip_network(part) for part in allow.split()[1:]]
    metadata = ip_address("169.254.169.254")
    assert not any(metadata in part for part in allowed)
    assert sum(part.num_addresses for part in allowed) == declared.num_addresses - (metadata in declared)


@pytest.mark.parametrize(
    "change", [{"network": ("x\nExecStartPre=+/bin/x",)}, {"memory_max": "1G\rExecStartPre=+/bin/x"}]
)
def test_no_value_makes_a_line_of_its_own(change: dict[str, Any]) -> None:
    with pytest.raises(WebServiceError, match="control character"):
        lines(replace(ORDERS, **change))


def test_a_percent_sign_is_no_specifier() -> None:
    assert "IPAddressAllow=localhost %%h" in lines(replace(ORDERS, network=("%h",)))


def test_a_color_outlasts_what_apache_waits_for() -> None:
    assert (units.GRACE >= 65, any("TimeoutStopSec=75" in line for line in lines(ORDERS))) == (True, True)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("a b", '"a b"'),
        ("50%", "50%%"),
        ("$HOME", "$$HOME"),
        ('"', '"\\""'),
        ("a;b", '"a;b"'),
        ("a\nb", '"a\\nb"'),
        ("a\rb", '"a\\rb"'),
    ],
)
def test_words_of_a_command_line_reach_the_program_unchanged(word: str, wanted: str) -> None:
    assert units.command_line((word,)) == wanted
