# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps whose order or care for what runs the plan alone does not show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import (
    actions,
    releases,
    slots,
    systemd,
    units,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    FAILED,
    ROLLED_BACK,
    VERIFIED,
    Release,
    Service,
    State,
    WebServiceError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.plan import Plan, plan

ORDERS = Service("orders", 5001, source="directory orders", fingerprint="a" * 64)


def planned(service: Service, state: State, now: str = "20261120T120000Z") -> Plan:
    return plan(service, state, "3.11", now)


@pytest.fixture
def srv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(units, "SERVICES", str(tmp_path / "srv"))
    monkeypatch.setattr(units, "UNITS", str(tmp_path / "units"))
    monkeypatch.setattr(systemd, "reload", lambda: None)
    monkeypatch.setattr("shutil.chown", lambda *_arguments: None)
    (tmp_path / "units").mkdir()
    (tmp_path / "srv/orders/releases").mkdir(parents=True)
    return tmp_path / "srv/orders"


def test_an_archive_that_was_not_sent_makes_no_empty_release(srv: Path) -> None:
    whole = planned(ORDERS, State())
    step = next(step for step in whole.steps if step.action == "unpack")
    with pytest.raises(WebServiceError, match="was not sent"):
        actions.perform(slots.Work(whole), step)
    assert list((srv / "releases").iterdir()) == []
    actions.perform(slots.Work(whole, b""), step)
    assert list(releases.releases("orders").values()) == [Release("a" * 64, source="directory orders")]


def test_a_failed_release_is_replaced_by_what_is_sent_now(srv: Path) -> None:
    before = planned(ORDERS, State())
    unpack = next(step for step in before.steps if step.action == "unpack")
    actions.perform(slots.Work(before, b""), unpack)
    name = next(iter(releases.releases("orders")))
    failed = Release("a" * 64, state=FAILED, migrated="done", source="directory orders")
    releases.write_release("orders", name, failed)
    (srv / "releases" / name / "broken.py").touch()
    whole = planned(ORDERS, State(releases={name: failed}), "20261120T130000Z")
    unpack = next(step for step in whole.steps if step.action == "unpack")
    actions.perform(slots.Work(whole, b""), unpack)
    assert releases.releases("orders") == {name: replace(failed, state="prepared")}
    assert not (srv / "releases" / name / "broken.py").exists()


def test_a_rollback_marks_what_it_leaves_before_it_turns_the_alias(srv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = planned(ORDERS, State()).after()
    state = planned(replace(ORDERS, fingerprint="b" * 64), state, "20261120T130000Z").after()
    for name, value in state.releases.items():
        (srv / "releases" / name).mkdir()
        releases.write_release("orders", name, value)
    whole = planned(replace(ORDERS, release="previous", fingerprint=""), state)
    switch = next(step for step in whole.steps if step.action == "switch")

    def interrupted(*_arguments: str) -> None:
        raise OSError("killed")

    monkeypatch.setattr(actions._files, "point_link", interrupted)
    with pytest.raises(WebServiceError):
        actions.perform(slots.Work(whole), switch)
    assert [release.state for release in releases.releases("orders").values()] == [VERIFIED, ROLLED_BACK]


@pytest.mark.parametrize(("gunicorn", "waited"), [("gunicorn==27.0.1", []), ("gunicorn==28.0.0", ["blue"])])
def test_only_a_color_whose_environment_goes_is_waited_for(
    srv: Path, monkeypatch: pytest.MonkeyPatch, gunicorn: str, waited: list[str]
) -> None:
    assert srv.is_dir()
    stopped: list[str] = []
    monkeypatch.setattr(slots, "stop", lambda _name, color: stopped.append(color))
    state = planned(ORDERS, State()).after()
    whole = planned(replace(ORDERS, gunicorn=gunicorn, fingerprint="b" * 64), state, "20261120T130000Z")
    work = slots.Work(whole)
    for step in whole.steps:
        if step.action.startswith("prune"):
            actions.perform(work, step)
    assert stopped == waited
