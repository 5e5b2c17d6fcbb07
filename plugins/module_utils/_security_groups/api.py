# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls to AWS, one function each: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError, call
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import rules
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    DEFAULT,
    Group,
    Rule,
    Rules,
    SecurityGroupsError,
    key,
)

Client = Any
# Items of one page: the most that DescribeSecurityGroups gives.
PAGE = 1000
# Values that one filter takes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html
VALUES = 200
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
QUOTA = {"ServiceCode": "vpc", "QuotaCode": "L-0EA8095F"}


def _pages(method: Callable[..., Any], items: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    token: dict[str, Any] = {}
    while True:
        answer = call(method, **arguments, MaxResults=PAGE, **token)
        yield from answer.get(items) or []
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}


def groups(ec2: Client, vpc_id: str, account: Callable[[], str] | None = None) -> dict[str, Group]:
    """This account's groups of a VPC by the keys of their names.

    In a shared VPC groups of other accounts may be listed as well. ``account`` is asked for this account's id where
    the VPC's default group, which is never shared, does not tell it; without it all groups are taken.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-sharing.html
    """
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    told = list(_pages(ec2.describe_security_groups, "SecurityGroups", Filters=filters))
    owners = {str(item.get("OwnerId") or "") for item in told}
    own = {str(item.get("OwnerId") or "") for item in told if key(item["GroupName"]) == DEFAULT}
    if told and not own and account:
        own = {account()}
    told = [item for item in told if str(item.get("OwnerId") or "") in (own or owners)]
    names = {item["GroupId"]: (item["GroupName"], str(item.get("OwnerId") or "")) for item in told}
    return _by_key(_group(ec2, item, names) for item in told)


def _by_key(told: Iterable[Group]) -> dict[str, Group]:
    """Raises SecurityGroupsError for two groups of one name, which nobody could tell apart."""
    found: dict[str, Group] = {}
    for group in told:
        other = found.setdefault(group.key, group)
        if other is not group:
            raise SecurityGroupsError(
                f"{other.id} ('{other.name}') and {group.id} ('{group.name}') differ in the case of their names alone, "
                "and names are compared without regard to case: delete one of them, or make it anew by another name"
            )
    return found


def exists(ec2: Client, vpc_id: str) -> bool:
    """Whether there is such a VPC, own or shared with this account."""
    try:
        return bool(call(ec2.describe_vpcs, VpcIds=[vpc_id])["Vpcs"])
    except AwsError as error:
        if error.code == "InvalidVpcID.NotFound":
            return False
        raise


def account(sts: Client) -> str:
    """The id of this account: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html."""
    return str(call(sts.get_caller_identity)["Account"])


def _group(ec2: Client, told: Mapping[str, Any], names: Mapping[str, tuple[str, str]]) -> Group:
    account = str(told.get("OwnerId") or "")
    return Group(
        name=told["GroupName"],
        id=told["GroupId"],
        description=str(told.get("Description") or ""),
        arn=str(told.get("SecurityGroupArn") or "") or _arn(ec2, account, told["GroupId"]),
        account=account,
        tags={tag["Key"]: str(tag.get("Value") or "") for tag in told.get("Tags") or ()},
        ingress=rules.from_permissions(told.get("IpPermissions") or (), names),
        egress=rules.from_permissions(told.get("IpPermissionsEgress") or (), names),
    )


def _arn(ec2: Client, account: str, group_id: str) -> str:
    return f"arn:{ec2.meta.partition}:ec2:{ec2.meta.region_name}:{account}:security-group/{group_id}"


def has_ipv6(ec2: Client, vpc_id: str) -> bool:
    """Whether a VPC has an IPv6 range, so that its new groups may send to ::/0 as well."""
    vpcs = call(ec2.describe_vpcs, VpcIds=[vpc_id])["Vpcs"]
    associated = [item for vpc in vpcs for item in vpc.get("Ipv6CidrBlockAssociationSet") or ()]
    return any((item.get("Ipv6CidrBlockState") or {}).get("State", "associated") == "associated" for item in associated)


def create(ec2: Client, vpc_id: str, group: Group) -> str:
    """Create a group with its tags; returns its id."""
    tagged = {"TagSpecifications": [{"ResourceType": "security-group", "Tags": tag_list(group.tags)}]}
    answer = call(
        ec2.create_security_group,
        VpcId=vpc_id,
        GroupName=group.name,
        Description=group.description,
        **(tagged if group.tags else {}),
    )
    return str(answer["GroupId"])


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in sorted(tags.items())]


