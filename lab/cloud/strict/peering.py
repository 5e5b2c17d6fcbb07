# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References to groups of other VPCs and accounts, and what becomes of them when the group or the peering goes.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupReferences.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeStaleSecurityGroups.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict.behavior import Request, refuse
from lab.cloud.strict.rules import Rule


def check_reference(request: Request, group: Any, rule: Rule) -> None:
    """A referenced group must exist, in the same VPC or across an active peering."""
    other = referenced(request, rule)
    if other is None:
        raise refuse("InvalidGroup.NotFound", f"The security group '{rule.source}' does not exist")
    if other.vpc_id != group.vpc_id and not connection(request, group.vpc_id, other.vpc_id, rule.account):
        raise refuse("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")


def referenced(request: Request, rule: Rule) -> Any:
    """The group that a rule refers to, of the account that it says; None when there is none."""
    return request.ec2_of(rule.account).get_security_group_from_id(rule.source)


def connection(request: Request, vpc: str, other_vpc: str, account: str) -> Any:
    """The active peering of two VPCs, if there is one."""
    known = [*request.ec2.vpc_pcxs.values(), *request.ec2_of(account).vpc_pcxs.values()]
    for peering in known:
        if {peering.vpc.id, peering.peer_vpc.id} == {vpc, other_vpc} and peering.status["Code"] == "active":
            return peering
    return None
