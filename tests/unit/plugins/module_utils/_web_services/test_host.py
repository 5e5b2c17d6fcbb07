# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a host and whose it is, read from a tree of files and what systemd would say."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import (
    actions,
    host,
    removal,
    slots,
    systemd,
    units,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.effects import Step
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    Service,
    State,
    WebServiceError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.plan import Plan, plan

ORDERS = Service("gh-orders", 5001)
GONE = Service("gh-orders", 0, absent=True, remove_data=True)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="who owns a file decides")


class Host:
    """A host's directories below another root, and its units as systemd shows them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.units: dict[str, dict[str, str]] = {}
        for path in ("units", "run", "settings", "srv", "data"):
            (root / path).mkdir()

    def show(self, names: list[str]) -> dict[str, dict[str, str]]:
        return {name: self.units.get(name, {"LoadState": "not-found"}) for name in names}

    def listen(self, name: str, port: int) -> None:
        socket_unit = {"LoadState": "loaded", "ActiveState": "active", "Listen": f"127.0.0.1:{port} (Stream)"}
        self.units[f"{name}.socket"] = socket_unit

    def own(self, name: str, port: int = 5001) -> None:
        (self.root / "settings" / name).mkdir()
        text = json.dumps({"platform": "platform", "name": name, "port": port})
        (self.root / "settings" / name / "service.json").write_text(text)

    def put(self, path: str, text: str = "") -> Path:
        there = self.root / path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(text)
        return there

    def state(self, service: Service, *others: Service) -> State:
        return host.read([service, *others])[service.name]


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    found = Host(tmp_path)
    monkeypatch.setattr(units, "UNITS", str(tmp_path / "units"))
    monkeypatch.setattr(units, "TRANSIENT_UNITS", str(tmp_path / "run"))
    monkeypatch.setattr(units, "SETTINGS", str(tmp_path / "settings"))
    monkeypatch.setattr(units, "SERVICES", str(tmp_path / "srv"))
    monkeypatch.setattr(host, "DATA", str(tmp_path / "data"))
    monkeypatch.setattr(systemd, "show", found.show)
    return found


@contextmanager
def listener() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])


def planned(service: Service, state: State) -> Plan:
    return plan(service, state, "3.11", "20261120T120000Z")


def test_data_of_somebody_else_is_not_removed(there: Host) -> None:
    there.put("data/gh-orders/base/1")
    state = there.state(GONE)
    assert (state.data, state.foreign_data) == (False, True)
    with pytest.raises(WebServiceError, match="nothing says that it is the data of a service"):
        planned(GONE, state)


def test_a_mark_that_is_not_roots_says_nothing(there: Host) -> None:
    mark = there.put("data/gh-orders/.gatehouse-service")
    if os.geteuid() == 0:
        os.chown(mark, 1000, 1000)
    assert there.state(GONE).foreign_data


def test_data_of_an_owned_service_is_its_own(there: Host) -> None:
    there.own("gh-orders")
    there.put("data/gh-orders/file")
    state = there.state(GONE)
    assert (state.data, state.foreign_data) == (True, False)


@as_root
def test_data_that_a_removed_service_left_is_removed_without_a_trace(there: Host) -> None:
    there.put("data/gh-orders/.gatehouse-service")
    there.put("data/gh-orders/file")
    there.put("srv/gh-orders/deploy.lock")
    whole = planned(GONE, there.state(GONE))
    assert [step.action for step in whole.steps] == ["remove_data"]
    removal.remove_data(slots.Work(whole), whole.steps[0])
    assert not (there.root / "data/gh-orders").exists()
    assert not (there.root / "srv/gh-orders").exists()
    assert planned(GONE, there.state(GONE)).steps == ()


@as_root
def test_the_mark_goes_last(there: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    there.put("data/gh-orders/.gatehouse-service")
    there.put("data/gh-orders/a")
    there.put("data/gh-orders/z")
    gone: list[str] = []
    monkeypatch.setattr(removal.releases, "remove", lambda path: gone.append(os.path.basename(path)))
    removal.remove_data(slots.Work(planned(GONE, there.state(GONE))), Step("remove_data", ""))
    assert gone[2:] == [".gatehouse-service", "gh-orders"]


@pytest.mark.parametrize("unit", ["gh-orders.service", "gh-orders.socket", "gh-orders-blue.service"])
def test_units_of_somebody_else_are_found(there: Host, unit: str) -> None:
    there.units[unit] = {"LoadState": "loaded", "FragmentPath": f"/lib/{unit}"}
    assert f"a unit {unit} exists that is not this service's (/lib/{unit})" in there.state(ORDERS).conflicts


def test_swapped_ports_are_refused(there: Host) -> None:
    payments = Service("gh-payments", 5001)
    there.own("gh-orders", 5001)
    there.own("gh-payments", 5002)
    there.listen("gh-orders", 5001)
    there.listen("gh-payments", 5002)
    (conflict,) = there.state(Service("gh-orders", 5002), payments).conflicts
    assert conflict.startswith("port 5002 is still held by the service gh-payments; change it in two runs")
    assert there.state(ORDERS, Service("gh-payments", 5002)).conflicts == ()


def test_a_port_of_a_service_that_left_the_list_is_told_as_such(there: Host) -> None:
    with listener() as port:
        there.own("gh-old", port)
        (conflict,) = there.state(Service("gh-orders", port)).conflicts
        assert "still held by the service gh-old" in conflict
        (conflict,) = there.state(Service("gh-old", port)).conflicts
        assert conflict == f"port {port} is used by another program"


LEFT = [
    "units/.gatehouse-gh-orders.socket.abcdefgh",
    "units/.gatehouse-gh-orders.service.4711",
    "units/.gatehouse-gh-orders-blue.service.abcdefgh",
    "units/sockets.target.wants/.gatehouse-gh-orders.socket.4711",
    "run/.gatehouse-gh-orders-task.service.abcdefgh",
    "srv/gh-orders/.gatehouse-current.4711",
    "srv/gh-orders/releases/one/.gatehouse-.gatehouse-release.json.abcdefgh",
    "settings/gh-orders/blue/secrets/.gatehouse-TOKEN.abcdefgh",
]
KEPT = [
    "units/.gatehouse-gh-orders-x.socket.abcdefgh",
    "units/.gatehouse-other.service.4711",
    "srv/gh-orders/releases/one/.gatehouse-of-the-application",
]


@pytest.mark.parametrize("service", [ORDERS, GONE], ids=["deployed", "removed"])
def test_what_interrupted_replacements_left_is_cleaned_and_nothing_else(there: Host, service: Service) -> None:
    there.own("gh-orders")
    there.put("srv/gh-orders/releases/one/.gatehouse-release.json", json.dumps({"fingerprint": "a"}))
    for path in (*LEFT, *KEPT):
        there.put(path)
    whole = planned(service, there.state(service))
    assert sorted(whole.steps[0].names) == sorted(str(there.root / path) for path in LEFT)
    actions.perform(slots.Work(whole), whole.steps[0])
    assert [path for path in (*LEFT, *KEPT) if (there.root / path).exists()] == KEPT
    assert there.state(service).half_made == ()


@pytest.mark.parametrize("left", [[], [".gatehouse-service.json.abcdefgh"]], ids=["removed", "about to be claimed"])
def test_settings_without_a_manifest_are_cleaned(there: Host, left: list[str]) -> None:
    (there.root / "settings/gh-orders").mkdir()
    for name in left:
        there.put(f"settings/gh-orders/{name}")
    there.put("srv/gh-orders/deploy.lock")
    whole = planned(GONE, there.state(GONE))
    assert [step.action for step in whole.steps] == ["clean"]
    actions.perform(slots.Work(whole), whole.steps[0])
    assert not (there.root / "settings/gh-orders").exists()
    assert not (there.root / "srv/gh-orders").exists()
    assert planned(GONE, there.state(GONE)).steps == ()


def test_removal_stops_a_migration_too(there: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    there.own("gh-orders")
    stopped: list[str] = []
    monkeypatch.setattr(systemd, "stop", lambda *names: stopped.extend(names))
    whole = planned(GONE, there.state(GONE))
    removal.halt(slots.Work(whole), whole.steps[0])
    assert "gh-orders-task.service" in stopped
