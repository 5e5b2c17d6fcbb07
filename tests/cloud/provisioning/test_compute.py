# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role compute against an account: key pair, bastion, fleet; made, kept, corrected and removed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.cloud import ControlPlane
from lab.cloud.scaling_records import Activity
from tests.cloud.account import group, vpc
from tests.cloud.provisioning.playbook import Run, run

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJsr5uAxG2C+/RJsEI0TxAIQ3eIGn4Wa7sgzmRUJNh6U ada"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ada"
PLATFORM = "gatehouse:platform"


@dataclass(frozen=True)
class Shop:
    """An account with a network, and the role's variables for it."""

    cloud: ControlPlane
    folder: Path
    variables: dict[str, Any]
    profile: str

    @property
    def ec2(self) -> Any:
        return self.cloud.client("ec2")

    @property
    def scaling(self) -> Any:
        return self.cloud.client("autoscaling")

    def play(self, *options: str, succeeds: bool = True, **more: Any) -> Run:
        """Run the role."""
        return run(self.cloud, self.folder, "compute", {**self.variables, **more}, *options, succeeds=succeeds)

    def instances(self) -> dict[str, dict[str, Any]]:
        """Living instances by their Name."""
        found = [one for entry in self.ec2.describe_instances()["Reservations"] for one in entry["Instances"]]
        return {tags(one)["Name"]: one for one in found if one["State"]["Name"] == "running"}

    def group(self) -> dict[str, Any]:
        (found,) = self.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return dict(found)

    def versions(self) -> list[int]:
        found = self.ec2.describe_launch_template_versions(LaunchTemplateName="shop-web")["LaunchTemplateVersions"]
        return sorted(version["VersionNumber"] for version in found)

    def fleet(self, **more: Any) -> list[dict[str, Any]]:
        """The fleet with other settings."""
        return [{**self.variables["compute_fleets"][0], **more}]

    def bastion(self, **more: Any) -> list[dict[str, Any]]:
        """The bastion with other settings."""
        return [{**self.variables["compute_instances"][0], **more}]


