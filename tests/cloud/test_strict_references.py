# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a group, and what becomes of references when the group goes."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.account import allow, group, permission, refused, vpc


def subnet(ec2: Any) -> str:
    """A subnet of the default VPC."""
    return str(ec2.describe_subnets()["Subnets"][0]["SubnetId"])


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_referenced_group_is_kept(cloud: ControlPlane, direction: str) -> None:
    """DeleteSecurityGroup: "If you attempt to delete a security group that [...] is referenced by another security
    group in the same VPC [...] the operation fails with DependencyViolation."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
    """
    ec2 = cloud.client("ec2")
    used, user = group(ec2, "used"), group(ec2, "user")
    permissions = [permission(UserIdGroupPairs=[{"GroupId": used}])]
    getattr(ec2, f"authorize_security_group_{direction}")(GroupId=user, IpPermissions=permissions)
    with refused("DependencyViolation", f"resource {used} has a dependent object"):
        ec2.delete_security_group(GroupId=used)
    getattr(ec2, f"revoke_security_group_{direction}")(GroupId=user, IpPermissions=permissions)
    ec2.delete_security_group(GroupId=used)


def test_an_attached_group_is_kept(cloud: ControlPlane) -> None:
    """DeleteSecurityGroup: "If you attempt to delete a security group that is associated with an instance or network
    interface [...] the operation fails with DependencyViolation."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
    """
    ec2 = cloud.client("ec2")
    used = group(ec2)
    eni = ec2.create_network_interface(SubnetId=subnet(ec2), Groups=[used])["NetworkInterface"]["NetworkInterfaceId"]
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=used)
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    assert ec2.delete_security_group(GroupId=used)["GroupId"] == used


def test_the_group_of_a_running_instance_is_kept(cloud: ControlPlane) -> None:
    """DeleteSecurityGroup: "[...] associated with an instance [...] DependencyViolation."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
    """
    ec2 = cloud.client("ec2")
    used = group(ec2)
    asked = {"ImageId": "ami-0deb1300000000001", "MinCount": 1, "MaxCount": 1, "SubnetId": subnet(ec2)}
    instance = ec2.run_instances(SecurityGroupIds=[used], **asked)["Instances"][0]["InstanceId"]
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=used)
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.delete_security_group(GroupId=used)


def test_the_group_of_a_load_balancer_is_kept_while_its_interfaces_stay(cloud: ControlPlane) -> None:
    """DeleteSecurityGroup: DependencyViolation while an interface of the load balancer has the group; these
    interfaces, one for each subnet, are seen in DescribeNetworkInterfaces.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
    """
    ec2, elbv2 = cloud.client("ec2"), cloud.client("elbv2")
    used = group(ec2)
    subnets = [entry["SubnetId"] for entry in ec2.describe_subnets()["Subnets"][:2]]
    made = elbv2.create_load_balancer(Name="front", Subnets=subnets, SecurityGroups=[used])["LoadBalancers"][0]
    mine = [{"Name": "group-id", "Values": [used]}]
    found = ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]
    assert [eni["Description"][:14] for eni in found] == ["ELB app/front/"] * 2
    cloud.interfaces_linger = 60
    elbv2.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=used)
    cloud.clock.advance(60)
    assert ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"] == []
    ec2.delete_security_group(GroupId=used)


def test_the_default_group_is_kept(cloud: ControlPlane) -> None:
    """DeleteSecurityGroup: CannotDelete, "You cannot delete the 'default' security group in your VPC".

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    ec2 = cloud.client("ec2")
    default = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]["GroupId"]
    with refused("CannotDelete"):
        ec2.delete_security_group(GroupId=default)


def test_a_group_of_an_unconnected_vpc_is_no_source(cloud: ControlPlane) -> None:
    """AuthorizeSecurityGroupIngress: InvalidGroup.NotFound, "The specified security group does not exist. [...] You
    can't specify a security group that is in a different AWS Region or VPC than the request."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    ec2 = cloud.client("ec2")
    here, there = group(ec2, "here", vpc(ec2)), group(ec2, "there", vpc(ec2, "10.1.0.0/16"))
    with refused("InvalidGroup.NotFound", "different networks"):
        allow(ec2, here, permission(UserIdGroupPairs=[{"GroupId": there}]))


