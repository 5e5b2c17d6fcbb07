# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules: added whole or not at all, in canonical form, changed in place."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.account import allow, group, ingress, permission, prefix_list, refused, rules, vpc

ELSEWHERE = "pl-0123456789abcdef0"


def test_a_duplicate_within_a_request_rejects_it_whole(cloud: ControlPlane) -> None:
    """AuthorizeSecurityGroupIngress: InvalidParameterValue, "The same permission must not appear multiple times", and
    nothing is added.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    with refused("InvalidParameterValue", "must not appear multiple times"):
        allow(ec2, made, permission("10.0.0.0/8", "10.1.0.0/8"))
    assert ingress(ec2, made) == []


def test_a_duplicate_of_a_rule_rejects_the_request_whole(cloud: ControlPlane) -> None:
    """AuthorizeSecurityGroupIngress: InvalidPermission.Duplicate, "The specified inbound or outbound rule already
    exists for that security group", and nothing is added; whatever the descriptions.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    ec2 = cloud.client("ec2")
    made, other = group(ec2), group(ec2, "other")
    pair = {"GroupId": other, "Description": "first"}
    allow(ec2, made, permission(UserIdGroupPairs=[pair]))
    with refused("InvalidPermission.Duplicate"):
        allow(ec2, made, permission("10.0.0.0/8", UserIdGroupPairs=[{**pair, "Description": "second"}]))
    assert [found["IpRanges"] for found in ingress(ec2, made)] == [[]]


def test_ranges_are_kept_in_canonical_form(cloud: ControlPlane) -> None:
    """AuthorizeSecurityGroupIngress, CidrIp: "AWS canonicalizes IPv4 and IPv6 CIDRs. For example, if you specify
    100.68.0.18/18 for the CIDR block, AWS canonicalizes the CIDR block to 100.68.0.0/18."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    source = {"CidrIpv6": "2001:DB8:0:0::1/64"}
    added = allow(ec2, made, permission("10.1.2.3/16", Ipv6Ranges=[source]))
    assert [(rule.get("CidrIpv4"), rule.get("CidrIpv6")) for rule in added] == [
        ("10.1.0.0/16", None),
        (None, "2001:db8::/64"),
    ]
    (found,) = ingress(ec2, made)
    assert (found["IpRanges"], found["Ipv6Ranges"]) == ([{"CidrIp": "10.1.0.0/16"}], [{"CidrIpv6": "2001:db8::/64"}])
    with refused("InvalidPermission.Duplicate"):
        allow(ec2, made, permission("10.1.9.9/16"))


@pytest.mark.parametrize(("number", "name"), [("6", "tcp"), ("1", "icmp"), ("TCP", "tcp")])
def test_protocols_are_kept_by_name_and_need_their_ports(cloud: ControlPlane, number: str, name: str) -> None:
    """IpPermission, IpProtocol: "The IP protocol name (tcp, udp, icmp, icmpv6) or number";
    AuthorizeSecurityGroupIngress: "If the protocol is TCP or UDP, you must also specify a port or port range."
    InvalidParameterValue

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    allow(ec2, made, {**permission("10.0.0.0/8"), "IpProtocol": number})
    assert [found["IpProtocol"] for found in ingress(ec2, made)] == [name]
    with refused("InvalidParameterValue", "port"):
        allow(ec2, made, {"IpProtocol": number, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]})


def test_icmpv6_without_ports_is_all_of_it(cloud: ControlPlane) -> None:
    """IpPermission, IpProtocol: "For icmpv6, the port range is optional; if you omit the port range, traffic for all
    types and codes is allowed."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    source = [{"CidrIpv6": "::/0"}]
    allow(ec2, made, {"IpProtocol": "icmpv6", "Ipv6Ranges": source})
    with refused("InvalidPermission.Duplicate"):
        allow(ec2, made, {"IpProtocol": "58", "FromPort": -1, "ToPort": -1, "Ipv6Ranges": source})


def test_ports_of_other_protocols_mean_nothing(cloud: ControlPlane) -> None:
    """AuthorizeSecurityGroupIngress, IpProtocol: "If you specify a protocol other than one of the supported values,
    traffic is allowed on all ports, regardless of any ports that you specify."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    allow(ec2, made, {**permission("10.0.0.0/8"), "IpProtocol": "50"})
    assert "FromPort" not in ingress(ec2, made)[0]
    with refused("InvalidPermission.Duplicate"):
        allow(ec2, made, {"IpProtocol": "50", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]})


def test_all_added_rules_are_answered(cloud: ControlPlane) -> None:
    """AuthorizeSecurityGroupIngress, SecurityGroupRules: "Information about the inbound (ingress) security group rules
    that were added", of all permissions of the request.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
    """
    ec2 = cloud.client("ec2")
    added = allow(ec2, group(ec2), permission("10.0.0.0/8"), permission("10.0.0.0/8", port=81))
    assert [rule["FromPort"] for rule in added] == [80, 81]


