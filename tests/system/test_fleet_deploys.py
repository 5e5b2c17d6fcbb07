# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys to a fleet under load: what visitors notice, what runs afterwards, and what a failing run leaves."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.killing import Moment, run_and_kill
from tests.harness import Run
from tests.region.account import eventually
from tests.system.autoscaled import Autoscaled
from tests.system.conftest import settled

LOCK = "gatehouse:lock"
REPLACING = {"HealthCheck", "ReplaceUnhealthy"}
BROKEN = "\n@app.get('/health', endpoint='broken')\ndef broken():\n    raise RuntimeError('the disk is full')\n"
BROKEN += "app.url_map._rules_by_endpoint\napp.view_functions['health'] = broken\n"


@contextmanager
def kept(system: Autoscaled) -> Iterator[None]:
    """Have Auto Scaling replace nothing that is unhealthy, as somebody else but a deploy may."""
    named = {"AutoScalingGroupName": "autoscaled-web", "ScalingProcesses": sorted(REPLACING)}
    system.client("autoscaling").suspend_processes(**named)
    try:
        yield
        assert system.suspended() == REPLACING, "what others have suspended stays so"
    finally:
        system.client("autoscaling").resume_processes(**named)


def another_release(system: Autoscaled) -> None:
    """Code that no release had before."""
    system.add_to_code("homepage", f"\n# {uuid.uuid4()}\n")


def handed_back(system: Autoscaled) -> bool:
    """Whether nobody holds the fleet, everything goes on, and all targets are healthy."""
    return settled(system) and LOCK not in system.tags() and not system.suspended()


def told_of_each(system: Autoscaled, run: Run, words: str) -> bool:
    return all(f"{host} {words}" in run.output for host in system.instances())


def test_a_deploy_loses_no_request_and_a_second_one_changes_nothing(serving: Autoscaled) -> None:
    before = serving.codes()
    another_release(serving)
    foreseen = serving.succeed("deploy", "--check")
    assert "2. " in foreseen.output
    assert serving.codes() == before
    assert LOCK not in serving.tags()
    with serving.visitors() as tally:
        run = serving.succeed("deploy", "-e", "platform_probe=true")
    assert tally["sent"] > 500
    assert re.search(r"\b[1-9]\d* requests, 0 failed", run.output), run.output[-3000:]
    assert told_of_each(serving, run, "has the release; healthy")
    assert len(serving.codes()) == 1
    assert serving.codes() != before
    assert handed_back(serving)
    again = serving.succeed("deploy")
    assert again.count("changed") == 0
    assert "nothing to do on 2 hosts in service" in again.output


def test_a_release_that_is_not_healthy_stays_on_no_host(serving: Autoscaled) -> None:
    before = serving.releases()
    serving.add_to_code("homepage", BROKEN)
    with serving.visitors():
        run = serving.fail("deploy")
    first, second = sorted(serving.instances())
    assert "The release did not come to fleet web" in run.output
    assert "the disk is full" in run.output
    assert "failed, and goes on with what it had; healthy" in run.output
    assert f"{second} was not touched; healthy" in run.output or f"{first} was not touched; healthy" in run.output
    assert serving.releases() == before
    assert handed_back(serving)


@pytest.mark.further
def test_hosts_that_had_a_release_go_back_when_a_later_one_fails(serving: Autoscaled) -> None:
    before = serving.releases()
    another_release(serving)
    _first, second = sorted(serving.instances())
    # A file in the way of the release on the second host alone.
    serving.on(second, "mv /srv/shop/releases /srv/shop/kept && touch /srv/shop/releases")
    try:
        with serving.visitors():
            run = serving.fail("deploy")
    finally:
        serving.on(second, "rm -f /srv/shop/releases && mv /srv/shop/kept /srv/shop/releases")
    assert "went back; healthy" in run.output
    assert serving.releases() == before
    assert handed_back(serving)


def test_a_rollback_takes_the_fleet_to_the_release_before(serving: Autoscaled) -> None:
    another_release(serving)
    serving.succeed("deploy")
    old = serving.codes()
    another_release(serving)
    serving.succeed("deploy")
    with serving.visitors():
        run = serving.succeed("rollback", "-e", "service=shop")
    assert told_of_each(serving, run, "has the release; healthy")
    assert serving.codes() == old
    assert handed_back(serving)
    (code,) = old
    again = serving.succeed("rollback", "-e", "service=shop", "-e", f"release={code}")
    assert again.count("changed") == 0


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


def test_the_last_healthy_host_of_a_larger_fleet_is_not_taken_out(serving: Autoscaled) -> None:
    before = serving.releases()
    first, second = sorted(serving.instances())
    another_release(serving)
    with kept(serving):
        serving.on(first, "systemctl stop apache2")
        assert eventually(lambda: serving.targets()[first] == "unhealthy", 60, 1)
        run = serving.fail("deploy", "--limit", second)
        serving.on(first, "systemctl start apache2")
        assert f"deregistering {second}:8000 would leave 0 healthy targets" in run.output
        assert f"{second} failed; healthy" in run.output
        assert eventually(lambda: settled(serving), 60, 1)
    assert serving.releases() == before
    assert eventually(lambda: handed_back(serving), 60, 1)


def test_a_host_that_is_not_healthy_in_the_load_balancer_keeps_the_others_as_they_are(serving: Autoscaled) -> None:
    before = serving.releases()
    first, second = sorted(serving.instances())
    serving.change(lambda declared: declared["platform_fleets"][0].update(deploy={"timeout": 20}))
    another_release(serving)
    with kept(serving):
        serving.on(second, "systemctl stop apache2")
        assert eventually(lambda: serving.targets()[second] == "unhealthy", 60, 1)
        with serving.visitors():
            run = serving.fail("deploy")
        serving.on(second, "systemctl start apache2")
        assert f"1. {second}: switches by its health check, has to be healthy in the load balancer" in run.output
        assert "shop on the host, asked for its health" in run.output
        assert f"{second} failed, and did not get back; unhealthy" in run.output
        assert f"{first} was not touched; healthy" in run.output
        assert "not every host is back" in run.output
        assert eventually(lambda: settled(serving), 60, 1)
    assert serving.releases() == before
    assert eventually(lambda: handed_back(serving), 60, 1)


@pytest.mark.further
def test_a_host_that_is_launched_meanwhile_gets_the_release_too(serving: Autoscaled) -> None:
    scaling = serving.client("autoscaling")
    another_release(serving)
    with serving.visitors():
        process = serving.start("deploy")
        assert process.stdout is not None
        output = ""
        for line in process.stdout:
            output += line
            if line.startswith("Bring the release to one host") and len(serving.instances()) == 2:
                scaling.set_desired_capacity(AutoScalingGroupName="autoscaled-web", DesiredCapacity=3)
        assert process.wait() == 0, output[-6000:]
    try:
        assert len(serving.instances()) == 3
        assert all(f"{host} has the release; healthy" in output for host in serving.instances()), output[-6000:]
        assert len(serving.codes()) == 1
        assert handed_back(serving)
    finally:
        scaling.set_desired_capacity(AutoScalingGroupName="autoscaled-web", DesiredCapacity=2)
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
    serving.succeed("status")
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