def peered(cloud: ControlPlane) -> tuple[str, str, str]:
    """A group, one of a peered VPC that refers to it, and the peering."""
    ec2 = cloud.client("ec2")
    home, away = vpc(ec2), vpc(ec2, "10.1.0.0/16")
    made = ec2.create_vpc_peering_connection(VpcId=home, PeerVpcId=away)["VpcPeeringConnection"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=made["VpcPeeringConnectionId"])
    used, user = group(ec2, "used", home), group(ec2, "user", away)
    allow(ec2, user, permission(UserIdGroupPairs=[{"GroupId": used}]))
    return used, user, made["VpcPeeringConnectionId"]


def test_references_from_a_peered_vpc_are_told(cloud: ControlPlane) -> None:
    """DescribeSecurityGroupReferences: "Describes the VPCs on the other side of a VPC peering or Transit Gateway
    connection that are referencing the security groups you've specified in this request."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupReferences.html
    """
    ec2 = cloud.client("ec2")
    used, user, peering = peered(cloud)
    vpcs = {found["GroupId"]: found["VpcId"] for found in ec2.describe_security_groups()["SecurityGroups"]}
    references = ec2.describe_security_group_references(GroupId=[used, user])["SecurityGroupReferenceSet"]
    assert references == [{"GroupId": used, "ReferencingVpcId": vpcs[user], "VpcPeeringConnectionId": peering}]


def test_a_group_that_only_a_peered_vpc_refers_to_goes_and_leaves_a_stale_rule(cloud: ControlPlane) -> None:
    """DescribeStaleSecurityGroups: "Rules are stale when they reference a deleted security group."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeStaleSecurityGroups.html
    """
    ec2 = cloud.client("ec2")
    used, user, _peering = peered(cloud)
    away = ec2.describe_security_groups(GroupIds=[user])["SecurityGroups"][0]["VpcId"]
    assert ec2.describe_stale_security_groups(VpcId=away)["StaleSecurityGroupSet"] == []
    ec2.delete_security_group(GroupId=used)
    (stale,) = ec2.describe_stale_security_groups(VpcId=away)["StaleSecurityGroupSet"]
    assert stale["GroupId"] == user
    assert stale["StaleIpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == used


def test_rules_over_a_deleted_peering_are_stale(cloud: ControlPlane) -> None:
    """DescribeStaleSecurityGroups: "Rules can also be stale if they reference a security group in a peer VPC for which
    the VPC peering connection has been deleted".

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeStaleSecurityGroups.html
    """
    ec2 = cloud.client("ec2")
    used, user, peering = peered(cloud)
    away = ec2.describe_security_groups(GroupIds=[user])["SecurityGroups"][0]["VpcId"]
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    assert [found["GroupId"] for found in ec2.describe_stale_security_groups(VpcId=away)["StaleSecurityGroupSet"]] == [
        user
    ]
    assert ec2.describe_security_group_references(GroupId=[used])["SecurityGroupReferenceSet"] == []


def test_what_is_described_exists_and_is_asked_for_by_known_filters(cloud: ControlPlane) -> None:
    """DescribeSecurityGroups: InvalidGroupId.Malformed, "The specified security group ID is malformed.";
    InvalidGroup.NotFound, "The specified security group does not exist."; InvalidParameterValue for an unknown filter.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    ec2 = cloud.client("ec2")
    with refused("InvalidGroup.NotFound", "'sg-0123456789abcdef0' does not exist"):
        ec2.describe_security_groups(GroupIds=["sg-0123456789abcdef0"])
    with refused("InvalidGroupId.Malformed"):
        ec2.describe_security_groups(GroupIds=["sg-xyz"])
    unknown = [{"Name": "unknown", "Values": ["x"]}]
    for describe in (ec2.describe_security_groups, ec2.describe_security_group_rules):
        with refused("InvalidParameterValue", "The filter 'unknown' is invalid"):
            describe(Filters=unknown)
