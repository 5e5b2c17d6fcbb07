# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role network against an account: what is there afterwards, and what a second run says."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from lab.cloud import ControlPlane
from tests.cloud.provisioning.playbook import PLAYBOOK, environment, run

OWNER = "gatehouse:platform"
ZONE = "eu-central-1b"
SHOP = {"network_platform": "shop", "network_zones": [ZONE]}
CHANGES = (
    "Create",
    "Modify",
    "Delete",
    "Associate",
    "Attach",
    "Allocate",
    "Replace",
    "Release",
    "Detach",
    "Disassociate",
)

CREATIONS = {
    "CreateVpc",
    "CreateSubnet",
    "CreateInternetGateway",
    "AllocateAddress",
    "CreateNatGateway",
    "CreateRouteTable",
    "CreateVpcEndpoint",
}


def writes(cloud: ControlPlane) -> list[str]:
    """The calls that changed something, in their order."""
    return [call.operation for call in cloud.calls.entries if call.operation.startswith(CHANGES)]


def tags(resource: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags") or ()}


def owned(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [resource for resource in resources if tags(resource).get(OWNER) == "shop"]


def left(cloud: ControlPlane) -> list[dict[str, Any]]:
    """All that carries the tag."""
    ec2 = cloud.client("ec2")
    gateways = [item for item in ec2.describe_nat_gateways()["NatGateways"] if item["State"] != "deleted"]
    endpoints = [item for item in ec2.describe_vpc_endpoints()["VpcEndpoints"] if item["State"] != "deleted"]
    return owned(
        [
            *ec2.describe_vpcs()["Vpcs"],
            *ec2.describe_subnets()["Subnets"],
            *ec2.describe_route_tables()["RouteTables"],
            *ec2.describe_internet_gateways()["InternetGateways"],
            *ec2.describe_addresses()["Addresses"],
            *gateways,
            *endpoints,
        ]
    )


def kill_at(task: str, cloud: ControlPlane, folder: Path) -> None:
    """Play the playbook of the last run once more, and kill it as soon as a task begins."""
    process = subprocess.Popen(
        [str(PLAYBOOK), "--inventory", "localhost,", str(folder / "play.yml")],
        env=environment(cloud),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdout
        for line in process.stdout:
            if task in line:
                os.killpg(process.pid, signal.SIGKILL)


def test_a_network_is_made_as_foreseen_and_removed_without_a_trace(cloud: ControlPlane, tmp_path: Path) -> None:
    """Also where the first run was killed half way."""
    wanted = {**SHOP, "network_s3_endpoint": True, "network_tags": {"team": "web"}}
    foreseen = run(cloud, tmp_path, "network", wanted, "--check")
    assert writes(cloud) == []
    assert foreseen.words == [
        f"subnet shop-public-b 10.0.0.0/20 in {ZONE}",
        f"subnet shop-private-b 10.0.16.0/20 in {ZONE}",
        "Internet gateway shop-internet",
        "NAT gateway shop-nat-b in shop-public-b",
        "route table shop-public with a route to the Internet gateway shop-internet",
        "route table shop-private-b with a route to the NAT gateway shop-nat-b",
        "S3 gateway endpoint shop-s3-b for shop-private-b",
    ]
    assert "create VPC shop-vpc 10.0.0.0/16" in foreseen.stdout
    assert foreseen.facts["network_result"]["vpc_id"] == ""

    kill_at("Bring the subnets", cloud, tmp_path)
    half = run(cloud, tmp_path, "network", wanted, "--check")
    assert "change VPC" not in half.stdout
    assert half.words[-3:] == foreseen.words[-3:]
    assert half.facts["network_result"]["vpc_id"].startswith("vpc-")
    made = run(cloud, tmp_path, "network", wanted).facts["network_result"]
    ec2 = cloud.client("ec2")
    things = left(cloud)
    assert len(things) == 9
    assert all(tags(thing)["team"] == "web" for thing in things)
    made_by = [call for call in cloud.calls.entries if call.operation in CREATIONS]
    assert {call.operation for call in made_by} == CREATIONS
    assert all({"Key": OWNER, "Value": "shop"} in call.parameters["TagSpecifications"][0]["Tags"] for call in made_by)
    attribute = ec2.describe_vpc_attribute(VpcId=made["vpc_id"], Attribute="enableDnsHostnames")
    assert attribute["EnableDnsHostnames"]["Value"]
    subnets = {tags(subnet)["Name"]: subnet for subnet in owned(ec2.describe_subnets()["Subnets"])}
    assert {name: subnet["MapPublicIpOnLaunch"] for name, subnet in subnets.items()} == {
        "shop-public-b": True,
        "shop-private-b": False,
    }
    table = ec2.describe_route_tables(RouteTableIds=made["private_route_tables"])["RouteTables"][0]
    assert [item["SubnetId"] for item in table["Associations"]] == [subnets["shop-private-b"]["SubnetId"]]
    assert any(str(route.get("NatGatewayId")).startswith("nat-") for route in table["Routes"])
    assert made["nat_addresses"] == [owned(ec2.describe_addresses()["Addresses"])[0]["PublicIp"]]
    assert made["subnets"]["public"][0]["id"] == subnets["shop-public-b"]["SubnetId"]

    cloud.calls.clear()
    again = run(cloud, tmp_path, "network", wanted)
    assert (again.changed, again.facts["network_result"], cloud.calls.total) == (0, made, 10)

    # Others' things in the account, with similar names and with the platform's tag, stay.
    bastion = ec2.allocate_address(
        Domain="vpc",
        TagSpecifications=[
            {
                "ResourceType": "elastic-ip",
                "Tags": [{"Key": OWNER, "Value": "shop"}, {"Key": "Name", "Value": "shop-bastion"}],
            }
        ],
    )["AllocationId"]
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    foreign = ec2.create_subnet(VpcId=made["vpc_id"], CidrBlock="10.0.240.0/20")["Subnet"]["SubnetId"]
    gone = {**wanted, "network_state": "absent", "network_timeout": 5}
    cloud.calls.clear()
    refused = run(cloud, tmp_path, "network", gone, succeeds=False)
    assert f"holds the subnet {foreign}, which does not carry the tag of shop; remove it first" in refused.stdout
    assert writes(cloud) == []
    ec2.delete_subnet(SubnetId=foreign)
    run(cloud, tmp_path, "network", gone)
    assert [thing.get("AllocationId") for thing in left(cloud)] == [bastion]
    assert len(ec2.describe_vpcs()["Vpcs"]) == 2


def test_from_a_nat_gateway_per_zone_to_one(cloud: ControlPlane, tmp_path: Path) -> None:
    ec2 = cloud.client("ec2")
    zones = {"network_platform": "shop", "network_zones": ["eu-central-1a", ZONE]}
    before = run(cloud, tmp_path, "network", zones).facts["network_result"]
    assert len(before["nat_addresses"]) == 2
    cloud.calls.clear()
    purged = run(cloud, tmp_path, "network", {**zones, "network_nat": "one", "network_purge": True})
    assert writes(cloud) == ["ReplaceRoute", "DeleteNatGateway", "ReleaseAddress"]
    assert purged.facts["network_result"]["nat_addresses"] == before["nat_addresses"][:1]
    assert len(owned(ec2.describe_subnets()["Subnets"])) == 4
    none = {**zones, "network_nat": "none", "network_purge": True}
    assert run(cloud, tmp_path, "network", none).facts["network_result"]["nat_addresses"] == []
    assert {one["State"] for one in ec2.describe_nat_gateways()["NatGateways"]} <= {"deleted"}
    assert owned(ec2.describe_addresses()["Addresses"]) == []
    assert run(cloud, tmp_path, "network", none).changed == 0


def test_flow_logs_are_made_and_removed(cloud: ControlPlane, tmp_path: Path) -> None:
    ec2, stacks = cloud.client("ec2"), cloud.client("cloudformation")
    cloud.client("s3").create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": ZONE[:-1]})
    plain = {**SHOP, "network_nat": "none"}
    wanted = {**plain, "network_flow_logs": "arn:aws:s3:::logs"}
    foreseen = run(cloud, tmp_path, "network", wanted, "--check")
    assert foreseen.words[-1] == "flow logs of the VPC to arn:aws:s3:::logs"
    made = run(cloud, tmp_path, "network", wanted)
    [log] = ec2.describe_flow_logs()["FlowLogs"]
    told = {name: log[name] for name in ("ResourceId", "TrafficType", "LogDestinationType", "LogDestination")}
    assert told == {
        "ResourceId": made.facts["network_result"]["vpc_id"],
        "TrafficType": "ALL",
        "LogDestinationType": "s3",
        "LogDestination": "arn:aws:s3:::logs",
    }
    assert tags(log)[OWNER] == "shop"
    assert run(cloud, tmp_path, "network", wanted).changed == 0
    run(cloud, tmp_path, "network", {**plain, "network_purge": True})
    assert stacks.describe_stacks()["Stacks"] == []
    # A run that was killed before it took the tag off is continued.
    vpc = made.facts["network_result"]["vpc_id"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "gatehouse:flow-logs", "Value": "shop-flow-logs"}])
    assert run(cloud, tmp_path, "network", {**plain, "network_purge": True}, "--check").changed == 1
    assert run(cloud, tmp_path, "network", {**plain, "network_purge": True}).changed == 1
    # From then on nothing of it is asked for.
    cloud.calls.clear()
    assert run(cloud, tmp_path, "network", plain).changed == 0
    assert "DescribeStacks" not in [call.operation for call in cloud.calls.entries]


def test_everything_wrong_is_in_one_message_and_nothing_is_changed(cloud: ControlPlane, tmp_path: Path) -> None:
    ec2 = cloud.client("ec2")
    named = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "shop-vpc"}]}]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=named)["Vpc"]["VpcId"]
    cloud.calls.clear()
    wanted = {**SHOP, "network_cidr": "10.0.0.0/27", "network_zones": ["eu-central-1z"]}
    told = run(cloud, tmp_path, "network", wanted, succeeds=False).stdout
    assert "network_zones[0] 'eu-central-1z': the region eu-central-1 has no such zone" in told
    assert "10.0.0.0/27 is too small" in told
    assert f"the VPC {vpc} (shop-vpc) is there and does not carry the tag gatehouse:platform: shop" in told
    missing = run(cloud, tmp_path, "network", {**SHOP, "network_vpc_id": "vpc-0123456789abcdef0"}, succeeds=False)
    assert "there is no such VPC in this region and account" in missing.stdout
    assert writes(cloud) == []


def test_a_vpc_that_is_used_is_only_read(cloud: ControlPlane, tmp_path: Path) -> None:
    ec2 = cloud.client("ec2")
    default = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    # moto's default VPC has no way out, AWS's has.
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=default)
    table = ec2.describe_route_tables()["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    cloud.calls.clear()
    wanted = {**SHOP, "network_tiers": ["public"], "network_use_default": True}
    found = run(cloud, tmp_path, "network", wanted)
    assert (found.changed, writes(cloud)) == (0, [])
    assert found.facts["network_result"]["vpc_id"] == default
    named = run(cloud, tmp_path, "network", {**SHOP, "network_tiers": ["public"], "network_vpc_id": default})
    assert (named.changed, writes(cloud), named.facts) == (0, [], found.facts)
    assert [subnet["zone"] for subnet in found.facts["network_result"]["subnets"]["public"]] == [ZONE]