def set_tags(ec2: Client, group_id: str, tags: Mapping[str, str]) -> None:
    call(ec2.create_tags, Resources=[group_id], Tags=tag_list(tags))


def remove_tags(ec2: Client, group_id: str, tags: Iterable[str]) -> None:
    call(ec2.delete_tags, Resources=[group_id], Tags=[{"Key": name} for name in sorted(tags)])


def authorize(ec2: Client, direction: str, group_id: str, added: Rules, ids: Mapping[str, str]) -> None:
    method = getattr(ec2, f"authorize_security_group_{direction}")
    call(method, GroupId=group_id, IpPermissions=rules.to_permissions(added, ids))


def describe(ec2: Client, direction: str, group_id: str, described: Rules, ids: Mapping[str, str]) -> None:
    """Give rules their descriptions; one that is left out becomes the empty one."""
    method = getattr(ec2, f"update_security_group_rule_descriptions_{direction}")
    call(method, GroupId=group_id, IpPermissions=rules.to_permissions(described, ids))


def revoke(ec2: Client, direction: str, group_id: str, gone: Rules, ids: Mapping[str, str]) -> None:
    """Remove rules. In a default VPC AWS tells those that it does not know instead of refusing: that raises as well."""
    method = getattr(ec2, f"revoke_security_group_{direction}")
    answer = call(method, GroupId=group_id, IpPermissions=rules.to_permissions(gone, ids, described=False))
    if answer.get("UnknownIpPermissions"):
        operation = f"RevokeSecurityGroup{direction.capitalize()}"
        raise AwsError(operation, f"{group_id} has other rules than it had", code="InvalidPermission.NotFound")


def which_exist(ec2: Client, group_ids: Iterable[str]) -> set[str]:
    """Those of the groups that there are, in any VPC of the account; a filter leaves out what is not there."""
    wanted = sorted(group_ids)
    found: set[str] = set()
    for start in range(0, len(wanted), VALUES):
        filters = [{"Name": "group-id", "Values": wanted[start : start + VALUES]}]
        found |= {item["GroupId"] for item in _pages(ec2.describe_security_groups, "SecurityGroups", Filters=filters)}
    return found


def rule_ids(ec2: Client, group_id: str, direction: str, names: Mapping[str, tuple[str, str]]) -> dict[Rule, str]:
    """Ids of the rules of one direction of a group."""
    filters = [{"Name": "group-id", "Values": [group_id]}]
    told = _pages(ec2.describe_security_group_rules, "SecurityGroupRules", Filters=filters)
    egress = direction == "egress"
    return {rules.from_rule(item, names): item["SecurityGroupRuleId"] for item in told if item["IsEgress"] is egress}


def modify(ec2: Client, group_id: str, requests: Mapping[str, Mapping[str, Any]]) -> None:
    """Turn rules, by their ids, into others in place."""
    told = [{"SecurityGroupRuleId": rule, "SecurityGroupRule": request} for rule, request in requests.items()]
    call(ec2.modify_security_group_rules, GroupId=group_id, SecurityGroupRules=told)


def delete(ec2: Client, group_id: str) -> None:
    call(ec2.delete_security_group, GroupId=group_id)


def interfaces(ec2: Client, group_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The network interfaces that use one of the groups."""
    wanted = sorted(group_ids)
    found: list[dict[str, Any]] = []
    for start in range(0, len(wanted), VALUES):
        filters = [{"Name": "group-id", "Values": wanted[start : start + VALUES]}]
        found += _pages(ec2.describe_network_interfaces, "NetworkInterfaces", Filters=filters)
    return found


def references(ec2: Client, group_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Where other VPCs refer to the groups, over a peering or a transit gateway."""
    answer = call(ec2.describe_security_group_references, GroupId=sorted(group_ids))
    return list(answer.get("SecurityGroupReferenceSet") or [])


def quota(service_quotas: Client) -> int:
    """How many rules a direction of a group may have, per address family."""
    return int(call(service_quotas.get_service_quota, **QUOTA)["Quota"]["Value"])


def prefix_lists(ec2: Client, ids: Iterable[str]) -> list[dict[str, Any]]:
    """Prefix lists with their names, address families and, where they are the customer's, their sizes."""
    filters = [{"Name": "prefix-list-id", "Values": sorted(ids)}]
    answer = call(ec2.describe_managed_prefix_lists, Filters=filters)
    return list(answer.get("PrefixLists") or [])
