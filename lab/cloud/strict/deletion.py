# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a VPC are removed in their order: what is in use stays.

DependencyViolation, InvalidIPAddress.InUse: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict.behavior import Request, refuse, strict


@strict("ec2", "DeleteNatGateway")
def delete_nat_gateway(request: Request) -> Any:
    """ "Deleting a public NAT gateway disassociates its Elastic IP address, but does not release the address from your
    account": https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNatGateway.html
    """
    result, ec2 = request.proceed(), request.ec2
    gateway = ec2.nat_gateways[request.parameters["NatGatewayId"]]
    for address in [address for address in ec2.addresses if address.eni is gateway._eni]:
        ec2.disassociate_address(address=address.public_ip)
    ec2.enis.pop(gateway._eni.id, None)
    return result


@strict("ec2", "ReleaseAddress")
def release_address(request: Request) -> Any:
    """ "If you try to release an Elastic IP address that's already associated [...] you'll get an error": the
    documentation of ReleaseAddress for addresses in a VPC,
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html
    """
    allocation = request.parameters.get("AllocationId")
    for address in request.ec2.addresses:
        if allocation and address.allocation_id == allocation and address.association_id:
            raise refuse("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")
    return request.proceed()


@strict("ec2", "DeleteSubnet")
def delete_subnet(request: Request) -> Any:
    """ "You must terminate all running instances in the subnet before you can delete the subnet":
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSubnet.html
    """
    subnet = request.parameters["SubnetId"]
    if any(eni.subnet.id == subnet for eni in request.ec2.enis.values()):
        raise refuse("DependencyViolation", f"The subnet '{subnet}' has dependencies and cannot be deleted.")
    return request.proceed()


@strict("ec2", "DetachInternetGateway")
def detach_internet_gateway(request: Request) -> Any:
    """ "The VPC must not contain any running instances with Elastic IP addresses or public IPv4 addresses":
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html
    """
    vpc = request.parameters["VpcId"]
    if any(eni.public_ip and eni.subnet.vpc_id == vpc for eni in request.ec2.enis.values()):
        raise refuse("DependencyViolation", f"Network {vpc} has some mapped public address(es). Please unmap those.")
    return request.proceed()


@strict("ec2", "DeleteVpc")
def delete_vpc(request: Request) -> Any:
    """ "You must detach or delete all gateways and resources that are associated with the VPC before you can delete it.
    For example, you must [...] delete all security groups associated with the VPC (except the default one)":
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html
    """
    vpc, ec2 = request.parameters["VpcId"], request.ec2
    attached = any(gateway.vpc and gateway.vpc.id == vpc for gateway in ec2.internet_gateways.values())
    grouped = any(group.name != "default" for group in ec2.groups.get(vpc, {}).values())
    if attached or grouped:
        raise refuse("DependencyViolation", f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    return request.proceed()
