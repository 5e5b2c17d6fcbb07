# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: which a group takes, and how they live."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.account import refused, vpc

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:answer"


class Account:
    """A load balancer and a target group behind it, in the default VPC."""

    def __init__(self, cloud: ControlPlane, kind: str = "instance", used: bool = True, **settings: Any) -> None:
        self.cloud, self.ec2, self.elbv2 = cloud, cloud.client("ec2"), cloud.client("elbv2")
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.subnets = sorted(self.ec2.describe_subnets()["Subnets"], key=lambda subnet: subnet["AvailabilityZone"])
        self.group = self.target_group("web", kind, **settings)
        if used:
            self.use()

    def target_group(self, name: str, kind: str = "instance", **settings: Any) -> str:
        place = {} if kind == "lambda" else {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc}
        told = {"Name": name, "TargetType": kind, "HealthyThresholdCount": 3, **place, **settings}
        made = self.elbv2.create_target_group(**told)["TargetGroups"][0]
        return str(made["TargetGroupArn"])

    def use(self) -> str:
        """A listener that leads to the group; its load balancer has the first two zones."""
        subnets = [subnet["SubnetId"] for subnet in self.subnets[:2]]
        made = self.elbv2.create_load_balancer(Name="front", Subnets=subnets, SecurityGroups=[])["LoadBalancers"][0]
        action = {"Type": "forward", "TargetGroupArn": self.group}
        self.elbv2.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[action]
        )
        return str(made["LoadBalancerArn"])

    def instance(self, subnet: int = 0) -> str:
        place = self.subnets[subnet]["SubnetId"]
        asked = {"ImageId": "ami-0deb1300000000001", "MinCount": 1, "MaxCount": 1, "SubnetId": place}
        return str(self.ec2.run_instances(**asked)["Instances"][0]["InstanceId"])

    def delay(self, seconds: int) -> None:
        told = {"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}
        self.elbv2.modify_target_group_attributes(TargetGroupArn=self.group, Attributes=[told])

    def register(self, *targets: Any) -> None:
        self.elbv2.register_targets(TargetGroupArn=self.group, Targets=named(targets))

    def deregister(self, *targets: Any) -> None:
        self.elbv2.deregister_targets(TargetGroupArn=self.group, Targets=named(targets))

    def health(self, *targets: Any) -> list[tuple[str, str]]:
        """State and reason of each target."""
        asked = {"Targets": named(targets)} if targets else {}
        told = self.elbv2.describe_target_health(TargetGroupArn=self.group, **asked)["TargetHealthDescriptions"]
        return [(one["TargetHealth"]["State"], one["TargetHealth"].get("Reason", "")) for one in told]


def named(targets: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [{"Id": target} if isinstance(target, str) else target for target in targets]


def test_a_target_is_healthy_after_one_check(cloud: ControlPlane) -> None:
    """TargetHealth, Reason: "If the target state is initial, the reason code can be one of the following values:
    Elb.RegistrationInProgress [...] Elb.InitialHealthChecking"; "After your target is registered, it must pass one
    health check to be considered healthy."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    """
    account = Account(cloud)
    account.register(account.instance())
    assert account.health() == [("initial", "Elb.RegistrationInProgress")]
    cloud.clock.advance(2)
    assert account.health() == [("initial", "Elb.InitialHealthChecking")]
    cloud.clock.advance(30)
    assert account.health() == [("healthy", "")]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (False, "Target.ResponseCodeMismatch"),
        (404, "Target.ResponseCodeMismatch"),
        ("timeout", "Target.Timeout"),
        ("refused", "Target.FailedHealthChecks"),
    ],
)
def test_a_target_that_does_not_answer_is_unhealthy_by_the_threshold(
    cloud: ControlPlane, answer: Any, reason: str
) -> None:
    """TargetHealth, Reason: "If the target state is unhealthy, the reason code can be one of the following values:
    Target.ResponseCodeMismatch [...] Target.Timeout [...] Target.FailedHealthChecks"; CreateTargetGroup,
    UnhealthyThresholdCount: "The number of consecutive health check failures required before considering a target
    unhealthy", HealthyThresholdCount: "[...] before considering an unhealthy target healthy".

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    """
    account = Account(cloud, UnhealthyThresholdCount=2, HealthCheckIntervalSeconds=10)
    target = account.instance()
    cloud.health.answers(account.group, target, 80, ok=answer)
    account.register(target)
    cloud.clock.advance(15)
    assert account.health() == [("initial", "Elb.InitialHealthChecking")]
    cloud.clock.advance(10)
    assert account.health() == [("unhealthy", reason)]
    cloud.health.answers(account.group, target, 80, ok=True)
    cloud.clock.advance(20)
    assert account.health() == [("unhealthy", reason)]
    cloud.clock.advance(10)
    assert account.health() == [("healthy", "")]


