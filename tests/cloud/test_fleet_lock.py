# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet that is locked by ansible-playbook: what the API says meanwhile and afterwards."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from lab.cloud import ControlPlane
from lab.region.state import Client
from tests.cloud.provisioning.playbook import run
from tests.cloud.scaling.fleet import NAME, Fleet
from tests.region.account import eventually

LOCK = {"name": "Lock", "gatehouse.platform.fleet_lock": {"groups": [NAME]}}
UNLOCK = {"name": "Unlock", "gatehouse.platform.fleet_lock": {"groups": [NAME, "gone"], "state": "unlocked"}}
OURS = {"AlarmNotification", "HealthCheck", "InstanceRefresh", "ReplaceUnhealthy", "ScheduledActions"}


@pytest.fixture
def fleet(cloud: ControlPlane) -> Fleet:
    client: Client = cloud.client
    made = Fleet(cloud, client)
    made.create(0)
    made.suspend("AZRebalance")
    return made


def tags(fleet: Fleet) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in fleet.group()["Tags"]}


def suspended(fleet: Fleet) -> set[str]:
    return {one["ProcessName"] for one in fleet.group()["SuspendedProcesses"]}


def play(fleet: Fleet, folder: Path, *tasks: dict[str, Any], **options: Any) -> str:
    extra = options.pop("extra", ())
    return run(fleet.cloud, folder, list(tasks), {"platform_region": "eu-central-1"}, *extra, **options).stdout


def test_a_run_locks_and_leaves_everything_as_it_was(fleet: Fleet, tmp_path: Path) -> None:
    play(fleet, tmp_path, LOCK, extra=["--check"])
    assert (tags(fleet), suspended(fleet)) == ({}, {"AZRebalance"})
    play(fleet, tmp_path, LOCK, LOCK)
    assert suspended(fleet) == OURS | {"AZRebalance"}
    assert tags(fleet)["gatehouse:suspended"].split() == sorted(OURS)
    # The run that locked is over, so that the next one may put things back.
    told = play(fleet, tmp_path, {**UNLOCK, "register": "unlock_result"}, UNLOCK)
    assert (tags(fleet), suspended(fleet)) == ({}, {"AZRebalance"})
    assert "localhost                  : ok=3    changed=1" in told


def test_a_run_renews_its_lock_and_nobody_elses(fleet: Fleet, tmp_path: Path) -> None:
    renew = {"groups": [NAME, "gone"], "state": "renewed", "lock_timeout": 4}
    pause = {"name": "Wait", "ansible.builtin.pause": {"seconds": 3}}
    told = play(fleet, tmp_path, LOCK, pause, {"name": "Renew", "gatehouse.platform.fleet_lock": renew})
    assert "changed=2 " in told, told
    before = tags(fleet), suspended(fleet)
    play(fleet, tmp_path, {"name": "Renew", "gatehouse.platform.fleet_lock": renew})
    assert (tags(fleet), suspended(fleet)) == before


def test_of_two_runs_that_lock_at_the_same_time_one_goes_first(fleet: Fleet, tmp_path: Path) -> None:
    others = "bob@desk run 20-2 since 2099-01-01T00:00:00Z"
    named = {"ResourceId": NAME, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    told: list[str] = []
    one = threading.Thread(target=lambda: told.append(play(fleet, tmp_path, LOCK, succeeds=False)))
    one.start()
    assert eventually(lambda: "gatehouse:lock" in tags(fleet), 60, 0.05)
    fleet.scaling.create_or_update_tags(Tags=[{**named, "Key": "gatehouse:lock", "Value": others}])
    one.join()
    assert f"web was locked by {others} at the same time, and that run goes first" in told[0]
    assert tags(fleet)["gatehouse:lock"] == others


def test_the_lock_of_somebody_elses_run_stops_a_run_before_it_changes_anything(fleet: Fleet, tmp_path: Path) -> None:
    elsewhere = {"Key": "gatehouse:lock", "Value": "bob@desk run 20-2 since 2099-01-01T00:00:00Z"}
    named = {"ResourceId": NAME, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    fleet.scaling.create_or_update_tags(Tags=[{**named, **elsewhere}])
    for task in (LOCK, UNLOCK):
        told = play(fleet, tmp_path, task, succeeds=False)
        assert "web is locked: bob@desk run 20-2 since 2099-01-01T00:00:00Z is at work on it" in told
    assert suspended(fleet) == {"AZRebalance"}
    missing = {"name": "Lock", "gatehouse.platform.fleet_lock": {"groups": ["nobody"], "suspend": ["Sleep"]}}
    told = play(fleet, tmp_path, missing, succeeds=False)
    assert "suspend: Sleep is no process of Auto Scaling" in told
    missing["gatehouse.platform.fleet_lock"].pop("suspend")
    assert "there is no Auto Scaling group nobody" in play(fleet, tmp_path, missing, succeeds=False)
