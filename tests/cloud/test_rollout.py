# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts to a fleet whose hosts are only looked at: what is asked of the API, and what is given back."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cloud import ControlPlane
from lab.model import ROOT
from lab.region.state import Client
from tests.cloud.provisioning.playbook import PLAYBOOK, environment
from tests.cloud.scaling import fleet as fleets

TAKEN_AND_GIVEN_BACK = ["CreateOrUpdateTags", "SuspendProcesses", "ResumeProcesses", "DeleteTags"]
READING = ("Describe", "Get", "List")
OTHERS = "bob@desk run 20-2 since 2099-01-01T00:00:00Z"


@dataclass
class Rollout:
    """A fleet of two healthy hosts, which are this machine as far as check mode is concerned."""

    fleet: fleets.Fleet
    folder: Path

    def run(self, playbook: str, *options: str, succeeds: bool = True) -> str:
        """What the run shows; ``calls`` has the calls that it made."""
        self.fleet.cloud.calls.clear()
        command = [
            str(PLAYBOOK),
            "--inventory",
            str(self.folder / "hosts.yml"),
            str(ROOT / "playbooks" / f"{playbook}.yml"),
            *options,
        ]
        done = subprocess.run(
            command, env=environment(self.fleet.cloud), check=False, capture_output=True, text=True, timeout=300
        )
        assert succeeds == (done.returncode == 0), done.stdout + done.stderr
        return done.stdout

    def play(self, tasks: list[dict[str, Any]], succeeds: bool = True, **variables: Any) -> str:
        """What a run of tasks on the hosts shows."""
        region = {"group/gatehouse.platform.aws": {"region": "{{ platform_region }}"}}
        play = {"hosts": "web", "gather_facts": False, "module_defaults": region, "vars": variables, "tasks": tasks}
        (self.folder / "tasks.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
        return self.run(str(self.folder / "tasks"), succeeds=succeeds)

    def refused(self, operation: str) -> str:
        """What a rollback shows that may not call an operation."""
        self.fleet.cloud.faults.add("refused", operation=operation, number=None)
        told = self.run("rollback", "-e", "service=orders", succeeds=False)
        self.fleet.cloud.faults.clear()
        return told

    @property
    def changes(self) -> list[str]:
        """Calls of the last run that changed something."""
        return [call for call in self.fleet.cloud.calls.count() if not call.startswith(READING)]

    @property
    def lock(self) -> str:
        tags = {tag["Key"]: tag["Value"] for tag in self.fleet.group()["Tags"]}
        return tags.get("gatehouse:lock", "")


@pytest.fixture
def rollout(cloud: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rollout:
    monkeypatch.setattr(fleets, "NAME", "shop-web")
    client: Client = cloud.client
    made = fleets.Fleet(cloud, client)
    ids = made.running(2, TargetGroupARNs=[made.target_group("shop-orders")])
    made.settle(60)
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders/app.py").write_text("app = None\n", encoding="utf-8")
    declared: dict[str, Any] = {
        "platform_name": "shop",
        "platform_domain": "shop.example",
        "platform_region": cloud.region,
        "platform_state_dir": str(tmp_path / "state"),
        "platform_fleets": [{"name": "web"}],
        "platform_services": [
            {
                "name": "orders",
                "fleet": "web",
                "port": 5999,
                "listen": 8000,
                "source": {"directory": str(tmp_path / "orders")},
            }
        ],
        "platform_topology": "direct",
        "platform_host_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBXHtVcHSmqOTcFbcbXKzpKcqXUyo8pUu9GKhV2Kk3Xa"],
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": sys.executable,
    }
    hosts: dict[str, Any] = {name: {"ansible_host": "127.0.0.1"} for name in ids}
    groups = {"web": {"hosts": hosts}, "fleet_web": {"hosts": dict.fromkeys(ids)}}
    text = yaml.safe_dump({"all": {"vars": declared, "children": groups}})
    (tmp_path / "hosts.yml").write_text(text, encoding="utf-8")
    return Rollout(made, tmp_path)


def given_back(rollout: Rollout) -> bool:
    return rollout.lock == "" and not rollout.fleet.group()["SuspendedProcesses"]


def test_a_rollback_that_no_host_can_make_is_told_and_gives_the_fleet_back(rollout: Rollout) -> None:
    rollout.run("rollback", "-e", "service=orders", "--check", succeeds=False)
    assert rollout.changes == []
    told = rollout.run("rollback", "-e", "service=orders", succeeds=False)
    assert "The fleets cannot be worked on, and nothing was changed:" in told
    for host in rollout.fleet.ids():
        assert f"{host} of fleet web: orders is not on this host" in told
    assert rollout.changes == TAKEN_AND_GIVEN_BACK
    assert given_back(rollout)


def test_a_plan_that_cannot_be_made_gives_the_fleet_back(rollout: Rollout) -> None:
    told = rollout.refused("DescribeTargetHealth")
    assert "The fleets cannot be worked on, and nothing was changed:" in told
    assert "DescribeTargetHealth" in told
    assert rollout.changes == TAKEN_AND_GIVEN_BACK
    assert given_back(rollout)


def test_what_failed_is_told_also_when_the_fleet_cannot_be_unlocked(rollout: Rollout) -> None:
    told = rollout.refused("ResumeProcesses")
    assert "ResumeProcesses" in told
    assert "The fleets cannot be worked on, and nothing was changed:" in told
    assert rollout.lock
    rollout.run("rollback", "-e", "service=orders", succeeds=False)
    assert given_back(rollout)


def test_a_lock_that_cannot_be_renewed_stops_no_host(rollout: Rollout) -> None:
    tasks = [
        {"ansible.builtin.import_tasks": str(ROOT / "playbooks/tasks/renew_locks.yml")},
        {"ansible.builtin.debug": {"msg": "{{ inventory_hostname }} went on"}},
    ]
    for refused in (True, False):
        if refused:
            rollout.fleet.cloud.faults.add("refused", operation="DescribeAutoScalingGroups", number=None)
        told = rollout.play(tasks, fleets_to_renew=["shop-web"])
        rollout.fleet.cloud.faults.clear()
        assert ("The lock of the fleets was not renewed: " in told) is refused
        assert all(f"{host} went on" in told for host in rollout.fleet.ids()), told
        assert rollout.changes == []


def test_a_host_that_came_into_service_meanwhile_is_told(rollout: Rollout) -> None:
    first, second = rollout.fleet.ids()
    ask = {"amazon.aws.autoscaling_group_info": {"name": "shop-"}, "register": "found", "run_once": True}
    tasks = [ask, {"ansible.builtin.import_tasks": str(ROOT / "playbooks/tasks/check_newcomers.yml")}]
    told = {"newcomers_fleets": [{"group": "shop-web"}], "newcomers_groups": "{{ found.results }}"}
    rollout.play(tasks, newcomers_known=[first, second], **told)
    shown = rollout.play(tasks, newcomers_known=[first], succeeds=False, **told)
    assert f"{second} came into service while this run was at work" in shown
    rollout.fleet.cloud.client("ec2").terminate_instances(InstanceIds=[second])
    rollout.play(tasks, newcomers_known=[first], **told)


def test_a_fleet_that_somebody_holds_is_left_alone(rollout: Rollout) -> None:
    named = {"ResourceId": "shop-web", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    rollout.fleet.scaling.create_or_update_tags(Tags=[{**named, "Key": "gatehouse:lock", "Value": OTHERS}])
    for playbook in ("deploy", "web"):
        told = rollout.run(playbook, succeeds=False)
        assert f"shop-web is locked: {OTHERS} is at work on it" in told
        assert "-e fleet_force=true" in told
        assert rollout.changes == []
    assert rollout.lock == OTHERS


def test_what_is_wrong_with_the_declaration_is_told_before_the_fleet_is_taken(rollout: Rollout) -> None:
    told = rollout.run(
        "deploy",
        "-e",
        "service=news",
        "-e",
        '{"platform_fleets": [{"name": "web", "deploy": {"batch": "all"}}]}',
        succeeds=False,
    )
    assert "there is no service news; the list has orders" in told
    assert "web: deploy.batch: 'all' is neither a number nor a percentage" in told
    assert "on_failure is 'pause'" in rollout.run("deploy", "-e", "on_failure=pause", succeeds=False)
    assert rollout.changes == []


def test_a_fleet_of_which_no_host_is_found_is_an_error(rollout: Rollout) -> None:
    path = rollout.folder / "hosts.yml"
    inventory = yaml.safe_load(path.read_text(encoding="utf-8"))
    inventory["all"]["children"] = {"web": {"hosts": {}}}
    path.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    told = rollout.run("deploy", succeeds=False)
    assert "No host of the fleet web was found, so that nothing was deployed to it" in told
    assert rollout.changes == []
    assert given_back(rollout)
