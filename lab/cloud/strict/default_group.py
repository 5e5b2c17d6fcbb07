# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The group that every VPC begins with lets its members reach each other, which moto leaves out.

"A default security group includes a default rule that grants instances unrestricted network access to each other."
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict import rules
from lab.cloud.strict.behavior import Request, strict
from lab.cloud.strict.rules import Rule


@strict(
    "ec2",
    "DescribeSecurityGroups",
    "DescribeSecurityGroupRules",
    "AuthorizeSecurityGroupIngress",
    "RevokeSecurityGroupIngress",
    "ModifySecurityGroupRules",
    "UpdateSecurityGroupRuleDescriptionsIngress",
    outermost=True,
)
def begin(request: Request) -> Any:
    """Give the rule to the default groups of VPCs that came since, before anybody looks."""
    for groups in request.ec2.groups.values():
        for group in groups.values():
            if group.is_default and not hasattr(group, "begun"):
                group.begun = True
                rules.store(Rule("-1", None, None, "ReferencedGroupId", group.id, group.owner_id), group, False, {})
    return request.proceed()
