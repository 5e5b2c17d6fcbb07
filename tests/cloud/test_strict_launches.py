# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launches: the image and the address, how many, and the same call again."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.account import refused

IMAGE = "ami-0deb1300000000001"


class Subnet:
    """10.0.0.0/24."""

    def __init__(self, cloud: ControlPlane) -> None:
        self.ec2 = cloud.client("ec2")
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.id = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]

    def launch(self, **options: Any) -> list[dict[str, Any]]:
        """Instances; their dictionaries."""
        given = {"ImageId": IMAGE, "SubnetId": self.id, "MinCount": 1, "MaxCount": 1, **options}
        found: list[dict[str, Any]] = self.ec2.run_instances(**given)["Instances"]
        return found

    def count(self) -> int:
        """Of instances, and of network interfaces that nobody knows of."""
        reservations = self.ec2.describe_instances()["Reservations"]
        return sum(len(told["Instances"]) for told in reservations)


def test_an_image_has_to_exist(cloud: ControlPlane) -> None:
    """InvalidAMIID.NotFound: "The specified AMI does not exist." Nothing is left of the attempt.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    subnet = Subnet(cloud)
    with refused("InvalidAMIID.NotFound", "ami-0123456789abcdef0"):
        subnet.launch(ImageId="ami-0123456789abcdef0")
    assert subnet.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert subnet.count() == 0


@pytest.mark.parametrize("by", ["instance", "card", "interface"])
def test_an_address_that_is_taken_is_not_given_again(cloud: ControlPlane, by: str) -> None:
    """InvalidIPAddress.InUse: "The specified IP address is already in use."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    subnet = Subnet(cloud)
    (first,) = subnet.launch(PrivateIpAddress="10.0.0.10")
    assert first["PrivateIpAddress"] == "10.0.0.10"
    with refused("InvalidIPAddress.InUse", "10.0.0.10"):
        ask_for(subnet, by, "10.0.0.10")
    subnet.ec2.terminate_instances(InstanceIds=[first["InstanceId"]])
    ask_for(subnet, by, "10.0.0.10")


def ask_for(subnet: Subnet, by: str, address: str) -> None:
    if by == "instance":
        subnet.launch(PrivateIpAddress=address)
    elif by == "card":
        card = {"DeviceIndex": 0, "SubnetId": subnet.id, "PrivateIpAddress": address}
        subnet.ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, NetworkInterfaces=[card])
    else:
        subnet.ec2.create_network_interface(SubnetId=subnet.id, PrivateIpAddress=address)


@pytest.mark.parametrize("address", ["10.0.1.10", "10.0.0.0", "10.0.0.3", "10.0.0.255", "10.0.0"])
def test_an_address_is_one_of_the_subnet(cloud: ControlPlane, address: str) -> None:
    """ "The first four IP addresses and the last IP address in each subnet CIDR block are not available for your use":
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
    """
    subnet = Subnet(cloud)
    with refused("InvalidParameterValue", "ddress"):
        ask_for(subnet, "interface", address)


def test_as_many_are_launched_as_can_be(cloud: ControlPlane) -> None:
    """RunInstances, MaxCount: "launches the largest possible number of instances above the specified minimum count"."""
    subnet = Subnet(cloud)
    assert len(subnet.launch(MaxCount=3)) == 3
    with refused("InvalidParameterValue", "minCount"):
        subnet.launch(MinCount=2)


def test_a_launch_that_is_repeated_is_one_launch(cloud: ControlPlane) -> None:
    """ "If you retry a request that completed successfully using the same client token and the same parameters, the
    retry succeeds without performing any further actions." IdempotentParameterMismatch

    https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
    """
    subnet = Subnet(cloud)
    (first,) = subnet.launch(ClientToken="once")
    (again,) = subnet.launch(ClientToken="once")
    (other,) = subnet.launch(ClientToken="twice")
    assert first["InstanceId"] == again["InstanceId"] != other["InstanceId"]
    assert subnet.count() == 2
    with refused("IdempotentParameterMismatch"):
        subnet.launch(ClientToken="once", InstanceType="t3.large")


def test_a_launch_that_failed_may_be_repeated(cloud: ControlPlane) -> None:
    """Its token is not used up."""
    subnet = Subnet(cloud)
    with refused("InvalidAMIID.NotFound"):
        subnet.launch(ImageId="ami-0123456789abcdef0", ClientToken="once")
    subnet.launch(ClientToken="once")
    assert subnet.count() == 1


def test_a_nat_gateway_is_made_once(cloud: ControlPlane) -> None:
    """CreateNatGateway, ClientToken"""
    subnet = Subnet(cloud)
    allocation = subnet.ec2.allocate_address(Domain="vpc")["AllocationId"]
    options = {"SubnetId": subnet.id, "AllocationId": allocation, "ClientToken": "once"}
    made = [subnet.ec2.create_nat_gateway(**options)["NatGateway"]["NatGatewayId"] for _time in range(2)]
    assert made[0] == made[1]
    assert len(subnet.ec2.describe_nat_gateways()["NatGateways"]) == 1
