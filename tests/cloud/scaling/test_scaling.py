# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups over the API: capacity, zones, health, target groups, processes. Time is the control plane's."""

from __future__ import annotations

import base64

import pytest

from tests.cloud.account import refused
from tests.cloud.scaling.fleet import NAME, USER_DATA, Fleet


def test_instances_are_spread_over_the_zones(fleet: Fleet) -> None:
    fleet.running(5)
    assert sorted(fleet.zones().values()) == [1, 2, 2]
    assert {one["LifecycleState"] for one in fleet.instances()} == {"InService"}


def test_the_api_alone_starts_nothing(fleet: Fleet) -> None:
    fleet.create(3)
    assert fleet.instances() == []
    assert fleet.group()["DesiredCapacity"] == 3
    assert fleet.ec2.describe_instances()["Reservations"] == []


def test_an_instance_is_all_that_its_launch_template_says(fleet: Fleet) -> None:
    tags = [
        {"Key": "team", "Value": "a", "PropagateAtLaunch": True},
        {"Key": "b", "Value": "b", "PropagateAtLaunch": False},
    ]
    (name,) = fleet.running(1, Tags=tags)
    found = fleet.on_ec2(name)
    assert found["IamInstanceProfile"]["Arn"].endswith("instance-profile/web")
    assert (found["KeyName"], found["InstanceType"]) == ("operator", "t3.micro")
    assert [group["GroupName"] for group in found["SecurityGroups"]] == ["web"]
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    assert found["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    data = fleet.ec2.describe_instance_attribute(InstanceId=name, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(data).decode() == USER_DATA
    assert {tag["Key"]: tag["Value"] for tag in found["Tags"]} == {
        "from": "template",
        "team": "a",
        "aws:autoscaling:groupName": NAME,
        "aws:ec2launchtemplate:id": fleet.template,
        "aws:ec2launchtemplate:version": "1",
    }


def test_interfaces_of_a_launch_template_get_the_zones_subnet(fleet: Fleet) -> None:
    group = fleet.ec2.create_security_group(GroupName="eni", Description="d", VpcId=fleet.vpc)["GroupId"]
    interface = {"DeviceIndex": 0, "AssociatePublicIpAddress": True, "Groups": [group]}
    data = {"ImageId": "ami-0deb1300000000001", "InstanceType": "t3.micro", "NetworkInterfaces": [interface]}
    fleet.ec2.create_launch_template(LaunchTemplateName="eni", LaunchTemplateData=data)
    names = fleet.running(3, LaunchTemplate={"LaunchTemplateName": "eni"})
    found = [fleet.on_ec2(name) for name in names]
    assert {one["SubnetId"] for one in found} == {subnet["SubnetId"] for subnet in fleet.subnets}
    assert {one["NetworkInterfaces"][0]["Groups"][0]["GroupId"] for one in found} == {group}
    assert all(one["PublicIpAddress"] for one in found)


def test_new_instances_have_the_current_version_of_the_template(fleet: Fleet) -> None:
    fleet.running(1)
    fleet.new_version(InstanceType="t3.small")
    fleet.resize(2)
    fleet.settle()
    said = {one["LaunchTemplate"]["Version"]: one["InstanceType"] for one in fleet.instances()}
    assert said == {"1": "t3.micro", "2": "t3.small"}


def test_a_changed_desired_capacity_is_followed(fleet: Fleet) -> None:
    fleet.running(2)
    fleet.resize(6)
    fleet.settle()
    assert sorted(fleet.zones().values()) == [2, 2, 2]
    fleet.resize(1)
    fleet.settle()
    assert len(fleet.ids()) == 1
    fleet.scaling.update_auto_scaling_group(AutoScalingGroupName=NAME, MinSize=4)
    fleet.settle()
    assert len(fleet.ids()) == fleet.group()["DesiredCapacity"] == 4


def test_capacity_stays_within_its_bounds(fleet: Fleet) -> None:
    fleet.running(2, least=1, most=3)
    for desired, text in ((4, "above max value 3"), (0, "below min value 1")):
        with refused("ValidationError", text):
            fleet.resize(desired)
    with refused("ValidationError", "Max bound, 1, must be greater"):
        fleet.scaling.update_auto_scaling_group(AutoScalingGroupName=NAME, MinSize=2, MaxSize=1)
    with refused("ValidationError", "must be between the specified min size:1 and max size:3"):
        fleet.scaling.update_auto_scaling_group(AutoScalingGroupName=NAME, DesiredCapacity=9)
    with refused("AlreadyExists"):
        fleet.create(1)
    with refused("ValidationError", "launch template"):
        fleet.scaling.update_auto_scaling_group(
            AutoScalingGroupName=NAME, LaunchTemplate={"LaunchTemplateName": "other"}
        )


def test_a_terminated_instance_is_replaced(fleet: Fleet) -> None:
    first, *rest = fleet.running(3)
    fleet.ec2.terminate_instances(InstanceIds=[first])
    fleet.settle()
    assert len(fleet.ids()) == 3
    assert set(rest) < set(fleet.ids())
    assert first not in fleet.ids()
    assert sorted(fleet.zones().values()) == [1, 1, 1]
    ended = [one for one in fleet.activities() if one["Description"] == f"Terminating EC2 instance: {first}"]
    assert "EC2 health check indicating it has been terminated or stopped" in ended[0]["Cause"]


def test_a_stopped_instance_is_terminated_and_replaced(fleet: Fleet) -> None:
    first, _second = fleet.running(2)
    fleet.ec2.stop_instances(InstanceIds=[first])
    fleet.settle()
    assert fleet.state(first) == "terminated"
    assert len(fleet.ids()) == 2


def test_health_check_of_kind_elb_replaces_what_the_load_balancer_calls_unhealthy(fleet: Fleet) -> None:
    arn = fleet.target_group()
    settings = {"TargetGroupARNs": [arn], "HealthCheckType": "ELB", "HealthCheckGracePeriod": 120}
    first, second = fleet.running(2, **settings)
    fleet.cloud.health.answers(arn, first, ok=False)
    fleet.settle(60)
    assert fleet.targets(arn)[first] == "unhealthy"
    assert fleet.life_cycle(first) == "InService"
    fleet.settle(180)
    assert fleet.life_cycle(first) == "gone"
    assert fleet.state(first) == "terminated"
    assert len(fleet.ids()) == 2
    assert second in fleet.ids()
    causes = [one["Cause"] for one in fleet.activities() if one["Description"].endswith(first)]
    assert "in response to an ELB system health check failure" in causes[-1]


def test_health_check_of_kind_ec2_ignores_the_load_balancer(fleet: Fleet) -> None:
    arn = fleet.target_group()
    first, _second = fleet.running(2, TargetGroupARNs=[arn])
    fleet.cloud.health.answers(arn, first, ok=False)
    fleet.settle(120)
    assert fleet.targets(arn)[first] == "unhealthy"
    assert fleet.life_cycle(first) == "InService"


def test_set_instance_health_respects_the_grace_period_unless_told_otherwise(fleet: Fleet) -> None:
    first, second = fleet.running(2, HealthCheckGracePeriod=300)
    fleet.scaling.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    fleet.settle()
    assert fleet.ids() == [first, second]
    fleet.scaling.set_instance_health(InstanceId=first, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False)
    fleet.settle()
    assert fleet.life_cycle(first) == "gone"
    fleet.settle(300)
    fleet.scaling.set_instance_health(InstanceId=second, HealthStatus="Unhealthy")
    fleet.settle()
    assert fleet.life_cycle(second) == "gone"
    assert len(fleet.ids()) == 2


def test_instances_are_registered_and_drained_before_they_end(fleet: Fleet) -> None:
    arn = fleet.target_group(delay=60)
    fleet.running(2, TargetGroupARNs=[arn])
    assert set(fleet.targets(arn)) == set(fleet.ids())
    fleet.resize(1)
    fleet.settle(30)
    (leaving,) = fleet.ids("Terminating")
    assert fleet.targets(arn)[leaving] == "draining"
    assert fleet.state(leaving) == "running"
    assert fleet.activities()[-1]["StatusCode"] == "WaitingForELBConnectionDraining"
    assert fleet.looks == [pytest.approx(1, abs=0.5)]
    fleet.settle(40)
    assert fleet.state(leaving) == "terminated"
    assert set(fleet.targets(arn)) == set(fleet.ids())
    assert fleet.activities()[-1]["StatusCode"] == "Successful"


def test_target_groups_are_attached_and_detached(fleet: Fleet) -> None:
    arn = fleet.target_group()
    fleet.running(2)
    named = {"AutoScalingGroupName": NAME}
    fleet.scaling.attach_load_balancer_target_groups(**named, TargetGroupARNs=[arn])
    told = fleet.scaling.describe_load_balancer_target_groups(**named)["LoadBalancerTargetGroups"]
    assert [one["State"] for one in told] == ["Adding"]
    fleet.settle()
    assert set(fleet.targets(arn)) == set(fleet.ids())
    told = fleet.scaling.describe_load_balancer_target_groups(**named)["LoadBalancerTargetGroups"]
    assert [one["State"] for one in told] == ["Added"]
    fleet.scaling.detach_load_balancer_target_groups(**named, TargetGroupARNs=[arn])
    fleet.settle()
    assert set(fleet.targets(arn).values()) == {"draining"}
    fleet.settle(70)
    assert fleet.targets(arn) == {}
    assert fleet.scaling.describe_load_balancer_target_groups(**named)["LoadBalancerTargetGroups"] == []
    assert len(fleet.ids()) == 2


def test_a_deleted_target_group_does_not_stop_the_group(fleet: Fleet) -> None:
    made = fleet.elbv2.create_target_group(Name="x", Protocol="HTTP", Port=80, VpcId=fleet.vpc)
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    fleet.running(1, TargetGroupARNs=[arn])
    fleet.elbv2.delete_target_group(TargetGroupArn=arn)
    fleet.resize(2)
    fleet.settle()
    assert len(fleet.ids()) == 2


def test_suspended_launch_and_terminate_leave_the_capacity_as_it_is(fleet: Fleet) -> None:
    fleet.running(2)
    fleet.suspend("Launch", "Terminate")
    assert {one["ProcessName"] for one in fleet.group()["SuspendedProcesses"]} == {"Launch", "Terminate"}
    for desired in (4, 1):
        fleet.resize(desired)
        fleet.settle()
        assert len(fleet.ids()) == 2
    fleet.resume("Launch", "Terminate")
    fleet.settle()
    assert len(fleet.ids()) == 1


def test_suspended_launch_still_ends_what_is_unhealthy(fleet: Fleet) -> None:
    first, second = fleet.running(2)
    fleet.suspend("Launch")
    fleet.ec2.stop_instances(InstanceIds=[first])
    fleet.settle()
    assert fleet.ids() == [second]
    fleet.resume("Launch")
    fleet.settle()
    assert len(fleet.ids()) == 2


def test_suspended_health_checks_and_replacement(fleet: Fleet) -> None:
    first, second = fleet.running(2)
    fleet.suspend("HealthCheck")
    fleet.ec2.stop_instances(InstanceIds=[first])
    fleet.settle()
    assert {one["HealthStatus"] for one in fleet.instances()} == {"Healthy"}
    fleet.resume("HealthCheck")
    fleet.suspend("ReplaceUnhealthy")
    fleet.settle()
    assert {one["InstanceId"]: one["HealthStatus"] for one in fleet.instances()} == {
        first: "Unhealthy",
        second: "Healthy",
    }
    fleet.resume()
    fleet.settle()
    assert first not in fleet.ids()
    assert len(fleet.ids()) == 2


def test_suspended_add_to_load_balancer_leaves_new_instances_out_for_good(fleet: Fleet) -> None:
    """ "it does not add the instances that were launched while this process was suspended" """
    arn = fleet.target_group()
    (first,) = fleet.running(1, TargetGroupARNs=[arn])
    fleet.suspend("AddToLoadBalancer")
    fleet.resize(2)
    fleet.settle()
    fleet.resume("AddToLoadBalancer")
    fleet.resize(3)
    fleet.settle()
    assert first in fleet.targets(arn)
    assert len(fleet.targets(arn)) == 2
    assert len(fleet.ids()) == 3


def test_zones_are_balanced_again_when_the_group_gets_another_one(fleet: Fleet) -> None:
    fleet.running(4, zones=1)
    fleet.suspend("AZRebalance")
    place = ",".join(subnet["SubnetId"] for subnet in fleet.subnets[:2])
    fleet.scaling.update_auto_scaling_group(AutoScalingGroupName=NAME, VPCZoneIdentifier=place)
    fleet.settle()
    assert fleet.zones() == {"a": 4}
    fleet.resume("AZRebalance")
    fleet.settle()
    assert fleet.zones() == {"a": 2, "b": 2}
    place = fleet.subnets[2]["SubnetId"]
    fleet.scaling.update_auto_scaling_group(AutoScalingGroupName=NAME, VPCZoneIdentifier=place)
    fleet.settle()
    assert fleet.zones() == {"c": 4}


def test_protected_instances_survive_scaling_in(fleet: Fleet) -> None:
    names = fleet.running(3)
    kept = names[:2]
    fleet.scaling.set_instance_protection(AutoScalingGroupName=NAME, InstanceIds=kept, ProtectedFromScaleIn=True)
    fleet.resize(0)
    fleet.settle()
    assert fleet.ids() == kept


def test_the_oldest_goes_first_when_the_policy_says_so(fleet: Fleet) -> None:
    names = fleet.running(1, zones=1, TerminationPolicies=["OldestInstance"])
    fleet.cloud.clock.advance(60)
    fleet.resize(2)
    fleet.settle()
    fleet.resize(1)
    fleet.settle()
    assert set(fleet.ids()).isdisjoint(names)


def test_terminating_in_the_group_may_shrink_it(fleet: Fleet) -> None:
    first, second = fleet.running(2, least=1)
    fleet.scaling.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    fleet.settle()
    assert fleet.ids() == [second]
    with refused("ValidationError", "desiredSize equals minSize (1)"):
        fleet.scaling.terminate_instance_in_auto_scaling_group(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    fleet.scaling.terminate_instance_in_auto_scaling_group(InstanceId=second, ShouldDecrementDesiredCapacity=False)
    fleet.settle()
    assert len(fleet.ids()) == 1
    assert fleet.ids() != [second]


def test_a_group_with_instances_is_deleted_by_force_only(fleet: Fleet) -> None:
    names = fleet.running(2)
    with refused("ResourceInUse"):
        fleet.scaling.delete_auto_scaling_group(AutoScalingGroupName=NAME)
    fleet.scaling.delete_auto_scaling_group(AutoScalingGroupName=NAME, ForceDelete=True)
    assert fleet.group()["Status"] == "Delete in progress"
    fleet.settle()
    assert fleet.scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert {fleet.state(name) for name in names} == {"terminated"}
    assert len(fleet.running(1)) == 1


def test_activities_tell_what_happened_and_why(fleet: Fleet) -> None:
    (first,) = fleet.running(1)
    fleet.resize(2)
    fleet.settle()
    created, grown = fleet.activities()
    assert created["Description"] == f"Launching a new EC2 instance: {first}"
    assert "a user request created an AutoScalingGroup changing the desired capacity from 0 to 1" in created["Cause"]
    assert "a user request explicitly set group desired capacity" in grown["Cause"]
    assert "increasing the capacity from 1 to 2" in grown["Cause"]
    assert (grown["StatusCode"], grown["Progress"]) == ("Successful", 100)
    assert grown["EndTime"] >= grown["StartTime"] >= created["EndTime"]


def test_a_failed_launch_is_told_and_tried_again(fleet: Fleet) -> None:
    fleet.create(1, LaunchTemplate={"LaunchTemplateId": fleet.template, "Version": "$Default"})
    fleet.cloud.faults.add("refused", operation="RunInstances")
    fleet.settle()
    (failed,) = fleet.activities()
    assert failed["StatusCode"] == "Failed"
    assert "You are not authorized" in failed["StatusMessage"]
    assert len(fleet.looks) == 1
    assert 0 < fleet.looks[0] <= 15
    fleet.settle(20)
    assert len(fleet.ids()) == 1


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        *(("RunInstances", kind) for kind in ("throttled", "error", "timeout", "lost", "expired")),
        *((name, "lost") for name in ("TerminateInstances", "RegisterTargets", "DeregisterTargets")),
        ("TerminateInstances", "error"),
    ],
)
def test_a_call_that_goes_wrong_does_no_harm(fleet: Fleet, operation: str, kind: str) -> None:
    arn = fleet.target_group(delay=0)
    fleet.cloud.faults.add(kind, operation=operation)
    fleet.running(2, TargetGroupARNs=[arn])
    fleet.resize(1)
    fleet.settle(30)
    assert len(fleet.instances()) == len(fleet.ids()) == 1
    assert list(fleet.targets(arn)) == fleet.ids()
    reservations = fleet.ec2.describe_instances()["Reservations"]
    states = [one["State"]["Name"] for found in reservations for one in found["Instances"]]
    assert sorted(states) == ["running", "terminated"]


