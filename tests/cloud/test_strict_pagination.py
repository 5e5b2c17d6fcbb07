# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages and their tokens."""

from __future__ import annotations

import pytest

from lab.cloud import ControlPlane
from tests.cloud.account import allow, group, permission, refused, vpc


def test_groups_come_in_pages(cloud: ControlPlane) -> None:
    """DescribeSecurityGroups, MaxResults: "The maximum number of items to return for this request. To get the next page
    of items, make another request with the token returned in the output."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html
    """
    ec2 = cloud.client("ec2")
    there = vpc(ec2)
    for number in range(11):
        group(ec2, f"group-{number}", there)
    mine = [{"Name": "vpc-id", "Values": [there]}]
    pages = list(ec2.get_paginator("describe_security_groups").paginate(Filters=mine, PaginationConfig={"PageSize": 5}))
    assert [len(page["SecurityGroups"]) for page in pages] == [5, 5, 2]
    assert len({found["GroupId"] for page in pages for found in page["SecurityGroups"]}) == 12


def test_pages_can_be_forced(cloud: ControlPlane) -> None:
    """DescribeSecurityGroupRules, NextToken: "The token to include in another request to get the next page of items.
    This value is null when there are no more items to return."; also unasked, as AWS does for large answers.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    allow(ec2, made, permission(*(f"10.{number}.0.0/16" for number in range(6))))
    cloud.page_size = 3
    mine = [{"Name": "group-id", "Values": [made]}]
    first = ec2.describe_security_group_rules(Filters=mine)
    assert len(first["SecurityGroupRules"]) == 3
    pages = list(ec2.get_paginator("describe_security_group_rules").paginate(Filters=mine))
    assert [len(page["SecurityGroupRules"]) for page in pages] == [3, 3, 1]
    assert "NextToken" not in pages[-1]


@pytest.mark.parametrize("size", [1, 4, 1001])
def test_pages_have_their_sizes(cloud: ControlPlane, size: int) -> None:
    """DescribeSecurityGroups, MaxResults: "This value can be between 5 and 1000." InvalidParameterValue

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html
    """
    with refused("InvalidParameterValue", "MaxResults"):
        cloud.client("ec2", parameter_validation=False).describe_security_groups(MaxResults=size)


def test_a_token_must_be_one(cloud: ControlPlane) -> None:
    """DescribeSecurityGroups, NextToken: "The token returned from a previous paginated request." InvalidNextToken

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html
    """
    with refused("InvalidNextToken"):
        cloud.client("ec2").describe_security_groups(NextToken="xyz")


def test_target_groups_come_in_pages(cloud: ControlPlane) -> None:
    """DescribeTargetGroups, PageSize: "The maximum number of results to return with this call.", NextMarker: "If there
    are additional results, this is the marker for the next set of results. Otherwise, this is null."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html
    """
    elbv2, there = cloud.client("elbv2"), vpc(cloud.client("ec2"))
    for number in range(5):
        elbv2.create_target_group(Name=f"group-{number}", Protocol="HTTP", Port=80, VpcId=there)
    pages = list(elbv2.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["TargetGroups"]) for page in pages] == [2, 2, 1]
    cloud.page_size = 4
    assert len(elbv2.describe_target_groups()["TargetGroups"]) == 4
