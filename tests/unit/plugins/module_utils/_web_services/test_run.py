# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call tells when something stands against it or goes wrong half way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import (
    actions,
    effects,
    host,
    info,
    ledger,
    plan,
    run,
    units,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    Service,
    State,
    WebServiceError,
)

ENTRY: dict[str, Any] = {"name": "orders", "port": 5001, "hooks": {"after_switch": ["false"]}}


class Machine:
    """A host in memory: steps take their effect, and those of ``broken`` fail after it."""

    def __init__(self, state: State, broken: str) -> None:
        self.state, self.broken = state, broken

    def read(self, _services: list[Service]) -> dict[str, State]:
        return {"orders": self.state}

    def perform(self, work: Any, step: effects.Step) -> None:
        if step.action == self.broken:
            raise WebServiceError("it failed")
        self.state = effects.after_step(effects.Change(work.service, work.plan.target), self.state, step)


def request(check: bool = False) -> run.Request:
    prepared = {"orders": {"fingerprint": "b" * 64, "empty": True}}
    return run.Request("platform", [ENTRY], operator="ada", reason="prices", prepared=prepared, check=check)


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(units, "SERVICES", str(tmp_path))
    monkeypatch.setattr(units, "SETTINGS", str(tmp_path / "settings"))
    (tmp_path / "orders").mkdir()
    return tmp_path / "orders"


def machine(monkeypatch: pytest.MonkeyPatch, broken: str = "") -> Machine:
    old = plan.plan(Service("orders", 5001, fingerprint="a" * 64), State(), "3.11", "20261120T131800Z").after()
    made = Machine(old, broken)
    monkeypatch.setattr(host, "read", made.read)
    monkeypatch.setattr(actions, "perform", made.perform)
    return made


@pytest.fixture
def deployed(orders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The service's folder, when a run has nothing to do."""
    machine(monkeypatch)
    monkeypatch.setattr(info, "ask", lambda _service, _state: None)
    run.run(request())
    return orders


@pytest.mark.parametrize(
    ("broken", "color", "words"),
    [("try", "blue", "aaaaaaaa (blue) still runs"), ("after_switch", "green", "bbbbbbbb (green) runs now")],
)
def test_a_failure_tells_what_runs_after_it(
    orders: Path, monkeypatch: pytest.MonkeyPatch, broken: str, color: str, words: str
) -> None:
    made = machine(monkeypatch, broken)
    with pytest.raises(WebServiceError) as raised:
        run.run(request())
    assert str(raised.value).startswith("orders: it failed\n  release ")
    assert str(raised.value).endswith(words)
    assert made.state.live == color
    (entry,) = ledger.history(orders.name)
    assert (entry["who"], entry["reason"], entry["result"]) == ("ada", "prices", "it failed")


def test_check_mode_under_a_lock_is_refused_as_the_run_is(orders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch)
    ledger.hold(orders.name, "bob", "12:00", "sale")
    for check in (True, False):
        with pytest.raises(WebServiceError) as raised:
            run.run(request(check))
        assert str(raised.value) == (
            "orders: deploys are locked by bob since 12:00: sale\n  release 20261120T131800Z-aaaaaaaa (blue) still runs"
        )
    assert ledger.history("orders") == []


def test_a_plan_is_told_by_the_call_that_carries_it_out(orders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = machine(monkeypatch)
    bare = {"orders": {"fingerprint": "b" * 64}}
    first = run.run(run.Request("platform", [ENTRY], prepared=bare))
    assert (first["changed"], first["plan"], first["needs"]) == (False, [], [orders.name])
    monkeypatch.setattr(info, "ask", lambda _service, _state: None)
    second = run.run(run.Request("platform", [ENTRY], prepared={"orders": {**bare["orders"], "path": "/large.tar.gz"}}))
    assert second["changed"]
    assert second["plan"]
    assert made.state.live == "green"


@pytest.mark.parametrize(
    ("text", "check", "warning", "left"),
    [
        (
            '{"owner": "bob", "time": "12:00"}',
            False,
            ["orders: cleared the lock of bob since 12:00, whose run ended early"],
            False,
        ),
        ('{"owner": "bob", "time": "12:00"}', True, [], True),
        ('{"owner": "bob", "time": "12:00", "held": true}', False, [], True),
    ],
    ids=["dead", "check mode", "held"],
)
def test_a_run_with_nothing_to_do_clears_the_lock_that_a_dead_run_left(
    deployed: Path, text: str, check: bool, warning: list[str], left: bool
) -> None:
    (deployed / "deploy.lock").write_text(text)
    result = run.run(request(check))
    assert (result["changed"], result["warnings"]) == (False, warning)
    assert (deployed / "deploy.lock").read_text() == (text if left else "")


def test_a_run_with_nothing_to_do_leaves_the_lock_of_one_that_is_at_work(deployed: Path) -> None:
    with ledger.lock(deployed.name, "bob", "12:00"):
        assert run.run(request())["warnings"] == []
        assert ledger.holder("orders")["owner"] == "bob"
