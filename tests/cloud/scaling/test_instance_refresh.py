# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refresh over the API: started, followed, paused at checkpoints, cancelled."""

from __future__ import annotations

import pytest

from tests.cloud.account import refused
from tests.cloud.scaling.fleet import NAME, Fleet

NAMED = {"AutoScalingGroupName": NAME}


def versions(fleet: Fleet) -> list[str]:
    return sorted(one["LaunchTemplate"]["Version"] for one in fleet.instances())


def test_a_refresh_replaces_all_instances_within_its_minimum(fleet: Fleet) -> None:
    arn = fleet.target_group(delay=0)
    names = fleet.running(4, TargetGroupARNs=[arn])
    fleet.new_version(InstanceType="t3.small")
    fleet.refresh(MinHealthyPercentage=50, InstanceWarmup=60)
    assert fleet.refreshed()["Status"] == "Pending"
    seen = []
    for _step in range(20):
        fleet.settle(20)
        seen.append((len(fleet.ids()), fleet.refreshed()["PercentageComplete"]))
    told = fleet.refreshed()
    assert (told["Status"], told["PercentageComplete"], told["InstancesToUpdate"]) == ("Successful", 100, 0)
    assert told["EndTime"] > told["StartTime"]
    assert {percentage for _number, percentage in seen} == {0, 50, 100}
    assert versions(fleet) == ["2"] * 4
    assert set(fleet.ids()).isdisjoint(names)
    assert {fleet.state(name) for name in names} == {"terminated"}
    assert set(fleet.targets(arn)) == set(fleet.ids())
    assert sorted(fleet.zones().values()) == [1, 1, 2]
    causes = [one["Cause"] for one in fleet.activities() if one["Description"].startswith("Terminating")]
    assert all("in response to an instance refresh" in cause for cause in causes)


def test_a_minimum_of_all_starts_the_new_one_first(fleet: Fleet) -> None:
    fleet.running(2)
    fleet.refresh(MinHealthyPercentage=100, InstanceWarmup=60)
    fleet.settle()
    assert len(fleet.ids()) == 3
    numbers = set()
    for _step in range(10):
        fleet.settle(30)
        numbers.add(len(fleet.ids()))
    assert numbers == {2, 3}
    assert fleet.refreshed()["Status"] == "Successful"


def test_the_default_minimum_replaces_one_at_a_time(fleet: Fleet) -> None:
    names = fleet.running(3, HealthCheckGracePeriod=60)
    fleet.refresh()
    fleet.settle()
    preferences = fleet.refreshed()["Preferences"]
    assert (preferences["MinHealthyPercentage"], preferences["InstanceWarmup"]) == (90, 60)
    assert len(set(names) & set(fleet.ids())) == 2
    fleet.settle(70)
    assert len(set(names) & set(fleet.ids())) == 1
    fleet.settle(200)
    assert fleet.refreshed()["Status"] == "Successful"


def test_a_refresh_pauses_at_its_checkpoints(fleet: Fleet) -> None:
    fleet.running(4)
    fleet.new_version(InstanceType="t3.small")
    fleet.refresh(MinHealthyPercentage=50, InstanceWarmup=0, CheckpointPercentages=[50, 100], CheckpointDelay=600)
    fleet.settle(60)
    told = fleet.refreshed()
    assert (told["Status"], told["PercentageComplete"]) == ("InProgress", 50)
    assert told["StatusReason"] == "Waiting for the checkpoint delay"
    fleet.settle(480)
    assert versions(fleet) == ["1", "1", "2", "2"]
    fleet.settle(90)
    assert versions(fleet) == ["2"] * 4
    assert fleet.refreshed()["Status"] == "Successful"


def test_a_cancelled_refresh_goes_no_further(fleet: Fleet) -> None:
    fleet.running(3)
    fleet.new_version(InstanceType="t3.small")
    started = fleet.refresh(InstanceWarmup=300)
    fleet.settle()
    assert fleet.scaling.cancel_instance_refresh(**NAMED)["InstanceRefreshId"] == started
    assert fleet.refreshed()["Status"] == "Cancelling"
    fleet.settle(600)
    assert fleet.refreshed()["Status"] == "Cancelled"
    assert versions(fleet) == ["1", "1", "2"]
    with refused("ActiveInstanceRefreshNotFound"):
        fleet.scaling.cancel_instance_refresh(**NAMED)


def test_only_one_refresh_at_a_time(fleet: Fleet) -> None:
    fleet.running(1)
    fleet.refresh()
    with refused("InstanceRefreshInProgress"):
        fleet.refresh()
    fleet.settle(10)
    first = fleet.refreshed()["InstanceRefreshId"]
    assert fleet.refresh() != first


def test_skip_matching_leaves_what_is_up_to_date(fleet: Fleet) -> None:
    names = fleet.running(2)
    fleet.new_version(InstanceType="t3.small")
    fleet.resize(3)
    fleet.settle()
    (current,) = set(fleet.ids()) - set(names)
    fleet.refresh(SkipMatching=True, InstanceWarmup=0)
    fleet.settle(60)
    assert current in fleet.ids()
    assert versions(fleet) == ["2", "2", "2"]


def test_a_refresh_can_bring_another_configuration(fleet: Fleet) -> None:
    fleet.running(2, LaunchTemplate={"LaunchTemplateId": fleet.template, "Version": "1"})
    fleet.new_version(InstanceType="t3.small")
    wanted = {"LaunchTemplate": {"LaunchTemplateId": fleet.template, "Version": "2"}}
    fleet.scaling.start_instance_refresh(
        **NAMED, DesiredConfiguration=wanted, Preferences={"InstanceWarmup": 0, "MinHealthyPercentage": 0}
    )
    fleet.settle(30)
    assert fleet.refreshed()["Status"] == "Successful"
    assert versions(fleet) == ["2", "2"]
    assert fleet.group()["LaunchTemplate"]["Version"] == "2"


def test_protected_instances_hold_a_refresh_up_unless_ignored(fleet: Fleet) -> None:
    first, second = fleet.running(2)
    fleet.scaling.set_instance_protection(**NAMED, InstanceIds=[first], ProtectedFromScaleIn=True)
    fleet.refresh(InstanceWarmup=0)
    fleet.settle(60)
    told = fleet.refreshed()
    assert told["Status"] == "InProgress"
    assert first in told["StatusReason"]
    assert (first in fleet.ids(), second in fleet.ids()) == (True, False)
    fleet.scaling.cancel_instance_refresh(**NAMED)
    fleet.settle()
    fleet.refresh(InstanceWarmup=0, ScaleInProtectedInstances="Ignore")
    fleet.settle(60)
    assert fleet.refreshed()["Status"] == "Successful"
    assert first in fleet.ids()


def test_a_refresh_waits_while_launching_is_suspended(fleet: Fleet) -> None:
    names = fleet.running(2)
    fleet.suspend("Launch")
    fleet.refresh(InstanceWarmup=0)
    fleet.settle(60)
    assert fleet.ids() == names
    fleet.resume("Launch")
    fleet.settle(60)
    assert set(fleet.ids()).isdisjoint(names)


@pytest.mark.parametrize(
    "preferences",
    [
        {"MinHealthyPercentage": 0, "MaxHealthyPercentage": 200},
        {"CheckpointPercentages": [50, 20]},
        {"AutoRollback": True},
    ],
)
def test_preferences_that_cannot_be_are_refused(fleet: Fleet, preferences: dict[str, object]) -> None:
    fleet.running(1)
    with refused("ValidationError"):
        fleet.refresh(**preferences)
