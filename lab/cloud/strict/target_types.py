# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which targets a group takes, by its type.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from lab.cloud.strict.behavior import Request, refuse

# "You can't specify publicly routable IP addresses."
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-type
PRIVATE = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")]


def check(request: Request, group: Any, target: dict[str, Any]) -> tuple[str, int | None, str | None]:
    """Id, port and zone of a target as they are kept; what the group does not take is refused."""
    check_id(group, target["Id"])
    if group.target_type == "lambda":
        if target.get("AvailabilityZone", "all") != "all":
            raise refuse("ValidationError", "The only supported Availability Zone of a Lambda function is 'all'")
        return target["Id"], None, "all"
    port = int(target.get("Port") or group.port)
    if not 1 <= port <= 65535:
        raise refuse("ValidationError", f"Port '{port}' must be between 1 and 65535")
    if group.target_type == "ip":
        return target["Id"], port, zone_of_address(request, group, target)
    if "AvailabilityZone" in target:
        kind = group.target_type
        raise refuse("ValidationError", f"An Availability Zone cannot be specified with target type '{kind}'")
    if group.target_type == "instance":
        return target["Id"], port, zone_of_instance(request, group, target["Id"])
    check_balancer(request, target["Id"], port)
    return target["Id"], port, None


def check_id(group: Any, target_id: str) -> None:
    """The id must be of the group's kind."""
    if group.target_type == "instance" and not re.fullmatch(r"i-[0-9a-f]{8}([0-9a-f]{9})?", target_id):
        raise refuse("ValidationError", f"Instance ID '{target_id}' is not valid")
    if group.target_type == "ip":
        version = 6 if group.ip_address_type == "ipv6" else 4
        try:
            if ipaddress.ip_address(target_id).version != version:
                raise ValueError
        except ValueError:
            text = f"The IP address '{target_id}' is not a valid IPv{version} address"
            raise refuse("ValidationError", text) from None
    service = {"lambda": "lambda", "alb": "elasticloadbalancing"}.get(group.target_type)
    if service and not target_id.startswith(f"arn:aws:{service}:"):
        raise refuse("ValidationError", f"'{target_id}' is not a valid target ARN")


def zone_of_instance(request: Request, group: Any, instance_id: str) -> str:
    """An instance of the group's VPC, which "must be in the running state when you register it"."""
    instance = request.ec2.get_instance_by_id(instance_id)
    if instance is None or instance.vpc_id != group.vpc_id:
        text = f"The following targets are not in the target group VPC '{group.vpc_id}': '{instance_id}'"
        raise refuse("InvalidTarget", text)
    if instance.state != "running":
        text = f"The following targets are not in a running state and cannot be registered: '{instance_id}'"
        raise refuse("InvalidTarget", text)
    return str(request.ec2.get_subnet(instance.subnet_id).availability_zone)


def zone_of_address(request: Request, group: Any, target: dict[str, Any]) -> str:
    """Said or found: "If the IP address is in a subnet of the VPC [...] the Availability Zone is automatically detected
    and this parameter is optional. If the IP address is outside the VPC, this parameter is required."
    """
    address, zone = ipaddress.ip_address(target["Id"]), target.get("AvailabilityZone")
    own = [
        str(subnet.availability_zone)
        for subnets in request.ec2.subnets.values()
        for subnet in subnets.values()
        if subnet.vpc_id == group.vpc_id and address in ipaddress.ip_network(subnet.cidr_block)
    ]
    if own and zone not in (None, own[0]):
        text = f"cannot have its Availability Zone overridden to '{zone}' from '{own[0]}'"
        raise refuse("ValidationError", f"The IP address '{address}' is within the VPC, and {text}")
    if own:
        return own[0]
    if not zone:
        text = f"The Availability Zone is required for IP address '{address}' because it is not in the VPC"
        raise refuse("ValidationError", text)
    if zone != "all" and not zone.startswith(request.response.region):
        text = "You must specify a valid Availability Zone or select 'all' for all enabled Availability zones"
        raise refuse("ValidationError", f"{text}, since the IP address '{address}' is outside the VPC")
    if address.version == 4 and not any(address in network for network in PRIVATE):
        raise refuse("ValidationError", f"The IP address '{address}' is publicly routable and cannot be a target")
    return str(zone)


def check_balancer(request: Request, arn: str, port: int) -> None:
    """Of type alb: "the targeted Application Load Balancer must have at least one listener whose port
    matches the target group port."
    """
    balancer = request.elbv2.load_balancers.get(arn)
    if balancer is None or port not in {int(listener.port) for listener in balancer.listeners.values()}:
        raise refuse("InvalidTarget", f"The load balancer '{arn}' does not exist or has no listener on port {port}")