def test_nothing_is_done_and_little_is_asked_when_all_is_well(fleet: Fleet) -> None:
    fleet.running(2)
    fleet.cloud.calls.clear()
    assert not fleet.once()
    assert all(name.startswith("Describe") for name in fleet.cloud.calls.count())
    assert fleet.cloud.calls.total <= 9
    assert fleet.looks == []


def test_target_tracking_policies_are_kept_as_they_came(fleet: Fleet) -> None:
    fleet.running(1)
    metric = {"PredefinedMetricType": "ASGAverageCPUUtilization"}
    wanted = {"PredefinedMetricSpecification": metric, "TargetValue": 60.0, "DisableScaleIn": False}
    fleet.scaling.put_scaling_policy(
        AutoScalingGroupName=NAME,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration=wanted,
    )
    told = fleet.scaling.describe_policies(AutoScalingGroupName=NAME)["ScalingPolicies"]
    assert [one["TargetTrackingConfiguration"] for one in told] == [wanted]


def test_a_simple_policy_changes_the_capacity_within_the_bounds(fleet: Fleet) -> None:
    fleet.running(1, most=2)
    fleet.scaling.put_scaling_policy(
        AutoScalingGroupName=NAME, PolicyName="more", AdjustmentType="ChangeInCapacity", ScalingAdjustment=5
    )
    fleet.scaling.execute_policy(AutoScalingGroupName=NAME, PolicyName="more")
    fleet.settle()
    assert len(fleet.ids()) == fleet.group()["DesiredCapacity"] == 2


