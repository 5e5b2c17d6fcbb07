# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network interfaces of load balancers: one per subnet, holding the load balancer's groups, gone after it; what is
changed of an instance is changed of its primary interface, and the other way round.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
Those of load balancers outlive them for a while (``cloud.interfaces_linger``, seconds), which is why a group cannot
always be deleted at once.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from moto.ec2.models import ec2_backends

from lab.cloud.strict.behavior import Request, strict


@strict("elbv2", "CreateLoadBalancer")
def create_load_balancer(request: Request) -> Any:
    result = request.proceed()
    for balancer in result["LoadBalancers"]:
        # "The default is an Internet-facing load balancer."
        balancer.scheme = balancer.scheme or "internet-facing"
        for subnet in balancer.subnets:
            create(request, balancer, subnet)
    return result


@strict("elbv2", "SetSubnets")
def set_subnets(request: Request) -> Any:
    result = request.proceed()
    balancer = request.elbv2.load_balancers[request.parameters["LoadBalancerArn"]]
    present = {eni.subnet.id: eni for eni in of(request.ec2, balancer.arn)}
    for subnet in balancer.subnets:
        if present.pop(subnet.id, None) is None:
            create(request, balancer, subnet)
    for eni in present.values():
        leave(request, eni)
    return result


def create(request: Request, balancer: Any, subnet: Any) -> None:
    """ "The nodes of an Internet-facing load balancer have public IP addresses":
    https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html
    """
    eni = request.ec2.create_network_interface(
        subnet,
        "",
        group_ids=balancer.security_groups or None,
        description=description(balancer.arn),
        public_ip_auto_assign=balancer.scheme == "internet-facing",
    )
    eni.requester_managed, eni.status = True, "in-use"


@strict("elbv2", "SetSecurityGroups")
def set_security_groups(request: Request) -> Any:
    result = request.proceed()
    for eni in of(request.ec2, request.parameters["LoadBalancerArn"]):
        eni._group_set = [
            request.ec2.get_security_group_from_id(group) for group in request.parameters["SecurityGroups"]
        ]
    return result


@strict("elbv2", "DeleteLoadBalancer")
def delete_load_balancer(request: Request) -> Any:
    result = request.proceed()
    for eni in of(request.ec2, request.parameters["LoadBalancerArn"]):
        leave(request, eni)
    return result


def leave(request: Request, eni: Any) -> None:
    """Let an interface go after its while."""
    time = request.cloud.clock.now() + request.cloud.interfaces_linger
    request.cloud.leaving_interfaces[(request.account, request.response.region, eni.id)] = time


@strict("ec2", "DescribeNetworkInterfaces", "DeleteSecurityGroup", outermost=True)
def see_interfaces_go(request: Request) -> Any:
    """What should be gone by now goes before anybody looks."""
    going: dict[tuple[str, str, str], float] = request.cloud.leaving_interfaces
    for key in [key for key, time in going.items() if time <= request.cloud.clock.now()]:
        account, region, eni = key
        ec2_backends[account][region].enis.pop(eni, None)
        del going[key]
    for interface in request.ec2.enis.values():
        # moto's filter group-id looks at this alone.
        interface._group_set = list(interface.group_set)
    return request.proceed()


@strict("ec2", "TerminateInstances")
def terminate_instances(request: Request) -> Any:
    """The primary network interface goes with its instance, and its Elastic IP is free.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html
    """
    enis = request.ec2.enis
    gone = set(request.parameters.get("InstanceIds") or [])
    for address in request.ec2.addresses:
        if address.association_id and address.instance and address.instance.id in gone:
            request.ec2.disassociate_address(address=address.public_ip)
    going = [eni.id for eni in enis.values() if eni.device_index == 0 and eni.instance and eni.instance.id in gone]
    result = request.proceed()
    for name in going:
        if eni := enis.pop(name, None):
            free(eni.subnet, eni.private_ip_address)
    return result


def free(subnet: Any, address: str) -> None:
    """Let others have an address; whoever asks for none in particular gets another while there are enough."""
    freed: deque[str] = vars(subnet).setdefault("freed", deque())
    freed.append(address)
    if len(subnet._subnet_ips) > subnet.cidr.num_addresses // 2:
        subnet.del_subnet_ip(freed.popleft())


def take(subnet: Any, address: str) -> None:
    """Somebody asks for this address: moto may give it, if it is free."""
    freed: deque[str] = vars(subnet).get("freed", deque())
    if address in freed:
        freed.remove(address)
        subnet.del_subnet_ip(address)


@strict("ec2", "ModifyInstanceAttribute")
def modify_instance(request: Request) -> Any:
    """ "Replaces the security groups of the instance with the specified security groups."
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
    """
    result, asked = request.proceed(), request.parameters
    instance = request.ec2.get_instance(asked["InstanceId"])
    for eni in [eni for eni in request.ec2.enis.values() if eni.instance is instance and eni.device_index == 0]:
        if asked.get("Groups"):
            eni._group_set = list(instance.security_groups)
        if told := asked.get("SourceDestCheck"):
            eni.source_dest_check = told["Value"]
    return result


@strict("ec2", "ModifyNetworkInterfaceAttribute")
def modify_interface(request: Request) -> Any:
    """ "Changes the security groups for the network interface. The new set of groups you specify replaces the current
    set."
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html
    """
    result = request.proceed()
    eni = request.ec2.get_network_interface(request.parameters["NetworkInterfaceId"])
    if eni.instance and eni.device_index == 0:
        eni.instance.security_groups = list(eni._group_set)
        eni.instance.source_dest_check = eni.source_dest_check
    return result


def description(balancer_arn: str) -> str:
    """As AWS has it: ELB app/NAME/ID."""
    return f"ELB {balancer_arn.partition('loadbalancer/')[2]}"


def of(ec2: Any, balancer_arn: str) -> list[Any]:
    """The interfaces of a load balancer."""
    return [eni for eni in ec2.enis.values() if eni.description == description(balancer_arn)]
