# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Auto Scaling group behind a load balancer, with real hosts that answer over real packets."""

from __future__ import annotations

import base64
import http.client
import time
from collections import Counter
from typing import Any

import pytest

from tests.region.account import ANYWHERE, Account, eventually

NAME = "web"
# Answers with the instance's id, and with the version that it was launched with.
USER_DATA = """#!/bin/sh
mkdir /srv/web
token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
curl -s -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id > /srv/web/index.html
echo VERSION > /srv/web/version
systemd-run --unit=web python3 -m http.server 80 --directory /srv/web
"""
# Seconds that machines may take: to serve, and to be given up and replaced.
SERVING, REPLACED = 120, 180


class Fleet:
    """The default VPC, a load balancer over two of its zones, and a group over the same."""

    def __init__(self, account: Account) -> None:
        self.account, self.ec2 = account, account.ec2
        self.elbv2, self.scaling = (account.cloud.client(name) for name in ("elbv2", "autoscaling"))
        subnets = sorted(self.ec2.describe_subnets()["Subnets"], key=lambda subnet: str(subnet["AvailabilityZone"]))
        self.subnets = [str(subnet["SubnetId"]) for subnet in subnets[:2]]
        vpc = subnets[0]["VpcId"]
        self.security = self.ec2.create_security_group(GroupName="open", Description="everything", VpcId=vpc)["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=self.security, IpPermissions=[ANYWHERE])
        self.key = account.key_pair()
        self.template = self.ec2.create_launch_template(LaunchTemplateName=NAME, LaunchTemplateData=self.data("one"))
        self.target_group = self._balance(vpc)

    def data(self, version: str) -> dict[str, Any]:
        return {
            "ImageId": self.account.image(),
            "InstanceType": "t3.micro",
            "KeyName": self.key,
            "SecurityGroupIds": [self.security],
            "UserData": base64.b64encode(USER_DATA.replace("VERSION", version).encode()).decode(),
        }

    def _balance(self, vpc: str) -> str:
        checks = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2}
        made = self.elbv2.create_target_group(
            Name=NAME, Protocol="HTTP", Port=80, VpcId=vpc, UnhealthyThresholdCount=2, **checks
        )
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "2"}
        self.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
        self.balancer = self.elbv2.create_load_balancer(
            Name=NAME, Subnets=self.subnets, SecurityGroups=[self.security]
        )["LoadBalancers"][0]
        self.elbv2.create_listener(
            LoadBalancerArn=self.balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        return arn

    def create(self, desired: int, **settings: Any) -> None:
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName=NAME,
            MinSize=1,
            MaxSize=4,
            DesiredCapacity=desired,
            VPCZoneIdentifier=",".join(self.subnets),
            LaunchTemplate={"LaunchTemplateName": NAME, "Version": "$Latest"},
            TargetGroupARNs=[self.target_group],
            HealthCheckType="ELB",
            HealthCheckGracePeriod=SERVING,
            **settings,
        )

    def update(self, **settings: Any) -> None:
        self.scaling.update_auto_scaling_group(AutoScalingGroupName=NAME, **settings)

    def instances(self) -> list[dict[str, Any]]:
        found = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[NAME])["AutoScalingGroups"]
        return list(found[0]["Instances"])

    def member(self, instance: str) -> dict[str, Any]:
        return next(one for one in self.instances() if one["InstanceId"] == instance)

    def ids(self) -> set[str]:
        return {str(one["InstanceId"]) for one in self.instances() if one["LifecycleState"] == "InService"}

    def targets(self) -> dict[str, str]:
        told = self.elbv2.describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in told}

    def healthy(self) -> set[str]:
        """The targets that are, when all are."""
        targets = self.targets()
        return set(targets) if set(targets.values()) == {"healthy"} else set()

    def serves(self, number: int, besides: str = "", seconds: float = SERVING) -> set[str]:
        """The group's instances, once they are so many and no other is a target, all healthy."""

        def ready() -> set[str]:
            found = self.ids()
            return found if len(found) == number and found == self.healthy() and besides not in found else set()

        found: set[str] = eventually(ready, seconds, 0.5)
        assert found, (self.instances(), self.targets(), self.activities())
        return found

    def activities(self) -> list[str]:
        told = self.scaling.describe_scaling_activities(AutoScalingGroupName=NAME)["Activities"]
        return [f"{one['StatusCode']}: {one['Description']}: {one['Cause']}" for one in told]

    def nodes(self) -> list[str]:
        description = f"ELB {self.balancer['LoadBalancerArn'].partition('loadbalancer/')[2]}"
        found = self.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": [description]}])
        return [str(one["Association"]["PublicIp"]) for one in found["NetworkInterfaces"]]

    def answers(self, number: int = 8, path: str = "/") -> Counter[str]:
        """Who answers so many requests, sent to the nodes in turn."""
        nodes = self.nodes()
        return Counter(ask(nodes[turn % len(nodes)], path) for turn in range(number))

    def stop_service(self, instance: str) -> None:
        address = self.account.instance(instance)["PublicIpAddress"]
        self.account.trust(instance, address)
        assert self.account.ssh(address, "sudo systemctl stop web").returncode == 0


