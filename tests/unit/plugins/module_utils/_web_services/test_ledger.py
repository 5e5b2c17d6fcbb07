# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock and the history of a service."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import ledger
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        "ansible_collections.gatehouse.platform.plugins.module_utils._web_services.units.SERVICES", str(tmp_path)
    )
    (tmp_path / "orders").mkdir()
    return tmp_path / "orders"


def test_a_second_deploy_is_told_who_deploys(orders: Path) -> None:
    with (
        ledger.lock("orders", "ada", "12:00", "new prices"),
        pytest.raises(WebServiceError, match="is being deployed by ada since 12:00: new prices"),
        ledger.lock("orders", "bob", "12:01"),
    ):
        pass
    assert ledger.holder("orders") == {}
    assert (orders / "deploy.lock").exists()


def test_a_refused_deploy_leaves_the_lock_s_text(orders: Path) -> None:
    with ledger.lock(orders.name, "ada", "12:00"):
        with pytest.raises(WebServiceError, match="is being deployed by ada"), ledger.lock("orders", "bob", "12:01"):
            pass
        assert ledger.holder("orders")["owner"] == "ada"


def test_what_an_ended_run_of_the_same_owner_still_does_is_waited_for(orders: Path) -> None:
    earlier = ledger.lock("orders", "ada", "12:00")
    earlier.__enter__()
    threading.Timer(0.5, earlier.__exit__, (None, None, None)).start()
    began = time.monotonic()
    with ledger.lock(orders.name, "ada", "12:01") as taken:
        assert taken == ""
        assert time.monotonic() - began > 0.4


def test_the_lock_of_a_dead_run_is_taken_over_and_told(orders: Path) -> None:
    (orders / "deploy.lock").write_text(json.dumps({"owner": "ada", "time": "12:00", "reason": ""}))
    with ledger.lock("orders", "bob", "12:01") as taken:
        assert taken == "took over the lock of ada since 12:00, whose run ended early"


def test_a_lock_that_is_held_stands_until_it_is_released_or_broken(orders: Path) -> None:
    assert ledger.hold(orders.name, "ada", "12:00", "sale until Monday")
    assert not ledger.hold("orders", "ada", "12:01", "")
    with (
        pytest.raises(WebServiceError, match="deploys are locked by ada since 12:00: sale until Monday"),
        ledger.lock("orders", "bob", "12:02"),
    ):
        pass
    with pytest.raises(WebServiceError, match="it takes 'force' to release another's lock"):
        ledger.free("orders", "bob")
    assert ledger.free("orders", "bob", force=True)
    assert not ledger.free("orders", "ada")
    with ledger.lock("orders", "bob", "12:03") as taken:
        assert taken == ""


def test_the_owner_of_a_held_lock_deploys_and_keeps_it(orders: Path) -> None:
    ledger.hold(orders.name, "ada", "12:00", "sale until Monday")
    held = ledger.holder("orders")
    with ledger.lock("orders", "ada", "12:01") as taken:
        assert taken == ""
        with pytest.raises(WebServiceError, match="is being deployed by ada"):
            ledger.free("orders", "bob", force=True)
    assert ledger.holder("orders") == held


@pytest.mark.parametrize(
    ("wish", "outcome"),
    [
        (ledger.Wish(True, "bob"), "deploys are locked by ada since 12:00: sale"),
        (ledger.Wish(False, "bob"), "it takes 'force' to release another's lock"),
        (ledger.Wish(False, "bob", force=True), True),
        (ledger.Wish(True, "ada"), False),
        (ledger.Wish(False, "ada"), True),
    ],
)
def test_check_mode_says_what_the_run_then_says(orders: Path, wish: ledger.Wish, outcome: bool | str) -> None:
    ledger.hold(orders.name, "ada", "12:00", "sale")
    text = (orders / "deploy.lock").read_text()
    for check in (True, False):
        if isinstance(outcome, str):
            with pytest.raises(WebServiceError, match=outcome):
                ledger.bring(["orders"], wish, check)
        else:
            assert ledger.bring(["orders"], wish, check)[0] is outcome
        assert not check or (orders / "deploy.lock").read_text() == text


def test_check_mode_is_told_who_deploys(orders: Path) -> None:
    ledger.examine(orders.name, "bob")
    with ledger.lock("orders", "ada", "12:00"):
        with pytest.raises(WebServiceError, match="is being deployed by ada since 12:00"):
            ledger.examine("orders", "bob")
        ledger.examine("orders", "ada")
    ledger.examine("orders", "bob")


def test_a_failed_deploy_releases_the_lock(orders: Path) -> None:
    with pytest.raises(WebServiceError, match="boom"), ledger.lock(orders.name, "ada", "12:00"):
        raise WebServiceError("boom")
    assert (orders / "deploy.lock").read_text() == ""


def test_the_history_keeps_its_order(orders: Path) -> None:
    ledger.record("orders", {"release": "one"})
    ledger.record("orders", {"release": "two"})
    with open(orders / "history.jsonl", "a", encoding="utf-8") as file:
        file.write('{"release": "cut of')
    assert ledger.history("orders") == [{"release": "one"}, {"release": "two"}]
