# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""teardown.yml against an account with a platform and others' things."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.cloud import ControlPlane
from lab.model import ROOT
from tests.cloud.provisioning.playbook import PLAYBOOK, environment

OWNER = {"Key": "gatehouse:platform", "Value": "shop"}


@dataclass
class Account:
    """What was put into it; the vpc and the bucket are the platform's, the address is not."""

    cloud: ControlPlane
    vpc: str
    address: str

    @property
    def changes(self) -> list[str]:
        reading = ("Describe", "Get", "List", "Head", "AssumeRole")
        return [call.operation for call in self.cloud.calls.entries if not call.operation.startswith(reading)]


def tagged(kind: str, name: str, *others: dict[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [*others, {"Key": "Name", "Value": name}]}]


@pytest.fixture
def account(cloud: ControlPlane) -> Account:
    """A platform with one of most kinds, as its roles name and tag them."""
    ec2, s3 = cloud.client("ec2"), cloud.client("s3")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc", "shop-vpc", OWNER))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.0.0.0/24", TagSpecifications=tagged("subnet", "shop-public-a", OWNER)
    )["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway(TagSpecifications=tagged("internet-gateway", "shop-internet", OWNER))
    ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGateway"]["InternetGatewayId"], VpcId=vpc)
    group = ec2.create_security_group(
        GroupName="shop-web", Description="d", VpcId=vpc, TagSpecifications=tagged("security-group", "shop-web", OWNER)
    )["GroupId"]
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-13-amd64-*"]}])["Images"][0]["ImageId"]
    ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        SecurityGroupIds=[group],
        TagSpecifications=tagged("instance", "shop-bastion", OWNER),
    )
    s3.create_bucket(Bucket="shop-releases", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_tagging(Bucket="shop-releases", Tagging={"TagSet": [OWNER]})
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip", "shop-nat-a"))["AllocationId"]
    cloud.calls.clear()
    return Account(cloud, vpc, address)


def teardown(account: Account, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A run of the playbook with nobody at the keyboard."""
    command = [str(PLAYBOOK), "--inventory", "localhost,", "-e", "platform_name=shop", *options]
    command += [
        "-e",
        "ansible_python_interpreter={{ ansible_playbook_python }}",
        str(ROOT / "playbooks" / "teardown.yml"),
    ]
    return subprocess.run(
        command,
        env=environment(account.cloud),
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_nothing_goes_without_a_confirmation(account: Account, tmp_path: Path) -> None:
    run = teardown(account, tmp_path)
    assert run.returncode != 0
    assert f"VPC {account.vpc} (shop-vpc)" in run.stdout
    assert "bucket shop-releases; -e delete_data=true removes it" in run.stdout
    assert "Nothing was removed. Confirm it with -e confirm=shop" in run.stdout
    assert account.changes == []


def test_all_but_data_goes_and_what_is_not_the_platform_s_stays(account: Account, tmp_path: Path) -> None:
    """Then again: a run that was killed leaves no more than this one began with."""
    run = teardown(account, tmp_path, "-e", "confirm=shop")
    assert run.returncode == 0, run.stdout + run.stderr
    told = run.stdout.rpartition("TASK [Say what is left]")[2]
    assert "Goes" not in told
    assert "bucket shop-releases; -e delete_data=true removes it" in told
    ec2 = account.cloud.client("ec2")
    assert account.vpc not in [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]]
    assert [address["AllocationId"] for address in ec2.describe_addresses()["Addresses"]] == [account.address]
    assert account.cloud.client("s3").list_buckets()["Buckets"][0]["Name"] == "shop-releases"
    account.cloud.calls.clear()
    again = teardown(account, tmp_path)
    assert (again.returncode, account.changes) == (0, []), again.stdout
    # The bucket has a name of its own, which only the declaration tells.
    named = {"platform_release_store": {"bucket": "shop-releases"}, "confirm": "shop", "delete_data": True}
    last = teardown(account, tmp_path, "-e", json.dumps(named))
    assert (last.returncode, account.cloud.client("s3").list_buckets()["Buckets"]) == (0, []), last.stdout


def test_what_others_have_in_the_vpc_is_found_before_anything_goes(account: Account, tmp_path: Path) -> None:
    ec2 = account.cloud.client("ec2")
    foreign = ec2.create_subnet(VpcId=account.vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    account.cloud.calls.clear()
    run = teardown(account, tmp_path, "-e", "confirm=shop")
    assert run.returncode != 0
    assert f"nothing was removed: {account.vpc} holds the subnet {foreign}" in run.stdout
    assert account.changes == []
