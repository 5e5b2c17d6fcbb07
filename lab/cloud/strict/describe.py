# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and rules as AWS shows them, with the descriptions of every kind of source.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict import rules
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.rules import SOURCES, Rule

PERMISSION_FILTERS = (
    "cidr",
    "from-port",
    "group-id",
    "group-name",
    "ipv6-cidr",
    "prefix-list-id",
    "protocol",
    "to-port",
    "user-id",
)
GROUP_FILTERS = (
    "description",
    "group-id",
    "group-name",
    "owner-id",
    "vpc-id",
    *(f"{direction}ip-permission.{name}" for direction in ("", "egress.") for name in PERMISSION_FILTERS),
)


@strict("ec2", "DescribeSecurityGroups")
def describe_security_groups(request: Request) -> Any:
    """moto finds and filters; what is shown is made here.

    InvalidGroupId.Malformed, InvalidGroup.NotFound:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    check_filters(request, GROUP_FILTERS)
    for group_id in request.parameters.get("GroupIds") or []:
        rules.find_group(request.ec2, {"GroupId": group_id})
    return {"SecurityGroups": [group(found) for found in request.proceed()["SecurityGroups"]]}


@strict("ec2", "DescribeSecurityGroupRules")
def describe_security_group_rules(request: Request) -> Any:
    """moto finds and filters; what is shown is made here."""
    check_filters(request, ("group-id", "security-group-rule-id"))
    return {"SecurityGroupRules": [rule(found) for found in request.proceed()["SecurityGroupRules"]]}


def check_filters(request: Request, known: tuple[str, ...]) -> None:
    """Refuse filters that the operation does not have."""
    for asked in request.parameters.get("Filters") or []:
        name = asked.get("Name")
        if name not in (*known, "tag-key") and not str(name).startswith("tag:"):
            raise refuse("InvalidParameterValue", f"The filter '{name}' is invalid")


def group(found: Any) -> dict[str, Any]:
    """A SecurityGroup of the API."""
    return {
        "GroupId": found.id,
        "GroupName": found.name,
        "Description": found.description,
        "OwnerId": found.owner_id,
        "VpcId": found.vpc_id,
        "SecurityGroupArn": found.arn,
        "Tags": tags(found),
        "IpPermissions": permissions([rules.of(stored) for stored in found.ingress_rules]),
        "IpPermissionsEgress": permissions([rules.of(stored) for stored in found.egress_rules]),
    }


def permissions(wanted: list[Rule]) -> list[dict[str, Any]]:
    """IpPermissions of the API: rules of the same traffic are one permission."""
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in wanted:
        traffic = (entry.protocol, entry.from_port, entry.to_port)
        permission = merged.setdefault(traffic, {"IpProtocol": entry.protocol, **ports(entry)})
        for key, name, kind in SOURCES:
            listed = permission.setdefault(key, [])
            if kind == entry.kind:
                listed.append({name: entry.source, **details(entry)})
    return list(merged.values())


def ports(entry: Rule) -> dict[str, Any]:
    return {} if entry.from_port is None else {"FromPort": entry.from_port, "ToPort": entry.to_port}


def details(entry: Rule) -> dict[str, Any]:
    return {
        **({"Description": entry.description} if entry.description else {}),
        **({"UserId": entry.account} if entry.account else {}),
    }


def rule(stored: Any) -> dict[str, Any]:
    """A SecurityGroupRule of the API; ports are -1 where they mean nothing."""
    entry = rules.of(stored)
    if entry.kind == "ReferencedGroupId":
        source: dict[str, Any] = {"ReferencedGroupInfo": {"GroupId": entry.source, "UserId": entry.account}}
    else:
        source = {entry.kind: entry.source}
    ec2 = stored.ec2_backend
    return {
        "SecurityGroupRuleId": stored.id,
        "SecurityGroupRuleArn": f"arn:aws:ec2:{ec2.region_name}:{ec2.account_id}:security-group-rule/{stored.id}",
        "GroupId": stored.group_id,
        "GroupOwnerId": stored.owner_id,
        "IsEgress": stored.is_egress,
        "IpProtocol": entry.protocol,
        "FromPort": -1 if entry.from_port is None else entry.from_port,
        "ToPort": -1 if entry.to_port is None else entry.to_port,
        "Description": entry.description,
        "Tags": tags(stored),
        **source,
    }


def tags(resource: Any) -> list[dict[str, str]]:
    """Tags of the API, by key."""
    found = {str(tag["key"]): str(tag["value"]) for tag in resource.get_tags()}
    return [{"Key": key, "Value": found[key]} for key in sorted(found)]
