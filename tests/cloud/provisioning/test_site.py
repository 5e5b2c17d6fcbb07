# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of the system "autoscaled" against an account, as far as they go without real hosts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cloud import ControlPlane
from lab.model import ROOT
from tests.cloud.account import vpc
from tests.cloud.provisioning.playbook import PLAYBOOK, environment

REGION = "ap-south-1"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJsr5uAxG2C+/RJsEI0TxAIQ3eIGn4Wa7sgzmRUJNh6U ada"
OWNER = {"Key": "gatehouse:platform", "Value": "autoscaled"}
READING = ("Describe", "Get", "List", "Head", "AssumeRole")


def play(
    cloud: ControlPlane,
    folder: Path,
    playbook: str,
    *options: str,
    hosts: Any = None,
    without: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """A run of a playbook, with what an operator brings along; ``hosts`` are there besides those that are found, and
    variables of the environment that are called ``without`` are not.
    """
    variables = {
        "platform_state_dir": str(folder),
        "platform_operators": ["203.0.113.0/24"],
        "platform_public_key": KEY,
    }
    own = {"all": {"vars": variables, "children": {"web": {"hosts": hosts or {}}}}}
    (folder / "own.yml").write_text(yaml.safe_dump(own), encoding="utf-8")
    inventories = ["--inventory", f"{ROOT}/inventory/autoscaled", "--inventory", f"{folder}/own.yml"]
    settings = {**environment(cloud), "ANSIBLE_STDOUT_CALLBACK": "gatehouse.platform.story"}
    return subprocess.run(
        [str(PLAYBOOK), *inventories, f"{ROOT}/playbooks/{playbook}.yml", *options],
        env={name: value for name, value in settings.items() if name not in without},
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_check_mode_goes_through_the_whole_site_in_an_empty_account(cloud: ControlPlane, tmp_path: Path) -> None:
    cloud.calls.clear()
    run = play(cloud, tmp_path, "site", "--check", "--diff")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "load balancer autoscaled-lb, internet-facing" in run.stdout
    assert "Auto Scaling group autoscaled-web" in run.stdout
    # All other plays have no hosts yet, and nothing to say.
    assert "localhost" in run.stdout.partition("PLAY RECAP")[2]
    assert "failed=0" in run.stdout.partition("PLAY RECAP")[2]
    assert [call.operation for call in cloud.calls.entries if not call.operation.startswith(READING)] == []


CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
TWICE = [
    {"tier": "public", "zone": f"{REGION}a", "cidr": "10.0.0.0/20"},
    {"tier": "public", "zone": f"{REGION}b", "cidr": "10.0.8.0/21"},
]


def network(**more: Any) -> str:
    """The network of the system, declared otherwise."""
    return json.dumps({"platform_network": {"cidr": "10.0.0.0/16", "zones": [f"{REGION}a", f"{REGION}b"], **more}})


def unanswered() -> str:
    """The service, with a health check of a port on which nothing listens."""
    path = ROOT / "inventory" / "autoscaled" / "group_vars" / "all.yml"
    (shop,) = yaml.safe_load(path.read_text(encoding="utf-8"))["platform_services"]
    return json.dumps({"platform_services": [{**shop, "health_check": {"port": 8001}}]})


@pytest.mark.parametrize(
    ("options", "without", "words"),
    [
        ((), CREDENTIALS, "give credentials: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (("-e", "platform_region=eu-nowhere-7"), (), "is there a region eu-nowhere-7 (platform_region)"),
        (("-e", "platform_region=eu-central-1"), (), f"'{REGION}a': the region eu-central-1 has no such zone"),
        (("-e", network(cidr="10.0.0.0/28")), (), "10.0.0.0/28 is too small: 2 zones with 2 tiers need"),
        (("-e", network(subnets=TWICE)), (), f"10.0.8.0/21, overlaps that for public in {REGION}a, 10.0.0.0/20"),
        (("-e", '{"platform_fleets": [{"name": "web", "desird": 2}]}'), (), "web has no option 'desird'"),
        (("-e", unanswered()), (), "service shop: health_check.port 8001, where nothing answers on web"),
        (("-e", '{"platform_load_balancer": {"https": true}}'), (), "there is no platform_load_balancer.certificate"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_made(
    cloud: ControlPlane, tmp_path: Path, options: Sequence[str], without: Sequence[str], words: str
) -> None:
    cloud.calls.clear()
    run = play(cloud, tmp_path, "site", *options, without=without)
    assert run.returncode != 0
    assert words in " ".join(run.stdout.rpartition("PLAY RECAP")[2].split())
    assert [call.operation for call in cloud.calls.entries if not call.operation.startswith(READING)] == []


@pytest.fixture
def balancer(cloud: ControlPlane) -> str:
    """The platform's load balancer, with one target that is not healthy; its DNS name leads nowhere."""
    ec2, elbv2 = cloud.client("ec2", region_name=REGION), cloud.client("elbv2", region_name=REGION)
    network = vpc(ec2)
    subnets = [
        ec2.create_subnet(VpcId=network, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in enumerate("ab")
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    made = elbv2.create_load_balancer(Name="autoscaled-lb", Subnets=ids, Tags=[OWNER])["LoadBalancers"][0]
    group = elbv2.create_target_group(
        Name="autoscaled-shop",
        Protocol="HTTP",
        Port=8000,
        VpcId=network,
        HealthCheckPath="/health",
        Tags=[OWNER, {"Key": "gatehouse:service", "Value": "shop"}],
    )["TargetGroups"][0]["TargetGroupArn"]
    forward = {"Type": "forward", "TargetGroupArn": group}
    elbv2.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[forward])
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-13-amd64-*"]}])["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=ids[0])["Instances"][0]["InstanceId"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    return str(instance)


def test_hosts_that_are_not_healthy_are_told_with_what_visitors_get(
    cloud: ControlPlane, tmp_path: Path, balancer: str
) -> None:
    placement = {"ec2_placement": {"availability_zone": f"{REGION}a"}}
    run = play(
        cloud, tmp_path, "verify", "-e", "platform_health_timeout=0", hosts={balancer: placement, "i-gone": placement}
    )
    assert run.returncode != 0
    told = run.stdout.rpartition("Seen from outside, this is wrong:")[2]
    assert "autoscaled-lb" in told
    assert "elb.amazonaws.com does not resolve" in told
    assert f"{balancer} ({REGION}a) is initial for shop" in told
    assert f"i-gone ({REGION}a) is not registered for shop" in told
    assert ["HOST", "ZONE", "SERVICE", "TARGET", "RELEASE", "UNIT"] in [
        line.split() for line in run.stdout.splitlines()
    ]


def test_without_a_load_balancer_the_message_says_so(cloud: ControlPlane, tmp_path: Path) -> None:
    run = play(cloud, tmp_path, "verify", hosts={"i-1": {}})
    assert run.returncode != 0
    assert "there is no load balancer autoscaled-lb of this platform: run site.yml" in run.stdout


def test_logs_go_where_they_are_declared_and_the_plan_of_a_teardown_has_them(
    cloud: ControlPlane, tmp_path: Path
) -> None:
    s3: Any = cloud.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    zones = [f"{REGION}a", f"{REGION}b"]
    logged = {
        "platform_network": {"cidr": "10.0.0.0/16", "zones": zones, "nat": "none", "flow_logs": "arn:aws:s3:::logs"},
        "platform_load_balancer": {"https": False, "access_logs": {"bucket": "logs", "prefix": "shop"}},
    }
    run = play(cloud, tmp_path, "provision", "-e", "compute_wait=0", "-e", json.dumps(logged))
    assert run.returncode == 0, run.stdout + run.stderr
    elb: Any = cloud.client("elbv2", region_name=REGION)
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    told = elb.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]
    attributes = {one["Key"]: one["Value"] for one in told}
    assert (attributes["access_logs.s3.bucket"], attributes["access_logs.s3.prefix"]) == ("logs", "shop")
    (log,) = cloud.client("ec2", region_name=REGION).describe_flow_logs()["FlowLogs"]
    assert log["LogDestination"] == "arn:aws:s3:::logs"
    run = play(cloud, tmp_path, "teardown")
    assert run.returncode != 0
    assert "stack with flow logs autoscaled-flow-logs" in run.stdout


def test_a_fleet_that_lost_all_its_hosts_is_given_back_and_operators_keep_their_way_in(
    cloud: ControlPlane, tmp_path: Path
) -> None:
    run = play(cloud, tmp_path, "provision", "-e", "compute_wait=0")
    assert run.returncode == 0, run.stdout + run.stderr
    scaling: Any = cloud.client("autoscaling", region_name=REGION)
    group = {"ResourceId": "autoscaled-web", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    left = {"gatehouse:lock": "bob@desk run 20-2 since 2020-01-01T00:00:00Z", "gatehouse:suspended": "HealthCheck"}
    scaling.create_or_update_tags(Tags=[{**group, "Key": key, "Value": value} for key, value in left.items()])
    scaling.suspend_processes(AutoScalingGroupName="autoscaled-web", ScalingProcesses=["HealthCheck", "AZRebalance"])
    run = play(cloud, tmp_path, "provision", "-e", "compute_wait=0")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "autoscaled-web: resumes HealthCheck" in run.stdout
    (found,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert {tag["Key"] for tag in found["Tags"]}.isdisjoint(left)
    assert [one["ProcessName"] for one in found["SuspendedProcesses"]] == ["AZRebalance"]
    # Whoever is here keeps the way in, whatever is declared.
    elsewhere = {"platform_operators": ["198.51.100.0/24"], "platform_own_address": "203.0.113.0/24"}
    run = play(cloud, tmp_path, "provision", "-e", "compute_wait=0", "-e", json.dumps(elsewhere))
    assert run.returncode != 0
    assert "203.0.113.0/24" in run.stdout.rpartition("PLAY RECAP")[2]
    groups = cloud.client("ec2", region_name=REGION).describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["autoscaled-bastion"]}]
    )["SecurityGroups"]
    ranges = [one["CidrIp"] for group in groups for rule in group["IpPermissions"] for one in rule["IpRanges"]]
    assert ranges == ["203.0.113.0/24"]
