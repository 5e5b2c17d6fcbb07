# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is launched is checked before anything of it is there: the image, and the address that it is to have.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import Any

from lab.cloud.strict import interfaces
from lab.cloud.strict.behavior import Request, refuse, strict

# "The first four IP addresses and the last IP address in each subnet CIDR block are not available for your use":
# https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
RESERVED = (0, 1, 2, 3, -1)


@strict("ec2", "RunInstances")
def run_instances(request: Request) -> Any:
    """After ``launch_templates``: what a template says is part of the request here.

    MaxCount: "If you specify a value that is more capacity than Amazon EC2 can launch in the target Availability Zone,
    Amazon EC2 launches the largest possible number of instances above the specified minimum count."
    """
    asked = request.parameters
    image = asked.get("ImageId")
    if not image:
        raise refuse("MissingParameter", "The request must contain the parameter ImageId")
    if image not in request.ec2.amis:
        raise refuse("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")
    for card in [asked, *(asked.get("NetworkInterfaces") or ())]:
        check_address(request, card.get("SubnetId") or default_subnet(request), card.get("PrivateIpAddress"))
    if asked["MinCount"] > asked["MaxCount"]:
        text = f"{asked['MinCount']} is greater than {asked['MaxCount']}"
        raise refuse("InvalidParameterValue", f"Value for minCount is invalid: {text}")
    asked["MinCount"] = asked["MaxCount"]
    return request.proceed()


@strict("ec2", "CreateNetworkInterface")
def create_network_interface(request: Request) -> Any:
    check_address(request, request.parameters["SubnetId"], request.parameters.get("PrivateIpAddress"))
    return request.proceed()


def default_subnet(request: Request) -> str | None:
    """The subnet of an instance for which none is named."""
    zone = (request.parameters.get("Placement") or {}).get("AvailabilityZone")
    found: Any = request.ec2.get_default_subnets().get(zone)
    return str(found.id) if found else None


def check_address(request: Request, subnet_id: str | None, text: str | None) -> None:
    """Refuse an address that a new interface cannot have."""
    if not text or not subnet_id:
        return
    subnet = request.ec2.get_subnet(subnet_id)
    network = subnet.cidr
    try:
        address = IPv4Address(text)
    except AddressValueError:
        raise refuse("InvalidParameterValue", f"Value ({text}) for parameter address is invalid.") from None
    if address not in network:
        raise refuse("InvalidParameterValue", "Address does not fall within the subnet's address range")
    if address in [network[place] for place in RESERVED]:
        raise refuse("InvalidParameterValue", "Address is in subnet's reserved address range")
    used = [eni for eni in request.ec2.enis.values() if eni.subnet.id == subnet_id]
    if any(text in (entry["PrivateIpAddress"] for entry in eni.private_ip_addresses) for eni in used):
        raise refuse("InvalidIPAddress.InUse", f"Address {text} is in use.")
    interfaces.take(subnet, text)