@pytest.fixture
def fleet(account: Account) -> Fleet:
    return Fleet(account)


def test_the_group_replaces_what_is_lost_or_unhealthy_and_follows_its_capacity(fleet: Fleet) -> None:
    fleet.create(2)
    first = fleet.serves(2)
    assert len({one["AvailabilityZone"] for one in fleet.instances()}) == 2
    assert set(fleet.answers()) == first

    lost, kept = sorted(first)
    fleet.ec2.terminate_instances(InstanceIds=[lost])
    second = fleet.serves(2, besides=lost)
    assert kept in second
    assert len({one["AvailabilityZone"] for one in fleet.instances()}) == 2

    fleet.scaling.suspend_processes(AutoScalingGroupName=NAME, ScalingProcesses=["ReplaceUnhealthy"])
    fleet.update(HealthCheckGracePeriod=0)
    fleet.stop_service(kept)
    assert eventually(lambda: fleet.targets()[kept] == "unhealthy", 30)
    # Every node of the load balancer has to notice it for itself.
    assert eventually(lambda: set(fleet.answers()) == second - {kept}, 10)
    assert eventually(lambda: fleet.member(kept)["HealthStatus"] == "Unhealthy", 10)
    time.sleep(3)
    assert fleet.member(kept)["LifecycleState"] == "InService"
    fleet.update(HealthCheckGracePeriod=45)
    fleet.scaling.resume_processes(AutoScalingGroupName=NAME, ScalingProcesses=["ReplaceUnhealthy"])
    third = fleet.serves(2, besides=kept, seconds=REPLACED)
    assert fleet.account.becomes(kept, "terminated")

    fleet.scaling.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=3)
    fourth = fleet.serves(3)
    assert third < fourth, (third, fourth, fleet.activities())
    fleet.scaling.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=1)
    left = fleet.serves(1)
    assert set(fleet.answers()) == left


def test_a_refresh_replaces_all_instances_without_losing_the_service(fleet: Fleet) -> None:
    fleet.create(2)
    before = fleet.serves(2)
    assert set(fleet.answers(4, "/version")) == {"one"}
    fleet.ec2.create_launch_template_version(
        LaunchTemplateName=NAME, SourceVersion="1", LaunchTemplateData=fleet.data("two")
    )
    # A refresh does not ask the load balancer: what warms up too shortly is counted before it serves, as on AWS.
    preferences = {"MinHealthyPercentage": 50, "InstanceWarmup": 25}
    fleet.scaling.start_instance_refresh(AutoScalingGroupName=NAME, Preferences=preferences)

    def refreshed() -> bool:
        assert "" not in fleet.answers(2)
        told = fleet.scaling.describe_instance_refreshes(AutoScalingGroupName=NAME)["InstanceRefreshes"][0]
        return bool(told["Status"] == "Successful")

    assert eventually(refreshed, 2 * REPLACED, 0.5)
    after = fleet.serves(2)
    assert not before & after
    assert set(fleet.answers(4, "/version")) == {"two"}


def test_a_hook_keeps_an_instance_out_of_service_until_it_is_completed(fleet: Fleet) -> None:
    hook = {"LifecycleHookName": "ready", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}
    fleet.create(1, LifecycleHookSpecificationList=[{**hook, "HeartbeatTimeout": 300, "DefaultResult": "ABANDON"}])

    def waiting() -> str:
        return next(
            (str(one["InstanceId"]) for one in fleet.instances() if one["LifecycleState"] == "Pending:Wait"), ""
        )

    given_up = str(eventually(waiting, SERVING))
    assert fleet.account.state(given_up) == "running"
    assert fleet.targets() == {}
    complete = fleet.scaling.complete_lifecycle_action
    named = {"AutoScalingGroupName": NAME, "LifecycleHookName": "ready"}
    complete(**named, InstanceId=given_up, LifecycleActionResult="ABANDON")
    taken = str(eventually(lambda: waiting() not in ("", given_up) and waiting(), SERVING))
    complete(**named, InstanceId=taken, LifecycleActionResult="CONTINUE")
    assert fleet.serves(1) == {taken}
    assert fleet.account.becomes(given_up, "terminated")


def ask(address: str, path: str) -> str:
    connection = http.client.HTTPConnection(address, 80, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read().decode().strip() if answer.status == 200 else ""
    except OSError:
        return ""
    finally:
        connection.close()
