# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standby, attaching and detaching, life-cycle hooks: what an instance goes through in its group."""

from __future__ import annotations

import pytest

from tests.cloud.account import refused
from tests.cloud.scaling.fleet import IMAGE, NAME, Fleet

NAMED = {"AutoScalingGroupName": NAME}


def test_standby_takes_an_instance_out_of_service_and_back(fleet: Fleet) -> None:
    arn = fleet.target_group(delay=30)
    first, second = fleet.running(2, TargetGroupARNs=[arn])
    fleet.scaling.enter_standby(**NAMED, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    fleet.settle()
    assert fleet.life_cycle(first) == "EnteringStandby"
    assert fleet.targets(arn)[first] == "draining"
    fleet.settle(40)
    assert fleet.life_cycle(first) == "Standby"
    assert fleet.targets(arn).keys() == {second}
    assert (fleet.group()["DesiredCapacity"], fleet.state(first)) == (1, "running")
    fleet.ec2.stop_instances(InstanceIds=[first])
    fleet.settle()
    assert fleet.life_cycle(first) == "Standby"
    fleet.ec2.start_instances(InstanceIds=[first])
    fleet.scaling.exit_standby(**NAMED, InstanceIds=[first])
    fleet.settle()
    assert sorted(fleet.ids()) == sorted([first, second])
    assert fleet.targets(arn).keys() == {first, second}
    assert fleet.group()["DesiredCapacity"] == 2


def test_standby_without_a_smaller_capacity_gets_a_substitute(fleet: Fleet) -> None:
    first, _second = fleet.running(2, most=3)
    fleet.scaling.enter_standby(**NAMED, InstanceIds=[first], ShouldDecrementDesiredCapacity=False)
    fleet.settle()
    assert fleet.life_cycle(first) == "Standby"
    assert len(fleet.ids()) == 2


def test_standby_keeps_to_the_bounds_and_states(fleet: Fleet) -> None:
    first, _second = fleet.running(2, least=2)
    with refused("ValidationError", "min-size=2"):
        fleet.scaling.enter_standby(**NAMED, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    with refused("ValidationError", "is not in Standby"):
        fleet.scaling.exit_standby(**NAMED, InstanceIds=[first])
    with refused("ValidationError", "is not part of Auto Scaling group"):
        fleet.scaling.exit_standby(**NAMED, InstanceIds=["i-0123456789abcdef0"])


def test_a_detached_instance_lives_on_by_itself(fleet: Fleet) -> None:
    arn = fleet.target_group(delay=0)
    first, second = fleet.running(2, TargetGroupARNs=[arn])
    fleet.scaling.detach_instances(**NAMED, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    fleet.settle(10)
    assert fleet.ids() == [second]
    assert fleet.state(first) == "running"
    assert fleet.targets(arn).keys() == {second}
    assert "aws:autoscaling:groupName" not in {tag["Key"] for tag in fleet.on_ec2(first)["Tags"]}


def test_an_attached_instance_serves_with_the_others(fleet: Fleet) -> None:
    arn = fleet.target_group()
    fleet.running(1, TargetGroupARNs=[arn])
    place = fleet.subnets[1]["SubnetId"]
    made = fleet.ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=place)["Instances"][0]
    fleet.scaling.attach_instances(**NAMED, InstanceIds=[made["InstanceId"]])
    fleet.settle()
    assert fleet.group()["DesiredCapacity"] == 2
    assert made["InstanceId"] in fleet.ids()
    assert made["InstanceId"] in fleet.targets(arn)


def test_a_launching_instance_waits_for_its_hook(fleet: Fleet) -> None:
    arn = fleet.target_group()
    fleet.create(1, TargetGroupARNs=[arn])
    fleet.hook("LAUNCHING")
    fleet.settle(60)
    (waiting,) = fleet.ids("Pending:Wait")
    assert fleet.targets(arn) == {}
    assert fleet.activities()[-1]["StatusCode"] == "MidLifecycleAction"
    fleet.complete(waiting, "CONTINUE")
    assert fleet.life_cycle(waiting) == "Pending:Proceed"
    fleet.settle()
    assert fleet.ids() == [waiting]
    assert fleet.targets(arn).keys() == {waiting}


def test_an_abandoned_launch_is_terminated_and_tried_again(fleet: Fleet) -> None:
    fleet.create(1)
    fleet.hook("LAUNCHING")
    fleet.settle()
    (first,) = fleet.ids("Pending:Wait")
    fleet.complete(first, "ABANDON")
    fleet.settle()
    assert fleet.state(first) == "terminated"
    (second,) = fleet.ids("Pending:Wait")
    assert second != first


@pytest.mark.parametrize(("result", "state"), [("CONTINUE", "InService"), ("ABANDON", "gone")])
def test_a_hook_that_is_not_completed_ends_as_it_says(fleet: Fleet, result: str, state: str) -> None:
    fleet.create(1)
    fleet.hook("LAUNCHING", DefaultResult=result)
    fleet.settle()
    (waiting,) = fleet.ids("Pending:Wait")
    assert 290 < min(fleet.looks) <= 300
    fleet.settle(280)
    assert fleet.life_cycle(waiting) == "Pending:Wait"
    fleet.settle(30)
    assert fleet.life_cycle(waiting) == state


def test_a_heartbeat_prolongs_the_wait(fleet: Fleet) -> None:
    fleet.create(1)
    fleet.hook("LAUNCHING")
    fleet.settle(200)
    (waiting,) = fleet.ids("Pending:Wait")
    fleet.scaling.record_lifecycle_action_heartbeat(**NAMED, LifecycleHookName="wait", InstanceId=waiting)
    fleet.settle(290)
    assert fleet.life_cycle(waiting) == "Pending:Wait"
    fleet.settle(20)
    assert fleet.life_cycle(waiting) == "gone"


def test_a_terminating_instance_waits_for_its_hook_after_it_was_drained(fleet: Fleet) -> None:
    arn = fleet.target_group(delay=30)
    fleet.running(1, TargetGroupARNs=[arn])
    fleet.hook("TERMINATING")
    fleet.resize(0)
    fleet.settle()
    (leaving,) = fleet.ids("Terminating")
    assert fleet.targets(arn) == {leaving: "draining"}
    fleet.settle(40)
    assert fleet.life_cycle(leaving) == "Terminating:Wait"
    assert (fleet.state(leaving), fleet.targets(arn)) == ("running", {})
    fleet.complete(leaving, "CONTINUE")
    fleet.settle()
    assert (fleet.state(leaving), fleet.instances()) == ("terminated", [])


@pytest.mark.parametrize("result", ["CONTINUE", "ABANDON"])
def test_either_result_lets_a_terminating_instance_end(fleet: Fleet, result: str) -> None:
    fleet.running(1)
    fleet.hook("TERMINATING", DefaultResult=result)
    fleet.resize(0)
    fleet.settle(310)
    assert fleet.instances() == []


def test_an_action_that_is_not_there_cannot_be_completed(fleet: Fleet) -> None:
    (first,) = fleet.running(1)
    fleet.hook("LAUNCHING")
    with refused("ValidationError", f"No active Lifecycle Action found with instance ID {first}"):
        fleet.complete(first, "CONTINUE")


def test_a_deleted_hook_lets_go_what_it_held(fleet: Fleet) -> None:
    fleet.running(1)
    fleet.hook("TERMINATING")
    fleet.resize(0)
    fleet.settle()
    assert len(fleet.ids("Terminating:Wait")) == 1
    fleet.scaling.delete_lifecycle_hook(**NAMED, LifecycleHookName="wait")
    fleet.settle()
    assert fleet.instances() == []


def test_hooks_are_for_launching_and_terminating_alone(fleet: Fleet) -> None:
    """Neither for standby nor for a group deleted by force."""
    (first,) = fleet.running(1)
    fleet.hook("LAUNCHING")
    fleet.scaling.enter_standby(**NAMED, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    fleet.settle()
    fleet.scaling.exit_standby(**NAMED, InstanceIds=[first])
    fleet.settle()
    assert fleet.ids() == [first]
    fleet.hook("TERMINATING", LifecycleHookName="last")
    fleet.scaling.delete_auto_scaling_group(**NAMED, ForceDelete=True)
    fleet.settle()
    assert fleet.state(first) == "terminated"


def test_a_hook_keeps_what_it_is_not_told(fleet: Fleet) -> None:
    fleet.create(0)
    fleet.hook("LAUNCHING", DefaultResult="CONTINUE", NotificationMetadata="x")
    fleet.scaling.put_lifecycle_hook(**NAMED, LifecycleHookName="wait", HeartbeatTimeout=60)
    (hook,) = fleet.scaling.describe_lifecycle_hooks(**NAMED)["LifecycleHooks"]
    assert (hook["DefaultResult"], hook["HeartbeatTimeout"], hook["GlobalTimeout"]) == ("CONTINUE", 60, 6000)
    assert hook["NotificationMetadata"] == "x"
    with refused("ValidationError", "LifecycleTransition"):
        fleet.hook("LAUNCHING", LifecycleHookName="other", LifecycleTransition="x")