def test_metrics_and_notifications_are_kept(fleet: Fleet) -> None:
    fleet.create(0)
    named, topic = {"AutoScalingGroupName": NAME}, "arn:aws:sns:eu-central-1:123456789012:t"
    fleet.scaling.enable_metrics_collection(**named, Granularity="1Minute", Metrics=["GroupMinSize", "GroupMaxSize"])
    fleet.scaling.disable_metrics_collection(**named, Metrics=["GroupMinSize"])
    assert [one["Metric"] for one in fleet.group()["EnabledMetrics"]] == ["GroupMaxSize"]
    kinds = ["autoscaling:EC2_INSTANCE_LAUNCH"]
    fleet.scaling.put_notification_configuration(**named, TopicARN=topic, NotificationTypes=kinds)
    told = fleet.scaling.describe_notification_configurations(AutoScalingGroupNames=[NAME])
    assert [one["NotificationType"] for one in told["NotificationConfigurations"]] == kinds
    fleet.scaling.delete_notification_configuration(**named, TopicARN=topic)
    assert fleet.scaling.describe_notification_configurations()["NotificationConfigurations"] == []


def test_nothing_can_be_launched_without_a_launch_template(fleet: Fleet) -> None:
    with refused("UnsupportedOperation", "Use launch templates"):
        fleet.scaling.create_launch_configuration(
            LaunchConfigurationName="old", ImageId="ami-0deb1300000000001", InstanceType="t3.micro"
        )
    with refused("ValidationError", "launch template"):
        fleet.create(1, LaunchTemplate={"LaunchTemplateName": "other"})
    with refused("ValidationError", "Provided Target Groups"):
        fleet.create(1, TargetGroupARNs=["arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/b"])


def test_a_run_that_died_before_it_noted_a_launch_is_continued(fleet: Fleet) -> None:
    """The instance has the group's tag and is no member: it joins instead of being started twice."""
    fleet.create(1)
    tags = [{"Key": "aws:autoscaling:groupName", "Value": NAME}]
    template = {"LaunchTemplateId": fleet.template}
    made = fleet.ec2.run_instances(
        LaunchTemplate=template,
        MinCount=1,
        MaxCount=1,
        SubnetId=fleet.subnets[0]["SubnetId"],
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    fleet.settle()
    assert fleet.ids() == [made["Instances"][0]["InstanceId"]]
