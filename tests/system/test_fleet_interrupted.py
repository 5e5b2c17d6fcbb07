# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys to a fleet that are killed, or whose hosts come and go meanwhile."""

from __future__ import annotations

import json

import pytest

from tests.faults.killing import Moment, run_and_kill
from tests.region.account import eventually
from tests.system.autoscaled import Autoscaled
from tests.system.conftest import settled
from tests.system.releases import LOCK, another_release, handed_back, kept, obstructed, told_of_each

# Tasks of a run, and how many seconds into them it is killed.
PHASES = {
    "site": {
        "Write the ssh_config and known_hosts of this inventory": 0.0,
        "Examine the host": 0.5,
        "Lock the fleets": 1.0,
        "Bring the services to their declared state": 1.5,
        "Bring Apache's sites, configuration and modules to their declared state": 0.5,
        "Publish what the fleets run": 0.2,
        "Have them in the load balancer, and wait until they are healthy": 0.2,
        "Unlock the fleets": 0.2,
    },
    "deploy": {
        "Lock the fleets": 1.0,
        "Ask the hosts what the release would change": 0.5,
        "Take the batch out of the load balancer, and wait for the drain": 1.0,
        "Bring the services to their declared state": 1.5,
        "Publish what the fleets run": 0.2,
        "Unlock the fleets": 0.2,
    },
}


def test_a_killed_deploy_is_finished_by_the_next_one(serving: Autoscaled) -> None:
    before = serving.releases()
    another_release(serving)
    moment = Moment("Put the batch back into the load balancer, and wait until it is healthy", 0.2, "controller")
    with serving.visitors():
        hit, output = run_and_kill(serving, "deploy", moment)
        assert hit, output
        assert "ReplaceUnhealthy" in serving.suspended()
        assert LOCK in serving.tags()
        assert len(set(serving.releases().values()) & set(before.values())) == 1
        run = serving.succeed("deploy")
    assert "takes over the lock" in run.output
    assert told_of_each(serving, run, "has the release; healthy")
    assert len(serving.codes()) == 1
    assert handed_back(serving)


@pytest.mark.further
@pytest.mark.parametrize(
    ("playbook", "task", "delay"),
    [(playbook, task, delay) for playbook, tasks in PHASES.items() for task, delay in tasks.items()],
)
def test_a_run_that_is_killed_in_any_phase_is_finished_by_the_next_one(
    serving: Autoscaled, playbook: str, task: str, delay: float
) -> None:
    another_release(serving)
    with serving.visitors():
        hit, output = run_and_kill(serving, playbook, Moment(task, delay, "controller"))
        assert hit, output[-3000:]
        run = serving.succeed(playbook)
        assert handed_back(serving), (serving.tags(), serving.suspended(), serving.targets())
    assert len(serving.codes()) == 1, run.output[-3000:]
    assert serving.succeed(playbook).count("changed") == 0


@pytest.mark.further
@pytest.mark.parametrize(
    ("task", "delay", "named"),
    [
        ("Take the batch out of the load balancer, and wait for the drain", 1.0, False),
        ("Bring the services to their declared state", 0.5, False),
        ("Put the batch back into the load balancer, and wait until it is healthy", 0.2, False),
        # All hosts are back: without a name the next one would go back by one more.
        ("Publish what the fleets run", 0.2, True),
    ],
)
def test_a_killed_rollback_is_finished_by_the_next_one(
    serving: Autoscaled, task: str, delay: float, named: bool
) -> None:
    another_release(serving)
    serving.succeed("deploy")
    (old,) = serving.codes()
    another_release(serving)
    serving.succeed("deploy")
    options = ["-e", "service=shop"]
    with serving.visitors():
        hit, output = run_and_kill(serving, "rollback", Moment(task, delay, "controller"), *options)
        assert hit, output[-3000:]
        run = serving.succeed("rollback", *options, *(["-e", f"release={old}"] if named else []))
    assert serving.codes() == {old}, run.output[-3000:]
    assert handed_back(serving)