def test_a_target_drains_for_the_delay_and_is_gone(cloud: ControlPlane) -> None:
    """TargetHealth, Reason: "Target.DeregistrationInProgress - The target is in the process of being deregistered and
    the deregistration delay period has not expired", then "Target.NotRegistered".

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    """
    account = Account(cloud)
    account.delay(120)
    target = account.instance()
    account.register(target)
    cloud.clock.advance(60)
    account.deregister(target)
    cloud.clock.advance(110)
    account.deregister(target)
    assert account.health() == [("draining", "Target.DeregistrationInProgress")]
    cloud.clock.advance(10)
    assert account.health() == []
    assert account.health(target) == [("unused", "Target.NotRegistered")]


def test_a_draining_target_can_be_registered_again(cloud: ControlPlane) -> None:
    """RegisterTargets: "You can register the target with the target group again when you are ready for it to resume
    receiving requests", also while it drains; then it is initial, as any that was registered.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
    """
    account = Account(cloud)
    target = account.instance()
    account.register(target)
    cloud.clock.advance(60)
    account.deregister(target)
    account.register(target)
    assert account.health() == [("initial", "Elb.RegistrationInProgress")]
    cloud.clock.advance(600)
    assert account.health() == [("healthy", "")]


def test_registering_again_changes_nothing(cloud: ControlPlane) -> None:
    """RegisterTargets leaves a target that is registered as it is; with another port it is another target: "You can
    register each EC2 instance or IP address with the same target group multiple times using different ports."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
    """
    account = Account(cloud)
    target = account.instance()
    account.register(target)
    cloud.clock.advance(60)
    account.register(target, {"Id": target, "Port": 80}, {"Id": target, "Port": 81})
    assert account.health() == [("healthy", ""), ("initial", "Elb.RegistrationInProgress")]
    account.deregister(target)
    assert [state for state, _reason in account.health()] == ["draining", "initial"]


def test_deregistering_a_stranger_is_no_error(cloud: ControlPlane) -> None:
    """DeregisterTargets: "If the specified target does not exist, the action returns successfully."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html
    """
    account = Account(cloud)
    account.deregister(account.instance())


def test_a_group_without_a_listener_is_not_used(cloud: ControlPlane) -> None:
    """TargetHealth, Reason: "Target.NotInUse - The target group is not used by any load balancer"; checks begin when it
    is, and a target that is not used has nothing to drain.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    """
    account = Account(cloud, used=False)
    first, second = account.instance(), account.instance()
    account.register(first, second)
    cloud.clock.advance(600)
    assert account.health(first) == [("unused", "Target.NotInUse")]
    account.deregister(second)
    assert len(account.health()) == 1
    balancer = account.use()
    assert account.health() == [("initial", "Elb.RegistrationInProgress")]
    account.elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    assert account.health() == [("unused", "Target.NotInUse")]
    (shown,) = account.elbv2.describe_target_groups()["TargetGroups"]
    assert shown.get("LoadBalancerArns", []) == []


def test_a_target_in_another_zone_is_not_used(cloud: ControlPlane) -> None:
    """TargetHealth, Reason: "Target.NotInUse - [...] or the target is in an Availability Zone that is not enabled for
    its load balancer."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    """
    account = Account(cloud)
    account.register(account.instance(subnet=2))
    assert account.health() == [("unused", "Target.NotInUse")]


def test_a_stopped_instance_is_not_used_and_not_registered(cloud: ControlPlane) -> None:
    """TargetHealth, Reason: "Target.InvalidState - The target is in the stopped or terminated state."; RegisterTargets:
    "If the target is an EC2 instance, it must be in the running state when you register it." InvalidTarget

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
    """
    account = Account(cloud)
    target, other = account.instance(), account.instance()
    account.register(target)
    cloud.clock.advance(60)
    account.ec2.stop_instances(InstanceIds=[target, other])
    assert account.health() == [("unused", "Target.InvalidState")]
    with refused("InvalidTarget", "not in a running state"):
        account.register(other)
    account.ec2.start_instances(InstanceIds=[target])
    assert account.health() == [("initial", "Elb.RegistrationInProgress")]


def test_a_terminated_instance_leaves_the_group(cloud: ControlPlane) -> None:
    """DescribeTargetHealth: an instance that was terminated is deregistered, Target.DeregistrationInProgress at first:
    "The target is in the process of being deregistered and the deregistration delay period has not expired."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    """
    account = Account(cloud)
    target = account.instance()
    account.register(target)
    cloud.clock.advance(60)
    account.ec2.terminate_instances(InstanceIds=[target])
    assert account.health() == [("draining", "Target.DeregistrationInProgress")]
    cloud.clock.advance(300)
    assert account.health() == []


