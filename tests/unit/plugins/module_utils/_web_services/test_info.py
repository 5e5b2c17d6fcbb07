# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of services that are there, half there or not there."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import host, info, systemd
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    Color,
    Release,
    State,
    service_from_params,
)


def test_a_service_that_never_went_live_has_no_release_and_no_health() -> None:
    service = service_from_params({"name": "orders"}, "shop", {})
    state = State(releases={"r1": Release("f", "q", state="failed")})
    found = info.summary(service, state, {"orders.socket": {"ActiveState": "inactive", "SubState": "dead"}})
    assert (found["release"], found["color"], found["health"]) == (None, None, None)
    assert found["releases"] == {"r1": "failed"}
    assert found["units"] == {"orders.socket": "inactive (dead)"}


@pytest.mark.parametrize("both", [False, True])
def test_two_colors_that_answer_are_told(monkeypatch: pytest.MonkeyPatch, both: bool) -> None:
    monkeypatch.setattr(info, "ask", lambda *_arguments: None)
    state = State(live="blue", colors={"blue": Color(active=True), "green": Color(active=both)})
    findings = info.summary(service_from_params({"name": "orders"}, "shop", {}), state, {})["findings"]
    assert [finding.startswith("orders: green answers requests as well as blue") for finding in findings] == [
        True
    ] * both


def test_services_of_the_platform_are_found_whether_declared_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "owned_services", lambda _platform: ["old", "orders"])
    declared: list[dict[str, Any]] = [{"name": "orders", "health": {"path": "/ready"}}, {"name": "new"}]
    assert [(one.name, one.health.path) for one in info.services_of("shop", declared)] == [
        ("old", "/health"),
        ("orders", "/ready"),
    ]


def test_a_host_without_services_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "owned_services", lambda _platform: [])
    assert info.run("shop", []) == {"changed": False, "services": {}}


def test_a_journal_is_told_without_the_values_of_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "journal", lambda unit, lines: f"{unit} said hunter22\n" * lines)
    files = {"/etc/gatehouse/services/orders/green/secrets/TOKEN": "hunter22"}
    state = State(live="green", colors={"blue": Color(), "green": Color(files=files)})
    assert info.said("orders", state, 2) == ["orders-green.service said ********"] * 2
    assert info.said("orders", State(), 2) == []
