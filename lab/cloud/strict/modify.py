# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rule is changed in place, but keeps its kind of source.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict import authorize, quota, rules
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.rules import Rule

# How AWS words the kinds in its refusal.
WORDS = {
    "CidrIpv4": "an IPv4 CIDR",
    "CidrIpv6": "an IPv6 CIDR",
    "PrefixListId": "a prefix list id",
    "ReferencedGroupId": "a referenced group id",
}
EXISTING = {
    "CidrIpv4": "an existing IPv4 CIDR rule",
    "CidrIpv6": "an existing IPv6 CIDR rule",
    "PrefixListId": "an existing prefix list rule",
    "ReferencedGroupId": "an existing referenced group id rule",
}


@strict("ec2", "ModifySecurityGroupRules")
def modify(request: Request) -> Any:
    """Change all rules of the request, or none and say why."""
    group = rules.find_group(request.ec2, request.parameters)
    changes: dict[str, Rule] = {}
    updates = request.parameters.get("SecurityGroupRules") or []
    if not updates:
        raise refuse("MissingParameter", "The request must contain the parameter SecurityGroupRules")
    for update in updates:
        stored = authorize.by_id([*group.ingress_rules, *group.egress_rules], update["SecurityGroupRuleId"])
        changes[stored.id] = changed(request, group, stored, update.get("SecurityGroupRule") or {})
    for egress in (False, True):
        check_direction(request, rules.direction(group, egress), changes)
    for stored in [*group.ingress_rules, *group.egress_rules]:
        if stored.id in changes:
            rules.write(changes[stored.id], stored)
    return {"Return": True}


def changed(request: Request, group: Any, stored: Any, wanted: dict[str, Any]) -> Rule:
    """The rule as it is to be, checked alone."""
    kinds = [kind for kind in WORDS if wanted.get(kind) is not None]
    if len(kinds) > 1:
        raise refuse(
            "InvalidParameterCombination",
            "Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified",
        )
    if not kinds:
        raise refuse(
            "MissingParameter",
            "The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId",
        )
    kind, before = kinds[0], rules.of(stored)
    if kind != before.kind:
        raise refuse(
            "InvalidParameterValue",
            f"Invalid rule type for security group rule '{stored.id}'. "
            f"You may not specify {WORDS[kind]} for {EXISTING[before.kind]}.",
        )
    account = (before.account if wanted[kind] == before.source else request.account) if before.account else ""
    text = rules.described(wanted.get("Description"))
    rule = Rule(*rules.traffic(wanted), kind, rules.source(kind, wanted[kind]), account, text)
    authorize.check_source(request, group, rule)
    return rule


def check_direction(request: Request, present: list[Any], changes: dict[str, Rule]) -> None:
    """No duplicate and no rule too many after the change."""
    after = [changes.get(stored.id) or rules.of(stored) for stored in present]
    seen: set[Any] = set()
    for rule in after:
        if rule.identity in seen:
            raise refuse("InvalidPermission.Duplicate", f'the specified rule "{rule}" already exists')
        seen.add(rule.identity)
    if any(stored.id in changes for stored in present):
        quota.check(request, after)
