# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quota "Inbound or outbound rules per security group", counted as AWS counts, and what Service Quotas says.

"This quota is enforced separately for inbound and outbound rules [...] and separately for IPv4 rules and IPv6
rules": https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
A rule that names a group counts for both families, a prefix list for the one family that it has.
"""

from __future__ import annotations

import json
from typing import Any

from moto.servicequotas.resources.default_quotas.vpc import VPC_DEFAULT_QUOTAS

from lab.cloud.strict import prefix_lists
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.rules import Rule

RULES_PER_GROUP = "L-0EA8095F"
FAMILIES = ("IPv4", "IPv6")


def check(request: Request, rules: list[Rule]) -> None:
    """Refuse what one direction of a group would hold too much of.

    RulesPerSecurityGroupLimitExceeded: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    for family in FAMILIES:
        if sum(counts(request, rule, family) for rule in rules) > request.cloud.rules_per_group:
            raise refuse(
                "RulesPerSecurityGroupLimitExceeded",
                "The maximum number of rules per security group has been reached.",
            )


def counts(request: Request, rule: Rule, family: str) -> int:
    """How much of the quota of an address family a rule takes."""
    if rule.kind == "PrefixListId":
        listed = prefix_lists.find(request.ec2, rule.source)
        return prefix_lists.weight(listed) if listed.address_family == family else 0
    if rule.kind == "ReferencedGroupId":
        return 1
    return int(rule.kind == ("CidrIpv4" if family == "IPv4" else "CidrIpv6"))


@strict("service-quotas", "GetServiceQuota")
def get_service_quota(request: Request) -> Any:
    """https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html"""
    asked = json.loads(request.response.body)
    for quota in applied(request):
        if asked.get("ServiceCode") == "vpc" and quota["QuotaCode"] == asked.get("QuotaCode"):
            return json.dumps({"Quota": quota})
    raise refuse("NoSuchResourceException", "The request failed because the specified service quota does not exist.")


@strict("service-quotas", "ListServiceQuotas")
def list_service_quotas(request: Request) -> Any:
    """https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html"""
    asked = json.loads(request.response.body)
    if asked.get("ServiceCode") != "vpc":
        raise refuse("NoSuchResourceException", "The request failed because the specified service does not exist.")
    wanted = asked.get("QuotaCode")
    return json.dumps({"Quotas": [quota for quota in applied(request) if wanted in (None, quota["QuotaCode"])]})


def applied(request: Request) -> list[dict[str, Any]]:
    """The quotas of the service vpc in this account."""
    changed = {RULES_PER_GROUP: {"Value": float(request.cloud.rules_per_group)}}
    return [{**quota, **changed.get(quota["QuotaCode"], {})} for quota in VPC_DEFAULT_QUOTAS]
