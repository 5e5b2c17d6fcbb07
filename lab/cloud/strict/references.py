# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a group: it cannot be deleted meanwhile, and whoever refers to it from elsewhere is told.

"If you attempt to delete a security group that is associated with an instance or network interface, is referenced
by another security group in the same VPC, or has a VPC association, the operation fails with DependencyViolation."
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.cloud.strict import describe, peering, rules
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.rules import Rule


@strict("ec2", "DeleteSecurityGroup")
def delete_security_group(request: Request) -> Any:
    """Refuse while another group of the VPC or an interface uses the group.

    CannotDelete, DependencyViolation: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    group = rules.find_group(request.ec2, request.parameters)
    if group.name == "default":
        raise refuse("CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user')
    neighbors = [other for other in request.ec2.groups[group.vpc_id].values() if other.id != group.id]
    referenced = any(rule.source == group.id for other in neighbors for _egress, rule in rules_of(other))
    attached = any(group.id in {used.id for used in eni.group_set} for eni in request.ec2.enis.values())
    if referenced or attached:
        raise refuse("DependencyViolation", f"resource {group.id} has a dependent object")
    request.ec2.groups[group.vpc_id].pop(group.id)
    return {"Return": True, "GroupId": group.id}


@strict("ec2", "DescribeSecurityGroupReferences")
def describe_security_group_references(request: Request) -> Any:
    """The VPCs on the other side of a peering whose groups refer to the given ones.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupReferences.html
    """
    found = []
    for group_id in request.parameters.get("GroupId") or []:
        group = rules.find_group(request.ec2, {"GroupId": group_id})
        for vpc, connection in foreign_references(request, group):
            found.append({"GroupId": group.id, "ReferencingVpcId": vpc, "VpcPeeringConnectionId": connection.id})
    return {"SecurityGroupReferenceSet": found}


@strict("ec2", "DescribeStaleSecurityGroups")
def describe_stale_security_groups(request: Request) -> Any:
    """Groups of a VPC with rules that refer to a group that is gone, or that no peering leads to any more.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeStaleSecurityGroups.html
    """
    vpc = request.parameters.get("VpcId")
    if vpc not in request.ec2.vpcs:
        raise refuse("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")
    found = []
    for group in request.ec2.groups[vpc].values():
        stale = [(egress, rule) for egress, rule in rules_of(group) if is_stale(request, group, rule)]
        if stale:
            found.append(
                {
                    "GroupId": group.id,
                    "GroupName": group.name,
                    "Description": group.description,
                    "VpcId": vpc,
                    "StaleIpPermissions": describe.permissions([rule for egress, rule in stale if not egress]),
                    "StaleIpPermissionsEgress": describe.permissions([rule for egress, rule in stale if egress]),
                }
            )
    return {"StaleSecurityGroupSet": found}


def rules_of(group: Any) -> Iterator[tuple[bool, Rule]]:
    """All rules of a group, with whether they are of egress."""
    for egress in (False, True):
        for stored in rules.direction(group, egress):
            yield egress, rules.of(stored)


def foreign_references(request: Request, group: Any) -> Iterator[tuple[str, Any]]:
    """VPCs with a rule that refers to the group over an active peering, each once."""
    for peer in request.ec2.vpc_pcxs.values():
        for side, other in ((peer.vpc, peer.peer_vpc), (peer.peer_vpc, peer.vpc)):
            if side.id != group.vpc_id or peer.status["Code"] != "active":
                continue
            there = request.ec2_of(other.owner_id).groups.get(other.id, {}).values()
            if any(rule.source == group.id for foreign in there for _egress, rule in rules_of(foreign)):
                yield other.id, peer


def is_stale(request: Request, group: Any, rule: Rule) -> bool:
    """Whether what a rule refers to can no longer be reached."""
    if rule.kind != "ReferencedGroupId":
        return False
    other = peering.referenced(request, rule)
    if other is None:
        return True
    return other.vpc_id != group.vpc_id and not peering.connection(request, group.vpc_id, other.vpc_id, rule.account)
