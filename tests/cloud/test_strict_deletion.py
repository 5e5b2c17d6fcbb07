# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a VPC are removed in their order."""

from __future__ import annotations

from typing import Any

from lab.cloud import ControlPlane
from tests.cloud.account import group, refused, vpc


def subnet(ec2: Any, vpc_id: str) -> str:
    """A subnet of a VPC."""
    return str(ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"])


def test_an_address_is_released_after_the_nat_gateway_that_has_it(cloud: ControlPlane) -> None:
    """DeleteNatGateway: "Deleting a public NAT gateway disassociates its Elastic IP address, but does not release the
    address from your account."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNatGateway.html
    """
    ec2 = cloud.client("ec2")
    inside = subnet(ec2, vpc(ec2))
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=inside, AllocationId=address)["NatGateway"]["NatGatewayId"]
    with refused("InvalidIPAddress.InUse"):
        ec2.release_address(AllocationId=address)
    with refused("DependencyViolation"):
        ec2.delete_subnet(SubnetId=inside)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert "AssociationId" not in ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]
    ec2.release_address(AllocationId=address)
    ec2.delete_subnet(SubnetId=inside)


def test_a_gateway_stays_while_public_addresses_need_it(cloud: ControlPlane) -> None:
    """DetachInternetGateway: "The VPC must not contain any running instances with Elastic IP addresses or public IPv4
    addresses."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html
    """
    ec2 = cloud.client("ec2")
    vpc_id = vpc(ec2)
    inside = subnet(ec2, vpc_id)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    interface = ec2.create_network_interface(SubnetId=inside)["NetworkInterface"]["NetworkInterfaceId"]
    association = ec2.associate_address(AllocationId=address, NetworkInterfaceId=interface)["AssociationId"]
    with refused("DependencyViolation", "mapped public address"):
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    ec2.disassociate_address(AssociationId=association)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)


def test_a_vpc_with_a_gateway_or_a_group_is_kept(cloud: ControlPlane) -> None:
    """DeleteVpc: "You must detach or delete all gateways and resources that are associated with the VPC before you can
    delete it. For example, you must [...] delete all security groups associated with the VPC (except the default one)."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html
    """
    ec2 = cloud.client("ec2")
    vpc_id = vpc(ec2)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    with refused("DependencyViolation"):
        ec2.delete_vpc(VpcId=vpc_id)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    app = group(ec2, vpc_id=vpc_id)
    with refused("DependencyViolation"):
        ec2.delete_vpc(VpcId=vpc_id)
    ec2.delete_security_group(GroupId=app)
    ec2.delete_vpc(VpcId=vpc_id)
