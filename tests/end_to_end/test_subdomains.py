# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system "subdomains" from bare hosts to its removal, over the wire."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from typing import Any

import pytest

from tests.harness import Platform

ORDERS = ["--extra-vars", "service=orders"]
PROBE = ["--extra-vars", "platform_probe=true"]
SERVICES = ["homepage", "orders", "payments"]
NAMES = ["example.test", "microservice1.example.test", "microservice2.example.test"]


def port_is_open(address: str, port: int) -> bool:
    """Whether this machine reaches a port directly."""
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def test_hosts_are_reached_through_the_bastion_only(platform: Platform) -> None:
    web = platform.hosts["hosts"]["web1"]
    assert platform.on("web1", "hostname").strip() == "web1"
    for port in (22, 80, 443):
        assert not port_is_open(web["addresses"]["priv0"], port)
    assert not port_is_open(web["public_address"], 22)


def test_check_mode_tells_on_bare_hosts_what_the_first_run_does(platform: Platform) -> None:
    run = platform.succeed("site", "--check", "--diff")
    assert run.count("changed") > 0
    assert "microservice1.example.test" in run.output
    assert platform.on("web1", "ls /srv").strip() == ""
    assert "apache2" not in platform.on("web1", "dpkg-query --show")


def test_first_run_serves_every_name_over_https(platform: Platform) -> None:
    run = platform.succeed("site")
    for name in NAMES:
        assert platform.ask(name, "/health").json()["status"] == "ok"
        redirect = platform.ask(name, "/some/path?query=1", secure=False)
        assert redirect.status == 301
        assert redirect.headers["Location"] == f"https://{name}/some/path?query=1"
        assert f"https://{name}" in run.output
    names = {value for kind, value in platform.certificate(NAMES[0])["subjectAltName"] if kind == "DNS"}
    assert names == set(NAMES)


def test_second_run_changes_nothing_and_check_mode_says_so(platform: Platform) -> None:
    assert platform.succeed("site").count("changed") == 0
    assert platform.succeed("site", "--check", "--diff").count("changed") == 0


def test_services_do_their_work(platform: Platform) -> None:
    order = {"customer": "Ada", "items": [{"sku": "b-1", "quantity": 2, "unit_price_cents": 250}]}
    made = platform.ask(NAMES[1], "/orders", "POST", order)
    assert made.status == 201
    assert platform.ask(NAMES[1], "/orders").json()["orders"]
    assert platform.ask(NAMES[1], "/orders", "POST", {}).status == 400
    assert "orders" in platform.ask(NAMES[0]).body
    states = platform.ask(NAMES[0], "/api/status").json()
    assert {service["name"]: service["healthy"] for service in states["services"]} == {"orders": True, "payments": True}


def test_services_listen_on_loopback_alone(platform: Platform) -> None:
    for port in (5000, 5001, 5002):
        listeners = platform.on("web1", f"ss -Hltn sport = :{port}")
        assert f"127.0.0.1:{port}" in listeners
        assert len(listeners.strip().splitlines()) == 1
        assert not port_is_open(platform.address, port)


@pytest.mark.parametrize("service", ["homepage", "orders", "payments"])
def test_sandbox_is_tight(platform: Platform, service: str) -> None:
    score = platform.on("web1", f"systemd-analyze security --no-pager {service}.service | tail -n 1")
    assert float(score.split(":")[1].split()[0]) <= 2.0, score


def test_unknown_names_are_refused(platform: Platform) -> None:
    assert platform.ask("www.unknown.test", secure=False).status in (403, 404, 421)


def test_files_are_named_as_debian_does(platform: Platform) -> None:
    enabled = platform.on("web1", "ls /etc/apache2/sites-enabled").split()
    for name in ("homepage", "orders", "payments"):
        assert {f"{name}.conf", f"{name}-le-ssl.conf"} <= set(enabled)
    logs = platform.on("web1", "ls /var/log/apache2").split()
    assert {"home_access.log", "home_error.log", "ms1_access.log", "ms2_error.log"} <= set(logs)