def test_an_unknown_prefix_list_is_refused(cloud: ControlPlane) -> None:
    """AuthorizeSecurityGroupIngress: InvalidPrefixListID.NotFound, "The specified prefix list ID does not exist", and
    nothing is added.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    with refused("InvalidPrefixListID.NotFound"):
        allow(ec2, made, permission("10.0.0.0/8", PrefixListIds=[{"PrefixListId": ELSEWHERE}]))
    assert ingress(ec2, made) == []
    with refused("InvalidPrefixListID.NotFound"):
        ec2.describe_managed_prefix_lists(PrefixListIds=[ELSEWHERE])


def test_revoking_needs_no_description(cloud: ControlPlane) -> None:
    """RevokeSecurityGroupIngress: "If the security group rule has a description, you do not need to specify the
    description to revoke the rule."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    allow(ec2, made, permission(UserIdGroupPairs=[{"GroupId": made, "Description": "itself"}]))
    bare = permission(UserIdGroupPairs=[{"GroupId": made}])
    answer = ec2.revoke_security_group_ingress(GroupId=made, IpPermissions=[bare])
    assert len(answer["RevokedSecurityGroupRules"]) == 1
    assert ingress(ec2, made) == []


def test_revoking_what_is_not_there_is_no_error_in_the_default_vpc(cloud: ControlPlane) -> None:
    """RevokeSecurityGroupIngress: "For a default VPC, if the values you specify do not match the existing rule's
    values, no error is returned, and the output describes the security group rules that were not revoked."; elsewhere
    InvalidPermission.NotFound.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
    """
    ec2 = cloud.client("ec2")
    here, there = group(ec2), group(ec2, vpc_id=vpc(ec2))
    unknown = permission("10.0.0.0/8")
    answer = ec2.revoke_security_group_ingress(GroupId=here, IpPermissions=[unknown])
    assert answer["UnknownIpPermissions"][0]["IpRanges"] == unknown["IpRanges"]
    with refused("InvalidPermission.NotFound"):
        ec2.revoke_security_group_ingress(GroupId=there, IpPermissions=[unknown])