def tags(resource: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


@pytest.fixture
def shop(cloud: ControlPlane, tmp_path: Path) -> Shop:
    ec2, iam, elbv2 = (cloud.client(name) for name in ("ec2", "iam", "elbv2"))
    network = vpc(ec2)
    subnets = [
        ec2.create_subnet(VpcId=network, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"eu-central-1{zone}")
        for number, zone in enumerate("aab")
    ]
    public, *private = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    profile = iam.create_instance_profile(InstanceProfileName="shop-web")["InstanceProfile"]["Arn"]
    targets = elbv2.create_target_group(Name="shop-shop", Protocol="HTTP", Port=8000, VpcId=network)["TargetGroups"]
    fleet = {
        "name": "web",
        "services": ["shop", "api"],
        "min": 1,
        "desired": 2,
        "max": 4,
        "subnets": private,
        "security_groups": [group(ec2, "shop-web", network)],
        "target_groups": [targets[0]["TargetGroupArn"]],
        "profile": profile,
        "user_data": "#!/bin/sh\n",
        "hooks": [{"name": "ready", "transition": "launching", "timeout": 600}],
        "policies": [{"name": "cpu", "metric": "ASGAverageCPUUtilization", "target": 60}],
    }
    bastion = {
        "name": "bastion",
        "role": "bastion",
        "subnet": public,
        "security_groups": [group(ec2, "shop-bastion", network)],
        "public_address": True,
        "elastic_address": True,
    }
    variables = {
        "compute_platform": "shop",
        "compute_key": {"name": "operator", "public_key": KEY},
        "compute_tags": {"Team": "shop"},
        "compute_instances": [bastion],
        "compute_fleets": [fleet],
        "compute_wait": 0,
    }
    return Shop(cloud, tmp_path, variables, profile)


# What does not exist yet, as the roles before this one tell it in check mode.
NOTHING_YET = {"security_groups": [""], "profile": "", "subnet": "", "subnets": ["", ""], "target_groups": [""]}


def test_check_mode_lists_everything_on_an_empty_account_and_makes_nothing(shop: Shop) -> None:
    shop.cloud.calls.clear()
    bastion, fleet = (shop.variables[f"compute_{kind}"][0] for kind in ("instances", "fleets"))
    empty = shop.play(
        "--check",
        compute_instances=[{key: NOTHING_YET.get(key, value) for key, value in bastion.items()}],
        compute_fleets=[{key: NOTHING_YET.get(key, value) for key, value in fleet.items()}],
    )
    assert empty.words == [
        "instance shop-bastion: new, t3.micro of debian-13-amd64-20261013-2263; it waits for its subnet and its "
        "security group",
        "Elastic IP shop-bastion",
        "launch template shop-web; it waits for its security group and its instance profile",
        "Auto Scaling group shop-web, new; it waits for its security group and its instance profile and its subnets "
        "and its target groups",
    ]
    assert empty.facts["compute_result"] == {
        "instances": {"bastion": {"id": "", "private_address": "", "public_address": ""}},
        "fleets": {"web": {"group": "", "launch_template": "", "version": 0, "instances": [], "held": []}},
    }
    assert {name[:8] for name in shop.cloud.calls.count()} == {"Describe"}


def test_all_is_made_once_although_interrupted_and_removed_with_foreign_things_left_alone(shop: Shop) -> None:
    shop.cloud.faults.add("refused", number=None, operation="PutScalingPolicy")
    assert "not authorized" in shop.play(succeeds=False).stdout
    # Closed, because no instance may start before its hook is there.
    assert (shop.group()["MaxSize"], shop.group()["DesiredCapacity"]) == (0, 0)
    shop.cloud.faults.clear()
    record = shop.cloud.scaling.groups[shop.group()["AutoScalingGroupARN"]]
    launch = Activity("a", "shop-web", "Launching a new EC2 instance", "a difference", 0.0, "{}", 1.0, "Failed")
    launch.message = "You have requested more vCPU capacity than your current vCPU limit"
    record.activities.append(launch)
    waited = shop.play(compute_wait=3, succeeds=False)
    assert "Auto Scaling group shop-web: opens with 2 instances" in waited.stdout
    assert (
        "After 3 seconds: shop-web: 0 of 2 instances in service (no others were launched); last failed activity: "
        "Launching a new EC2 instance: Failed: You have requested more vCPU capacity"
    ) in waited.stdout
    made = shop.play()
    assert made.changed == 0
    machine, group = shop.instances()["shop-bastion"], shop.group()
    assert tags(machine) == {
        "Name": "shop-bastion",
        "Team": "shop",
        PLATFORM: "shop",
        "gatehouse:role": "bastion",
    }
    assert (machine["MetadataOptions"]["HttpTokens"], machine["MetadataOptions"]["HttpPutResponseHopLimit"]) == (
        "required",
        1,
    )
    assert machine["KeyName"] == "shop-operator"
    assert [volume["Encrypted"] for volume in shop.ec2.describe_volumes()["Volumes"]] == [True]
    (address,) = shop.ec2.describe_addresses()["Addresses"]
    assert (address["InstanceId"], tags(address)[PLATFORM]) == (machine["InstanceId"], "shop")
    (key,) = shop.ec2.describe_key_pairs()["KeyPairs"]
    assert (key["KeyName"], tags(key)) == (
        "shop-operator",
        {"Name": "shop-operator", "Team": "shop", PLATFORM: "shop"},
    )
    assert {key: group[key] for key in ("MinSize", "MaxSize", "DesiredCapacity", "HealthCheckType")} == {
        "MinSize": 1,
        "MaxSize": 4,
        "DesiredCapacity": 2,
        "HealthCheckType": "ELB",
    }
    assert group["VPCZoneIdentifier"].split(",") == shop.variables["compute_fleets"][0]["subnets"]
    assert tags(group) == {
        "Name": "shop-web",
        "Team": "shop",
        PLATFORM: "shop",
        "gatehouse:role": "web",
        "gatehouse:fleet": "web",
        "gatehouse:services": "shop,api",
    }
    assert all(tag["PropagateAtLaunch"] for tag in group["Tags"])
    (version,) = shop.ec2.describe_launch_template_versions(LaunchTemplateName="shop-web")["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]
    assert data["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpProtocolIpv6": "disabled",
        "HttpPutResponseHopLimit": 1,
        "HttpTokens": "required",
        "InstanceMetadataTags": "enabled",
    }
    assert (data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"], data["IamInstanceProfile"]["Arn"]) == (
        True,
        shop.profile,
    )
    assert made.facts["compute_result"] == {
        "instances": {
            "bastion": {
                "id": machine["InstanceId"],
                "private_address": machine["PrivateIpAddress"],
                "public_address": address["PublicIp"],
            }
        },
        "fleets": {
            "web": {
                "group": "shop-web",
                "launch_template": version["LaunchTemplateId"],
                "version": 1,
                "instances": [],
                "held": [],
            }
        },
    }
    again = shop.play("--check")
    assert (again.changed, again.words, again.facts) == (0, [], made.facts)

    shop.ec2.import_key_pair(KeyName="shop-foreign", PublicKeyMaterial=OTHER_KEY.encode())
    shop.ec2.create_launch_template(LaunchTemplateName="shop-foreign", LaunchTemplateData={"ImageId": "ami-1"})
    shop.ec2.allocate_address(Domain="vpc")
    gone = shop.play(compute_state="absent", compute_instances=[], compute_fleets=[], compute_key={})
    assert shop.instances() == {}
    assert shop.scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert [key["KeyName"] for key in shop.ec2.describe_key_pairs()["KeyPairs"]] == ["shop-foreign"]
    left = shop.ec2.describe_launch_templates()["LaunchTemplates"]
    assert [template["LaunchTemplateName"] for template in left] == ["shop-foreign"]
    assert len(shop.ec2.describe_addresses()["Addresses"]) == 1
    assert gone.facts["compute_result"] == {"instances": {}, "fleets": {}}
    assert shop.play(compute_state="absent").changed == 0


def test_what_changes_is_corrected_and_what_others_have_set_stays(shop: Shop) -> None:
    shop.play()
    before = shop.instances()["shop-bastion"]["InstanceId"]
    shop.scaling.set_desired_capacity(AutoScalingGroupName="shop-web", DesiredCapacity=3)
    shop.scaling.suspend_processes(AutoScalingGroupName="shop-web", ScalingProcesses=["AZRebalance"])
    lock = {"ResourceId": "shop-web", "ResourceType": "auto-scaling-group", "Key": "gatehouse:deploy", "Value": "ada"}
    shop.scaling.create_or_update_tags(Tags=[{**lock, "PropagateAtLaunch": False}])
    changes: dict[str, Any] = {
        "compute_instances": shop.bastion(type="t3.small"),
        "compute_fleets": shop.fleet(
            type="t3.small",
            user_data="",
            max=6,
            hooks=[],
            policies=[{"name": "cpu", "metric": "ASGAverageCPUUtilization", "target": 50}],
        ),
        "compute_template_versions": 1,
    }
    foreseen = shop.play("--check", **changes)
    assert f"instance shop-bastion ({before}) has type t3.micro, declared is t3.small: it stays" in foreseen.stdout
    assert foreseen.words == [
        "launch template shop-web: version 1 goes",
        "scaling policy shop-web-cpu: changes to ASGAverageCPUUtilization at 50",
    ]
    assert "launch template shop-web: version 2 (type, user data)" in foreseen.stdout
    shop.play(**changes, compute_replace=["bastion"])
    machine, group = shop.instances()["shop-bastion"], shop.group()
    assert (machine["InstanceId"] != before, machine["InstanceType"]) == (True, "t3.small")
    assert [one["InstanceId"] for one in shop.ec2.describe_addresses()["Addresses"]] == [machine["InstanceId"]]
    assert (group["MaxSize"], group["DesiredCapacity"], group["LaunchTemplate"]["Version"]) == (6, 3, "2")
    assert [process["ProcessName"] for process in group["SuspendedProcesses"]] == ["AZRebalance"]
    assert tags(group)["gatehouse:deploy"] == "ada"
    assert shop.scaling.describe_lifecycle_hooks(AutoScalingGroupName="shop-web")["LifecycleHooks"] == []
    (policy,) = shop.scaling.describe_policies(AutoScalingGroupName="shop-web")["ScalingPolicies"]
    assert policy["TargetTrackingConfiguration"]["TargetValue"] == 50
    assert shop.versions() == [2]


def test_a_fleet_that_another_run_holds_is_not_changed_and_one_that_a_dead_run_holds_goes_on(shop: Shop) -> None:
    shop.play()
    named = {"ResourceId": "shop-web", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    held = {"gatehouse:lock": "bob@desk run 20-2 since 2099-01-01T00:00:00Z", "gatehouse:suspended": "HealthCheck"}
    shop.scaling.create_or_update_tags(Tags=[{**named, "Key": key, "Value": value} for key, value in held.items()])
    shop.scaling.suspend_processes(AutoScalingGroupName="shop-web", ScalingProcesses=["AZRebalance", "HealthCheck"])
    # What changes nothing asks nobody.
    assert shop.play().changed == 0
    changes = {"compute_instances": shop.bastion(type="t3.small"), "compute_fleets": shop.fleet(max=6)}
    for options in (["--check"], []):
        refused = shop.play(*options, **changes, succeeds=False)
        assert "shop-web is locked: bob@desk run 20-2 since 2099-01-01T00:00:00Z is at work on it" in refused.stdout
    assert (shop.group()["MaxSize"], held.items() <= tags(shop.group()).items()) == (4, True)
    shop.play(**changes, compute_force_lock=True)
    group = shop.group()
    assert (group["MaxSize"], [one["ProcessName"] for one in group["SuspendedProcesses"]]) == (6, ["AZRebalance"])
    assert not held.keys() & tags(group).keys()
    # Nor does the run's own lock outlive it when it fails.
    shop.cloud.faults.add("refused", 1, "UpdateAutoScalingGroup")
    shop.play(compute_fleets=shop.fleet(max=5), succeeds=False)
    assert (shop.group()["MaxSize"], held.keys() & tags(shop.group()).keys()) == (6, set())


def test_what_is_wrong_is_told_at_once_and_what_is_not_the_platforms_is_not_touched(shop: Shop) -> None:
    shop.cloud.calls.clear()
    wrong = shop.play(
        compute_fleets=shop.fleet(min=3, max=2),
        compute_key={"name": "operator", "public_key": "-----BEGIN OPENSSH PRIVATE KEY-----"},
        succeeds=False,
    )
    assert "compute_key.public_key is a private key" in wrong.stdout
    assert "compute_fleets[0] web: min 3, desired 2, max 2: wanted is 0 <= min <= desired <= max" in wrong.stdout
    assert shop.cloud.calls.total == 0
    shop.ec2.import_key_pair(KeyName="shop-operator", PublicKeyMaterial=OTHER_KEY.encode())
    shop.ec2.create_launch_template(LaunchTemplateName="shop-web", LaunchTemplateData={"ImageId": "ami-1"})
    refused = shop.play(succeeds=False)
    for what in ("key pair shop-operator", "launch template shop-web"):
        assert f"{what} is there and does not carry the tag gatehouse:platform: shop" in refused.stdout
    assert shop.instances() == {}
