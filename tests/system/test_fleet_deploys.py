# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys to a fleet under load: what visitors notice, and what runs afterwards, also when a host fails."""

from __future__ import annotations

import re

import pytest

from tests.region.account import eventually
from tests.system.autoscaled import Autoscaled
from tests.system.conftest import settled
from tests.system.releases import BROKEN, LOCK, another_release, handed_back, kept, obstructed, told_of_each


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
    with obstructed(serving, second), serving.visitors():
        run = serving.fail("deploy")
    assert "went back; healthy" in run.output
    assert serving.releases() == before
    assert handed_back(serving)


@pytest.mark.further
def test_hosts_keep_what_they_have_when_a_run_that_is_to_stop_fails(serving: Autoscaled) -> None:
    before = serving.releases()
    another_release(serving)
    first, second = sorted(serving.instances())
    with serving.visitors():
        with obstructed(serving, second):
            run = serving.fail("deploy", "-e", "on_failure=stop")
        assert "the hosts were left with what they have (on_failure=stop)" in run.output
        assert f"{first} has the release; healthy" in run.output
        assert f"{second} failed, and goes on with what it had; healthy" in run.output
        assert handed_back(serving)
        assert serving.releases()[first] != before[first]
        assert serving.releases()[second] == before[second]
        again = serving.succeed("deploy")
    assert f"{first} was as it should be; healthy" in again.output
    assert f"{second} has the release; healthy" in again.output
    assert len(serving.codes()) == 1


@pytest.mark.further
def test_a_fleet_of_one_host_switches_without_leaving_the_load_balancer(serving: Autoscaled) -> None:
    serving.scale(1)
    try:
        assert eventually(lambda: settled(serving), 120, 1), (serving.fleet(), serving.targets())
        (host,) = serving.instances()
        before = serving.codes()
        another_release(serving)
        with serving.visitors():
            run = serving.succeed("deploy")
        assert f"1. {host}: switches by its health check, has to be healthy in the load balancer" in run.output
        assert f"{host} has the release; healthy" in run.output
        after = serving.codes()
        assert after != before
        serving.add_to_code("homepage", BROKEN)
        with serving.visitors():
            run = serving.fail("deploy")
        assert "the disk is full" in run.output
        assert f"{host} failed" in run.output
        assert serving.codes() == after
        assert handed_back(serving)
    finally:
        serving.scale(2)
        assert eventually(lambda: settled(serving), 400, 1), (serving.fleet(), serving.targets())


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
    assert told_of_each(serving, serving.succeed("deploy"), "has the release; healthy")


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
    assert told_of_each(serving, serving.succeed("deploy"), "has the release; healthy")