@pytest.mark.parametrize(
    ("kind", "target", "text"),
    [
        ("instance", "10.0.0.7", "Instance ID '10.0.0.7' is not valid"),
        ("ip", "i-0123456789abcdef0", "is not a valid IPv4 address"),
        ("ip", "2001:db8::1", "is not a valid IPv4 address"),
        ("lambda", "i-0123456789abcdef0", "is not a valid target ARN"),
        ("alb", "i-0123456789abcdef0", "is not a valid target ARN"),
    ],
)
def test_targets_are_of_the_groups_type(cloud: ControlPlane, kind: str, target: str, text: str) -> None:
    """TargetDescription, Id: "If the target type of the target group is instance, specify an instance ID. If the
    target type is ip, specify an IP address. If the target type is lambda, specify the ARN of the Lambda function. If
    the target type is alb, specify the ARN of the Application Load Balancer target." ValidationError; nothing is
    registered.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
    """
    account = Account(cloud, kind, used=False, **({"Protocol": "TCP"} if kind == "alb" else {}))
    with refused("ValidationError", text):
        account.register(target)
    assert account.health() == []


def test_an_instance_of_another_vpc_is_refused(cloud: ControlPlane) -> None:
    """RegisterTargets: InvalidTarget, "The specified target does not exist, is not in the same VPC as the target
    group, or has an unsupported instance type."; nothing is registered.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
    """
    account = Account(cloud)
    there = vpc(account.ec2)
    subnet = account.ec2.create_subnet(VpcId=there, CidrBlock="10.0.0.0/24")["Subnet"]
    account.subnets.append(subnet)
    target, stranger = account.instance(), account.instance(subnet=-1)
    for wrong in (stranger, "i-0123456789abcdef0"):
        with refused("InvalidTarget"):
            account.register(target, wrong)
    assert account.health() == []


def test_the_zone_of_an_address_is_said_where_it_is_not_known(cloud: ControlPlane) -> None:
    """TargetDescription, AvailabilityZone: "If the target type is ip and the IP address is in a subnet of the VPC for
    the target group, the Availability Zone is automatically detected and this parameter is optional. If the IP
    address is outside the VPC, this parameter is required." ValidationError

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
    """
    account = Account(cloud, "ip")
    inside = account.subnets[0]["CidrBlock"].replace(".0/20", ".9")
    with refused("ValidationError", "Availability Zone is required for IP address '10.9.9.9'"):
        account.register("10.9.9.9")
    with refused("ValidationError", "cannot have its Availability Zone overridden to 'all'"):
        account.register({"Id": inside, "AvailabilityZone": "all"})
    with refused("ValidationError", "publicly routable"):
        account.register({"Id": "8.8.8.8", "AvailabilityZone": "all"})
    account.register({"Id": "10.9.9.9", "AvailabilityZone": "all"}, inside)
    told = account.elbv2.describe_target_health(TargetGroupArn=account.group)["TargetHealthDescriptions"]
    assert [one["Target"]["AvailabilityZone"] for one in told] == ["all", account.subnets[0]["AvailabilityZone"]]


def test_the_zone_of_an_instance_is_not_said(cloud: ControlPlane) -> None:
    """TargetDescription, AvailabilityZone: "This parameter is not supported if the target type of the target group is
    instance or alb." ValidationError

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
    """
    account = Account(cloud)
    with refused("ValidationError", "Availability Zone"):
        account.register({"Id": account.instance(), "AvailabilityZone": "all"})


def test_the_health_of_a_function_is_not_checked(cloud: ControlPlane) -> None:
    """TargetHealth, Reason: "If the target state is unavailable, the reason code can be the following value:
    Target.HealthCheckDisabled - Health checks are disabled for the target group."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    """
    account = Account(cloud, "lambda")
    account.register(FUNCTION)
    assert account.health() == [("unavailable", "Target.HealthCheckDisabled")]
    with refused("TooManyTargets"):
        account.register(f"{FUNCTION}-2")
    account.deregister(FUNCTION)
    assert account.health() == []


def test_a_load_balancer_as_target_needs_a_listener_on_the_port(cloud: ControlPlane) -> None:
    """TargetDescription, Port: "If the target type is alb, the targeted Application Load Balancer must have at least
    one listener whose port matches the target group port." InvalidTarget

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
    """
    account = Account(cloud, used=False)
    balancer = account.use()
    account.group = account.target_group("inner", "alb", Protocol="TCP", Port=81)
    with refused("InvalidTarget"):
        account.register(balancer)
    account.group = account.target_group("outer", "alb", Protocol="TCP", Port=80)
    account.register(balancer)
    assert account.health() == [("unused", "Target.NotInUse")]