@pytest.mark.further
def test_a_run_that_is_killed_on_the_way_back_is_finished_by_the_next_one(serving: Autoscaled) -> None:
    another_release(serving)
    _first, second = sorted(serving.instances())
    # The host that failed comes in again first; the other one still has the release.
    task = "Put the batch back into the load balancer, and wait until it is healthy"
    back = Moment(task, 0.2, "controller", after="Bring the hosts back to what they had")
    with serving.visitors():
        with obstructed(serving, second):
            hit, output = run_and_kill(serving, "deploy", back)
        assert hit, output[-3000:]
        run = serving.succeed("deploy")
    assert told_of_each(serving, run, "has the release; healthy") or "was as it should be; healthy" in run.output
    assert len(serving.codes()) == 1
    assert handed_back(serving)


@pytest.mark.further
def test_a_run_whose_lock_was_taken_away_begins_no_further_batch(serving: Autoscaled) -> None:
    others = "bob@desk run 20-2 since 2099-01-01T00:00:00Z"
    group = {"ResourceId": serving.web.group, "ResourceType": "auto-scaling-group"}
    before = serving.releases()
    first, second = sorted(serving.instances())
    another_release(serving)
    with serving.visitors():
        process = serving.start("deploy")
        assert process.stdout is not None
        output = ""
        for line in process.stdout:
            output += line
            if "Put the batch back into the load balancer" in line and others not in serving.tags().values():
                tag = {**group, "Key": LOCK, "Value": others, "PropagateAtLaunch": False}
                serving.client("autoscaling").create_or_update_tags(Tags=[tag])
        assert process.wait() != 0, output[-6000:]
        assert f"this run has lost the lock of {serving.web.group}" in output
        assert f"{first} has the release; healthy" in output
        assert f"{second} was not touched; healthy" in output
        assert serving.tags()[LOCK] == others
        assert serving.releases()[second] == before[second]
        run = serving.succeed("deploy", "-e", "fleet_force=true")
    assert f"takes over the lock of {others}" in run.output
    assert len(serving.codes()) == 1
    assert handed_back(serving)


@pytest.mark.further
def test_a_host_that_is_launched_meanwhile_gets_the_release_too(serving: Autoscaled) -> None:
    another_release(serving)
    with serving.visitors():
        process = serving.start("deploy")
        assert process.stdout is not None
        output = ""
        for line in process.stdout:
            output += line
            if line.startswith("Bring the release to one host") and len(serving.instances()) == 2:
                serving.scale(3)
        assert process.wait() == 0, output[-6000:]
    try:
        assert len(serving.instances()) == 3
        assert all(f"{host} has the release; healthy" in output for host in serving.instances()), output[-6000:]
        assert len(serving.codes()) == 1
        assert handed_back(serving)
    finally:
        serving.scale(2)
        assert eventually(lambda: settled(serving), 120, 1)


def test_an_instance_that_is_terminated_meanwhile_does_not_keep_the_others_from_it(serving: Autoscaled) -> None:
    first, second = sorted(serving.instances())
    another_release(serving)
    process = serving.start("deploy")
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        output += line
        if line.startswith("Bring the release to one host") and output.count("Bring the release to one host") == 1:
            serving.client("ec2").terminate_instances(InstanceIds=[second])
    assert process.wait() == 0, output[-6000:]
    assert f"{first} has the release; healthy" in output
    assert f"{second} is gone: its instance is terminated" in output
    assert LOCK not in serving.tags()
    assert not serving.suspended()
    # Auto Scaling replaces it, by one that has the release.
    assert eventually(lambda: len(serving.instances()) == 2 and settled(serving), 300, 1)
    # The first run after that pins its host key.
    serving.succeed("status")
    again = serving.succeed("deploy")
    assert again.count("changed") == 0
    assert "nothing to do on 2 hosts in service" in again.output
    assert len(serving.codes()) == 1


@pytest.mark.further
@pytest.mark.parametrize("waits", [True, False])
def test_an_instance_that_goes_while_a_run_of_everything_begins_does_not_end_it(
    serving: Autoscaled, waits: bool
) -> None:
    """One that was launched a moment ago is waited for, an older one is not."""
    _first, second = sorted(serving.instances())
    times = {"platform_connection_timeout": 20, "platform_launch_timeout": 86400 if waits else 1}
    with kept(serving):
        process = serving.start("site", "-e", json.dumps(times))
        assert process.stdout is not None
        output = ""
        for line in process.stdout:
            output += line
            if line.startswith("Write how the hosts are reached"):
                serving.client("ec2").terminate_instances(InstanceIds=[second])
        assert process.wait() == 0, output[-6000:]
    assert f"{second} went while this run began, and is left out" in output or waits
    assert eventually(lambda: handed_back(serving), 300, 1)
