# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quota of rules per group, as it is counted and as it is told."""

from __future__ import annotations

from typing import Any

from lab.cloud import ControlPlane
from tests.cloud.account import allow, group, permission, prefix_list, refused, rules

FULL = "RulesPerSecurityGroupLimitExceeded"


def some(number: int, first: int = 0) -> list[str]:
    """Different IPv4 ranges."""
    return [f"10.{one}.0.0/16" for one in range(first, first + number)]


def test_both_families_have_the_quota_each(cloud: ControlPlane) -> None:
    """RulesPerSecurityGroupLimitExceeded; "This quota is enforced separately for IPv4 rules and IPv6 rules."

    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    allow(ec2, made, permission(*some(60)))
    allow(ec2, made, permission(Ipv6Ranges=[{"CidrIpv6": f"2001:db8:{one}::/48"} for one in range(60)]))
    with refused(FULL):
        allow(ec2, made, permission("192.168.0.0/16"))
    assert len(rules(ec2, made)) == 120


def test_a_group_as_source_counts_in_both_families(cloud: ControlPlane) -> None:
    """RulesPerSecurityGroupLimitExceeded; "A rule that references another security group counts as one rule, no matter
    the size of the referenced security group", for IPv4 and for IPv6.

    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-size
    """
    cloud.rules_per_group = 2
    ec2 = cloud.client("ec2")
    made = group(ec2)
    allow(ec2, made, permission(*some(1), UserIdGroupPairs=[{"GroupId": made}]))
    allow(ec2, made, permission(Ipv6Ranges=[{"CidrIpv6": "::/0"}]))
    for full in (permission(*some(1, 1)), permission(Ipv6Ranges=[{"CidrIpv6": "2001:db8::/32"}])):
        with refused(FULL):
            allow(ec2, made, full)


def test_a_prefix_list_counts_its_maximum(cloud: ControlPlane) -> None:
    """RulesPerSecurityGroupLimitExceeded; "A rule that references a customer-managed prefix list counts as the maximum
    size of the prefix list."

    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-size
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    allow(ec2, made, permission(*some(20), PrefixListIds=[{"PrefixListId": prefix_list(ec2, 40)}]))
    with refused(FULL):
        allow(ec2, made, permission(*some(1, 20)))


def test_a_prefix_list_of_aws_counts_its_weight(cloud: ControlPlane) -> None:
    """RulesPerSecurityGroupLimitExceeded; "A rule that references an AWS-managed prefix list counts as the weight of
    the prefix list": 55 for com.amazonaws.global.cloudfront.origin-facing.

    https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
    """
    ec2 = cloud.client("ec2")
    name = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}]
    (listed,) = ec2.describe_managed_prefix_lists(Filters=name)["PrefixLists"]
    with refused(FULL):
        allow(ec2, group(ec2), permission(*some(6), PrefixListIds=[{"PrefixListId": listed["PrefixListId"]}]))


def test_a_full_group_takes_nothing_of_a_request(cloud: ControlPlane) -> None:
    """AuthorizeSecurityGroupIngress: RulesPerSecurityGroupLimitExceeded, "The maximum number of rules per
    security group has been reached", and nothing is added.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    with refused(FULL):
        allow(ec2, made, permission(*some(1)), permission(*some(60, 1)))
    assert rules(ec2, made) == []


def test_modifying_does_not_go_around_the_quota(cloud: ControlPlane) -> None:
    """ModifySecurityGroupRules: RulesPerSecurityGroupLimitExceeded when the new prefix list is too large; a swap at the
    quota is allowed.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    cloud.rules_per_group = 2
    ec2 = cloud.client("ec2")
    made = group(ec2)
    lists = [prefix_list(ec2, entries) for entries in (1, 1, 2)]
    first, _second = allow(ec2, made, permission(*some(1), PrefixListIds=[{"PrefixListId": lists[0]}]))[::-1]

    def swap(listed: str) -> Any:
        wanted = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListId": listed}
        update = {"SecurityGroupRuleId": first["SecurityGroupRuleId"], "SecurityGroupRule": wanted}
        return ec2.modify_security_group_rules(GroupId=made, SecurityGroupRules=[update])

    swap(lists[1])
    assert rules(ec2, made)[1]["PrefixListId"] == lists[1]
    with refused(FULL):
        swap(lists[2])


def test_the_quota_is_told(cloud: ControlPlane) -> None:
    """GetServiceQuota: "Retrieves the applied quota value for the specified account-level or resource-level quota", and
    ListServiceQuotas lists it.

    https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
    """
    cloud.rules_per_group = 33
    quotas = cloud.client("service-quotas")
    told = quotas.get_service_quota(ServiceCode="vpc", QuotaCode="L-0EA8095F")["Quota"]
    assert (told["Value"], told["QuotaName"]) == (33.0, "Inbound or outbound rules per security group")
    listed = quotas.list_service_quotas(ServiceCode="vpc")["Quotas"]
    assert {quota["QuotaCode"]: quota["Value"] for quota in listed}["L-0EA8095F"] == 33.0
    with refused("NoSuchResourceException"):
        quotas.get_service_quota(ServiceCode="vpc", QuotaCode="L-00000000")


def test_the_quota_can_be_kept_from_a_caller(cloud: ControlPlane) -> None:
    """GetServiceQuota: AccessDeniedException, "You do not have sufficient permission to perform this action."; the
    quota holds all the same.

    https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
    """
    cloud.faults.add("refused", number=None, operation="GetServiceQuota")
    cloud.rules_per_group = 1
    for _time in range(2):
        with refused("AccessDeniedException"):
            cloud.client("service-quotas").get_service_quota(ServiceCode="vpc", QuotaCode="L-0EA8095F")
    ec2 = cloud.client("ec2")
    with refused(FULL):
        allow(ec2, group(ec2), permission(*some(2)))
