# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Auto Scaling group behind a load balancer, on the control plane's time: nothing sleeps, nothing is a container."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

from lab.cloud import ControlPlane
from lab.region import state_scaling
from lab.region.scaling import AutoScaling
from lab.region.state import Client, State

# Debian 13, as the control plane offers it.
IMAGE = "ami-0deb1300000000001"
NAME = "web"
USER_DATA = "#!/bin/sh\necho first\n"


class Fleet:
    """Everything lies in the default VPC; the load balancer has its three zones."""

    def __init__(self, cloud: ControlPlane, client: Client) -> None:
        self.cloud, self.client = cloud, client
        services = ("ec2", "elbv2", "autoscaling", "iam")
        self.ec2, self.elbv2, self.scaling, self.iam = (client(service) for service in services)
        subnets = self.ec2.describe_subnets()["Subnets"]
        self.subnets = sorted(subnets, key=lambda subnet: str(subnet["AvailabilityZone"]))
        self.vpc = self.subnets[0]["VpcId"]
        self.looks: list[float] = []
        self.adapter = AutoScaling(cloud.scaling, client, lambda: None, self.looks.append)
        self.template = self.launch_template()

    def launch_template(self) -> str:
        self.iam.create_instance_profile(InstanceProfileName="web")
        self.ec2.create_key_pair(KeyName="operator")
        group = self.ec2.create_security_group(GroupName="web", Description="d", VpcId=self.vpc)["GroupId"]
        data = {
            "ImageId": IMAGE,
            "InstanceType": "t3.micro",
            "KeyName": "operator",
            "SecurityGroupIds": [group],
            "UserData": base64.b64encode(USER_DATA.encode()).decode(),
            "IamInstanceProfile": {"Name": "web"},
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "template"}]}],
        }
        made = self.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def new_version(self, **data: Any) -> None:
        """Another version of the launch template, which becomes the latest."""
        self.ec2.create_launch_template_version(
            LaunchTemplateId=self.template, SourceVersion="$Latest", LaunchTemplateData=data
        )

    def target_group(self, name: str = "web", delay: int = 60) -> str:
        """In use by a listener; checked every 10 s, unhealthy after 2 checks."""
        checks = {"HealthCheckIntervalSeconds": 10, "UnhealthyThresholdCount": 2}
        made = self.elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc, **checks)
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        told = {"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}
        self.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[told])
        zones = [subnet["SubnetId"] for subnet in self.subnets]
        balancer = self.elbv2.create_load_balancer(Name=name, Subnets=zones)["LoadBalancers"][0]["LoadBalancerArn"]
        actions = [{"Type": "forward", "TargetGroupArn": arn}]
        self.elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=actions)
        return arn

    def create(self, desired: int = 2, least: int = 0, most: int = 9, zones: int = 3, **settings: Any) -> None:
        """The group, as it is before anything is done."""
        place = ",".join(subnet["SubnetId"] for subnet in self.subnets[:zones])
        template = {"LaunchTemplateId": self.template, "Version": "$Latest"}
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName=NAME,
            MinSize=least,
            MaxSize=most,
            DesiredCapacity=desired,
            **{"VPCZoneIdentifier": place, "LaunchTemplate": template, **settings},
        )

    def running(self, desired: int = 2, **settings: Any) -> list[str]:
        """The group with its instances; their ids."""
        self.create(desired, **settings)
        self.settle()
        return self.ids()

    def once(self) -> bool:
        """Read, plan and apply once; whether there was anything to do."""
        state = State(parts={state_scaling.ScalingGroups: state_scaling.read(self.client)})
        wanted = self.adapter.wanted(state)
        self.looks.clear()
        self.adapter.apply(wanted)
        return any(plan.actions for _group, plan in wanted)

    def settle(self, seconds: float = 0) -> None:
        """Let time pass, with everything done that is due; no longer than half a minute at a time."""
        self._exhaust()
        while seconds > 0:
            step = min(seconds, 30.0, max(10.0, min(self.looks, default=30.0)))
            self.cloud.clock.advance(step)
            seconds -= step
            self._exhaust()

    def _exhaust(self) -> None:
        for _round in range(50):
            if not self.once():
                return
        raise AssertionError("the group does not come to rest")

    def group(self) -> dict[str, Any]:
        found: dict[str, Any] = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[NAME])[
            "AutoScalingGroups"
        ][0]
        return found

    def instances(self) -> list[dict[str, Any]]:
        """The group's, as DescribeAutoScalingGroups says."""
        found: list[dict[str, Any]] = self.group()["Instances"]
        return found

    def ids(self, state: str = "InService") -> list[str]:
        return [str(one["InstanceId"]) for one in self.instances() if one["LifecycleState"] == state]

    def life_cycle(self, instance: str) -> str:
        """Its state in the group; gone when it is no member."""
        return next((str(one["LifecycleState"]) for one in self.instances() if one["InstanceId"] == instance), "gone")

    def zones(self) -> Counter[str]:
        return Counter(str(one["AvailabilityZone"])[-1] for one in self.instances())

    def on_ec2(self, instance: str) -> dict[str, Any]:
        found = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return dict(found)

    def state(self, instance: str) -> str:
        return str(self.on_ec2(instance)["State"]["Name"])

    def targets(self, arn: str) -> dict[str, str]:
        """By id, the state that DescribeTargetHealth says."""
        told = self.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in told}

    def activities(self) -> list[dict[str, Any]]:
        """The oldest first."""
        told = self.scaling.describe_scaling_activities(AutoScalingGroupName=NAME)["Activities"]
        return list(reversed(told))

    def refresh(self, **preferences: Any) -> str:
        made = self.scaling.start_instance_refresh(AutoScalingGroupName=NAME, Preferences=preferences)
        return str(made["InstanceRefreshId"])

    def refreshed(self) -> dict[str, Any]:
        """The newest refresh."""
        told = self.scaling.describe_instance_refreshes(AutoScalingGroupName=NAME)["InstanceRefreshes"]
        return dict(told[0])

    def suspend(self, *processes: str) -> None:
        self.scaling.suspend_processes(AutoScalingGroupName=NAME, ScalingProcesses=list(processes))

    def resume(self, *processes: str) -> None:
        self.scaling.resume_processes(AutoScalingGroupName=NAME, ScalingProcesses=list(processes))

    def hook(self, transition: str, **settings: Any) -> None:
        told = {"LifecycleHookName": "wait", "LifecycleTransition": f"autoscaling:EC2_INSTANCE_{transition}"}
        self.scaling.put_lifecycle_hook(AutoScalingGroupName=NAME, **{**told, "HeartbeatTimeout": 300, **settings})

    def complete(self, instance: str, result: str) -> None:
        self.scaling.complete_lifecycle_action(
            AutoScalingGroupName=NAME,
            LifecycleHookName="wait",
            InstanceId=instance,
            LifecycleActionResult=result,
        )

    def resize(self, desired: int) -> None:
        self.scaling.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=desired)
