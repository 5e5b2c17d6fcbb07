# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules are added whole or not at all, and compared in canonical form; revoking likewise.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupEgress.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict import describe, peering, prefix_lists, quota, rules
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.rules import Rule

SINGLE = ("IpProtocol", "FromPort", "ToPort")


@strict("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def authorize(request: Request) -> Any:
    """Add all rules of the request, or none and say why."""
    group, egress = rules.find_group(request.ec2, request.parameters), request.operation.endswith("Egress")
    wanted = wanted_rules(request, group)
    identities = [rule.identity for rule in wanted]
    if len(set(identities)) < len(identities):
        raise refuse("InvalidParameterValue", "The same permission must not appear multiple times")
    present = [rules.of(stored) for stored in rules.direction(group, egress)]
    for rule in wanted:
        check_source(request, group, rule)
        if rule.identity in {other.identity for other in present}:
            raise refuse("InvalidPermission.Duplicate", f'the specified rule "{rule}" already exists')
    quota.check(request, [*present, *wanted])
    tags = request.response._parse_tag_specification().get("security-group-rule", {})
    added = [rules.store(rule, group, egress, tags) for rule in wanted]
    return {"Return": True, "SecurityGroupRules": [describe.rule(stored) for stored in added]}


@strict("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress")
def revoke(request: Request) -> Any:
    """Remove rules by their ids or by what they say.

    "For a default VPC, if the values you specify do not match the existing rule's values, no error is returned,
    and the output describes the security group rules that were not revoked."
    """
    group, egress = rules.find_group(request.ec2, request.parameters), request.operation.endswith("Egress")
    present = rules.direction(group, egress)
    unknown: list[Rule] = []
    if ids := request.parameters.get("SecurityGroupRuleIds"):
        revoked = [by_id(present, rule_id) for rule_id in ids]
    else:
        by_identity = {rules.of(stored).identity: stored for stored in present}
        wanted = wanted_rules(request, group)
        unknown = [rule for rule in wanted if rule.identity not in by_identity]
        revoked = [by_identity[rule.identity] for rule in wanted if rule.identity in by_identity]
    if unknown and group.vpc_id != request.ec2.default_vpc.id:
        raise refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
    gone = {stored.id for stored in revoked}
    present[:] = [stored for stored in present if stored.id not in gone]
    return {
        "Return": True,
        "UnknownIpPermissions": describe.permissions(unknown),
        "RevokedSecurityGroupRules": [describe.rule(stored) for stored in revoked],
    }


def wanted_rules(request: Request, group: Any) -> list[Rule]:
    """The rules that a request names, of a single one as well."""
    asked = request.parameters
    permissions = asked.get("IpPermissions") or []
    if not permissions and asked.get("CidrIp"):
        single = {key: asked.get(key) for key in SINGLE}
        permissions = [{**single, "IpRanges": [{"CidrIp": asked["CidrIp"]}]}]
    for permission in permissions:
        for pair in permission.get("UserIdGroupPairs") or []:
            if "GroupName" in pair and "GroupId" not in pair:
                pair["GroupId"] = rules.find_group(group.ec2_backend, {"GroupName": pair["GroupName"]}).id
    return rules.requested(permissions, request.account)


def check_source(request: Request, group: Any, rule: Rule) -> None:
    """A rule may name only what is there."""
    if rule.kind == "ReferencedGroupId":
        peering.check_reference(request, group, rule)
    elif rule.kind == "PrefixListId":
        prefix_lists.find(request.ec2, rule.source)


def by_id(present: list[Any], rule_id: str) -> Any:
    """A rule of moto by its id."""
    for stored in present:
        if stored.id == rule_id:
            return stored
    raise refuse("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{rule_id}' does not exist")