def test_status_is_a_table_and_json(platform: Platform) -> None:
    assert "orders" in platform.succeed("status").output
    status = json.loads((platform.state / "status.json").read_text(encoding="utf-8"))["web1"]
    assert {entry["name"]: entry["status"] for entry in status["endpoints"]} == dict.fromkeys(SERVICES, 200)
    assert status["services"]["orders"]["release"] == platform.ask(NAMES[1], "/health").json()["release"]


def _releases_heard(platform: Platform) -> set[str]:
    """What orders says over several connections; after a run it must be the same every time."""
    return {platform.ask(NAMES[1], "/health").json()["release"] for _time in range(20)}


def test_deploy_loses_no_request(platform: Platform) -> None:
    before = platform.ask(NAMES[1], "/health").json()["release"]
    platform.add_to_code("orders", "# changed\n")
    run = platform.succeed("deploy", *ORDERS, *PROBE)
    assert before not in _releases_heard(platform), run.output
    assert re.search(r"\d\d+ requests, 0 failed", run.output)
    assert platform.succeed("deploy", *ORDERS).count("changed") == 0


def test_release_that_is_not_healthy_never_serves(platform: Platform) -> None:
    before = platform.ask(NAMES[1], "/health").json()["release"]
    platform.add_to_code("orders", "raise SystemExit('broken on purpose')\n")
    run = platform.fail("deploy", *ORDERS, *PROBE)
    assert "broken on purpose" in run.output
    assert platform.ask(NAMES[1], "/health").json()["release"] == before
    platform.copy_code("orders")


def test_rollback_goes_to_the_last_good_release(platform: Platform) -> None:
    before = platform.ask(NAMES[1], "/health").json()["release"]
    run = platform.succeed("rollback", *ORDERS, *PROBE)
    assert re.search(r"\d\d+ requests, 0 failed", run.output)
    assert before not in _releases_heard(platform), run.output
    platform.succeed("rollback", *ORDERS, "--extra-vars", f"release={before}")
    assert platform.ask(NAMES[1], "/health").json()["release"] == before
    platform.succeed("site")


def test_fourth_service_is_one_entry(platform: Platform) -> None:
    def add(variables: dict[str, Any]) -> None:
        source = {"directory": "../../applications/orders"}
        entry = {"name": "returns", "port": 5003, "source": source, "migrate": ["python", "migrate.py"]}
        variables["platform_services"].append(entry)

    platform.change(add)
    platform.succeed("site")
    assert platform.ask("returns.example.test", "/health").json()["status"] == "ok"
    assert platform.ask(NAMES[1], "/orders").json()["orders"]
    assert not platform.ask("returns.example.test", "/orders").json()["orders"]
    assert platform.succeed("site").count("changed") == 0


def test_removing_the_entry_removes_the_service_and_keeps_its_data(platform: Platform) -> None:
    platform.change(lambda variables: variables["platform_services"].pop())
    platform.succeed("site")
    assert "returns" not in platform.on("web1", "ls /etc/apache2/sites-enabled /etc/systemd/system /srv")
    assert platform.on("web1", "getent passwd returns", check=False) == ""
    assert platform.on("web1", "ls /var/lib/returns").strip()
    names = {value for kind, value in platform.certificate(NAMES[0])["subjectAltName"] if kind == "DNS"}
    assert names == set(NAMES)
    assert platform.succeed("site").count("changed") == 0


def test_one_service_is_removed_by_name_and_comes_back_with_the_next_run(platform: Platform) -> None:
    run = platform.succeed("remove", *ORDERS)
    assert "orders" in run.output
    assert "orders" not in platform.on("web1", "ls /etc/apache2/sites-enabled /etc/systemd/system /srv")
    assert platform.ask(NAMES[2], "/health").status == 200
    platform.succeed("site")
    assert platform.ask(NAMES[1], "/orders").json()["orders"]


def test_site_is_healthy_after_reboot(platform: Platform) -> None:
    container = platform.hosts["hosts"]["web1"]["container"]
    subprocess.run(["podman", "stop", "--time", "5", container], check=True, capture_output=True)
    platform.up()
    deadline = time.monotonic() + 30
    while platform.ask(NAMES[1], "/health").status != 200 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert platform.succeed("site").count("changed") == 0
