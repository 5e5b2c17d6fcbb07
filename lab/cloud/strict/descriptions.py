# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptions of rules are changed in place, whatever their kind of source.

"You can replace an existing description, or add a description to a rule that did not have one previously. You can
remove a description for a security group rule by omitting the description parameter in the request."
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lab.cloud.strict import authorize, rules
from lab.cloud.strict.behavior import Request, refuse, strict


@strict("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress")
def update(request: Request) -> Any:
    """Change the descriptions of all rules of the request, or of none."""
    group, egress = rules.find_group(request.ec2, request.parameters), request.operation.endswith("Egress")
    present = rules.direction(group, egress)
    texts = by_ids(request, present) if request.parameters.get("SecurityGroupRuleDescriptions") else {}
    if not texts:
        texts = by_permissions(request, group, present)
    for stored in present:
        if stored.id in texts:
            rules.write(replace(rules.of(stored), description=texts[stored.id]), stored)
    return {"Return": True}


def by_ids(request: Request, present: list[Any]) -> dict[str, str | None]:
    """Rule ids with their new descriptions, as given."""
    given = request.parameters["SecurityGroupRuleDescriptions"]
    return {
        authorize.by_id(present, entry["SecurityGroupRuleId"]).id: rules.described(entry.get("Description"))
        for entry in given
    }


def by_permissions(request: Request, group: Any, present: list[Any]) -> dict[str, str | None]:
    """Rule ids with their new descriptions, of rules that are named by what they say."""
    ids = {rules.of(stored).identity: stored.id for stored in present}
    wanted = authorize.wanted_rules(request, group)
    for rule in wanted:
        if rule.identity not in ids:
            raise refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
    return {ids[rule.identity]: rule.description for rule in wanted}
