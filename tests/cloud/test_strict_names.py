# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and descriptions of security groups."""

from __future__ import annotations

import pytest

from lab.cloud import ControlPlane
from tests.cloud.account import allow, group, permission, refused, vpc


def test_names_differ_in_more_than_case(cloud: ControlPlane) -> None:
    """CreateSecurityGroup: "Names are case-insensitive and must be unique within the VPC." InvalidGroup.Duplicate

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    """
    ec2 = cloud.client("ec2")
    home, away = vpc(ec2), vpc(ec2)
    group(ec2, "App", home)
    group(ec2, "app", away)
    with refused("InvalidGroup.Duplicate"):
        group(ec2, "app", home)


@pytest.mark.parametrize("name", ["sg-app", "SG-app", "a" * 256, "größe", "a%b", "a|b"])
def test_names_have_their_characters(cloud: ControlPlane, name: str) -> None:
    """CreateSecurityGroup, GroupName: "Up to 255 characters in length. Can't start with sg-. Valid characters: a-z,
    A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*" InvalidParameterValue

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    """
    with refused("InvalidParameterValue", "GroupName"):
        group(cloud.client("ec2"), name)


@pytest.mark.parametrize("description", ["a" * 256, "→", "50%"])
def test_descriptions_have_their_characters(cloud: ControlPlane, description: str) -> None:
    """CreateSecurityGroup, Description: "Up to 255 characters in length. Valid characters: a-z, A-Z, 0-9, spaces, and
    ._-:/()#,@[]+=&;{}!$*" InvalidParameterValue

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    """
    with refused("InvalidParameterValue", "GroupDescription"):
        group(cloud.client("ec2"), description=description)


@pytest.mark.parametrize("description", ["a" * 256, "→", "50%"])
def test_descriptions_of_rules_have_their_characters(cloud: ControlPlane, description: str) -> None:
    """IpRange, Description: "Up to 255 characters in length. Allowed characters are a-z, A-Z, 0-9, spaces, and
    ._-:/()#,@[]+=&;{}!$*" InvalidParameterValue

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
    """
    ec2 = cloud.client("ec2")
    source = {"CidrIp": "10.0.0.0/8", "Description": description}
    with refused("InvalidParameterValue", "rule description"):
        allow(ec2, group(ec2), permission(IpRanges=[source]))


def test_the_name_default_is_taken(cloud: ControlPlane) -> None:
    """CreateSecurityGroup: InvalidGroup.Reserved, "The name 'default' is reserved, and cannot be used to create a new
    security group."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    with refused("InvalidGroup.Reserved"):
        group(cloud.client("ec2"), "Default")


def test_a_group_needs_a_vpc_that_exists(cloud: ControlPlane) -> None:
    """CreateSecurityGroup: InvalidVpcID.NotFound, "The specified VPC does not exist."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    with refused("InvalidVpcID.NotFound"):
        group(cloud.client("ec2"), vpc_id="vpc-0123456789abcdef0")