def sources(ec2: Any, made: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """For every kind of source: a permission, and the change to another source of that kind."""
    other, third = group(ec2, "other"), group(ec2, "third")
    lists = prefix_list(ec2, 1), prefix_list(ec2, 1)
    return {
        "CidrIpv4": (permission("10.0.0.0/8"), {"CidrIpv4": "192.168.1.1/16"}),
        "CidrIpv6": (permission(Ipv6Ranges=[{"CidrIpv6": "::/0"}]), {"CidrIpv6": "2001:db8::/32"}),
        "PrefixListId": (permission(PrefixListIds=[{"PrefixListId": lists[0]}]), {"PrefixListId": lists[1]}),
        "ReferencedGroupId": (permission(UserIdGroupPairs=[{"GroupId": other}]), {"ReferencedGroupId": third}),
        "itself": (permission(UserIdGroupPairs=[{"GroupId": made}]), {"ReferencedGroupId": third}),
    }


def changed(rule: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A SecurityGroupRuleUpdate to port 81 and another source."""
    wanted = {"IpProtocol": "tcp", "FromPort": 81, "ToPort": 81, "Description": "changed", **change}
    return {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "SecurityGroupRule": wanted}


@pytest.mark.parametrize("kind", ["CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId", "itself"])
def test_a_rule_is_changed_in_place(cloud: ControlPlane, kind: str) -> None:
    """ModifySecurityGroupRules: "Modifies the rules of a security group", of any kind of source, with description.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    before, change = sources(ec2, made)[kind]
    (rule,) = allow(ec2, made, before)
    ec2.modify_security_group_rules(GroupId=made, SecurityGroupRules=[changed(rule, change)])
    (after,) = rules(ec2, made)
    assert after["SecurityGroupRuleId"] == rule["SecurityGroupRuleId"]
    assert (after["FromPort"], after["Description"]) == (81, "changed")
    shown = after.get("ReferencedGroupInfo", {}).get("GroupId") or after.get(kind)
    assert shown == {"CidrIpv4": "192.168.0.0/16"}.get(kind, next(iter(change.values())))


@pytest.mark.parametrize("kind", ["CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId"])
def test_a_rule_keeps_its_kind_of_source(cloud: ControlPlane, kind: str) -> None:
    """ModifySecurityGroupRules: InvalidParameterValue, "You may not specify a referenced group id for an existing IPv4
    CIDR rule", and likewise for every other kind; nothing is changed.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    kinds = sources(ec2, made)
    allow(ec2, made, kinds[kind][0], permission("10.9.0.0/16"))
    added = sorted(rules(ec2, made), key=lambda rule: rule.get("CidrIpv4") == "10.9.0.0/16")
    for other in {"CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId"} - {kind}:
        updates = [changed(added[1], {"CidrIpv4": "10.8.0.0/16"}), changed(added[0], kinds[other][1])]
        with refused("InvalidParameterValue", "You may not specify"):
            ec2.modify_security_group_rules(GroupId=made, SecurityGroupRules=updates)
    assert {rule["FromPort"] for rule in rules(ec2, made)} == {80}


def test_a_rule_cannot_become_another(cloud: ControlPlane) -> None:
    """ModifySecurityGroupRules: InvalidPermission.Duplicate, "The specified inbound or outbound rule already exists for
    that security group."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    allow(ec2, made, permission("10.0.0.0/8"), permission("10.0.0.0/8", port=81))
    (first,) = [rule for rule in rules(ec2, made) if rule["FromPort"] == 80]
    with refused("InvalidPermission.Duplicate"):
        ec2.modify_security_group_rules(GroupId=made, SecurityGroupRules=[changed(first, {"CidrIpv4": "10.0.0.0/8"})])


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize("key", ["IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"])
def test_descriptions_are_changed_and_removed(cloud: ControlPlane, direction: str, key: str) -> None:
    """UpdateSecurityGroupRuleDescriptionsIngress: "You can replace an existing description, or add a description to a
    rule that did not have one previously. You can remove a description for a security group rule by omitting the
    description parameter in the request." "Return: Returns true if the request succeeds".

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html
    """
    ec2 = cloud.client("ec2")
    made = group(ec2)
    source = {
        "IpRanges": {"CidrIp": "10.0.0.0/8"},
        "Ipv6Ranges": {"CidrIpv6": "2001:db8::/32"},
        "PrefixListIds": {"PrefixListId": prefix_list(ec2, 1)},
        "UserIdGroupPairs": {"GroupId": group(ec2, "other")},
    }[key]
    authorize = getattr(ec2, f"authorize_security_group_{direction}")
    update = getattr(ec2, f"update_security_group_rule_descriptions_{direction}")
    added = authorize(GroupId=made, IpPermissions=[permission(**{key: [{**source, "Description": "old"}]})])
    rule_id = added["SecurityGroupRules"][0]["SecurityGroupRuleId"]

    def shown() -> tuple[str | None, str | None]:
        (rule,) = [one for one in rules(ec2, made, direction == "egress") if one["SecurityGroupRuleId"] == rule_id]
        found = ec2.describe_security_groups(GroupIds=[made])["SecurityGroups"][0]
        permissions = found["IpPermissions" if direction == "ingress" else "IpPermissionsEgress"]
        (entry,) = [entry for one in permissions if one.get("FromPort") == 80 for entry in one[key]]
        return rule.get("Description"), entry.get("Description")

    assert shown() == ("old", "old")
    for text in ({"Description": "new"}, {}):
        assert update(GroupId=made, IpPermissions=[permission(**{key: [{**source, **text}]})]).get("Return") is True
        assert shown() == (text.get("Description"), text.get("Description"))
    by_id = [{"SecurityGroupRuleId": rule_id, "Description": "by id"}]
    assert update(GroupId=made, SecurityGroupRuleDescriptions=by_id).get("Return") is True
    assert shown() == ("by id", "by id")


def test_a_description_needs_its_rule(cloud: ControlPlane) -> None:
    """UpdateSecurityGroupRuleDescriptionsIngress: InvalidPermission.NotFound, "The specified rule does not exist in
    this security group."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    ec2 = cloud.client("ec2")
    with refused("InvalidPermission.NotFound"):
        ec2.update_security_group_rule_descriptions_ingress(
            GroupId=group(ec2), IpPermissions=[permission("10.0.0.0/8")]
        )


def test_members_of_a_default_group_reach_each_other(cloud: ControlPlane) -> None:
    """CreateSecurityGroup: "A default security group includes a default rule that grants instances unrestricted network
    access to each other"; it can be revoked.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    """
    ec2 = cloud.client("ec2")
    mine = [{"Name": "vpc-id", "Values": [vpc(ec2)]}]
    (default,) = ec2.describe_security_groups(Filters=mine)["SecurityGroups"]
    assert len(default["IpPermissions"]) == 1
    found = default["IpPermissions"][0]
    assert (found["IpProtocol"], found["UserIdGroupPairs"][0]["GroupId"]) == ("-1", default["GroupId"])
    ec2.revoke_security_group_ingress(GroupId=default["GroupId"], IpPermissions=[found])
    assert ingress(ec2, default["GroupId"]) == []
