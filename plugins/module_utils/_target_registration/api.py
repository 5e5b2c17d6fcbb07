# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls, one function each. They raise AwsError; nothing is asked twice here.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import call
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Health,
    Target,
    TargetGroup,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.shapes import (
    group_from_api,
    target_to_api,
    targets_from_api,
)

# "You cannot describe more than '20' target groups at a time", says the API, and its reference nothing.
GROUPS_A_CALL = 20
GROUPS_A_PAGE = 400
# The reference names no limit; what AWS's own load balancer controller sends in one call.
TARGETS_A_CALL = 200
# "You can specify up to 200 values for each filter":
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
FILTER_VALUES = 200
# A filter's name, as EC2 has it, and its values.
Filters = Mapping[str, Sequence[str]]
DELAY = "deregistration_delay.timeout_seconds"


def describe_named_groups(elbv2: Any, names: Sequence[str]) -> list[TargetGroup]:
    """The groups of these names; AwsError TargetGroupNotFound, which does not say which, where one is missing."""
    found: list[TargetGroup] = []
    for start in range(0, len(names), GROUPS_A_CALL):
        part = list(names[start : start + GROUPS_A_CALL])
        pages = _pages(elbv2.describe_target_groups, "Marker", "NextMarker", Names=part)
        found += [group_from_api(told) for page in pages for told in page["TargetGroups"]]
    return found


def describe_all_groups(elbv2: Any) -> list[TargetGroup]:
    """Every group of the region."""
    pages = _pages(elbv2.describe_target_groups, "Marker", "NextMarker", PageSize=GROUPS_A_PAGE)
    return [group_from_api(told) for page in pages for told in page["TargetGroups"]]


def describe_targets(elbv2: Any, group: TargetGroup) -> dict[Target, Health]:
    """All targets of a group, draining ones included, however many: DescribeTargetHealth has no pages."""
    answer = call(elbv2.describe_target_health, TargetGroupArn=group.arn)
    return targets_from_api(answer["TargetHealthDescriptions"], group)


def describe_delay(elbv2: Any, group: TargetGroup) -> int:
    """Seconds for which a deregistered target drains; functions do not."""
    answer = call(elbv2.describe_target_group_attributes, TargetGroupArn=group.arn)
    return int({told["Key"]: told["Value"] for told in answer["Attributes"]}.get(DELAY) or 0)


def register(elbv2: Any, group: TargetGroup, targets: Sequence[Target], zones: Mapping[Target, str]) -> None:
    """Register targets in a group, TARGETS_A_CALL at most."""
    call(elbv2.register_targets, TargetGroupArn=group.arn, Targets=_told(targets, zones))


def deregister(elbv2: Any, group: TargetGroup, targets: Sequence[Target], zones: Mapping[Target, str]) -> None:
    """Deregister targets from a group, TARGETS_A_CALL at most; one that is not there is no error."""
    call(elbv2.deregister_targets, TargetGroupArn=group.arn, Targets=_told(targets, zones))


def describe_load_balancers(elbv2: Any, arns: Sequence[str]) -> list[dict[str, Any]]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html"""
    pages = _pages(elbv2.describe_load_balancers, "Marker", "NextMarker", LoadBalancerArns=list(arns))
    return [told for page in pages for told in page["LoadBalancers"]]


def describe_subnets(ec2: Any, filters: Filters) -> list[dict[str, Any]]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html"""
    return _described(ec2.describe_subnets, "Subnets", filters)


def describe_instances(ec2: Any, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Those of the instances that exist.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
    """
    reservations = _described(ec2.describe_instances, "Reservations", {"instance-id": ids})
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def describe_interfaces(ec2: Any, filters: Filters) -> list[dict[str, Any]]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html"""
    return _described(ec2.describe_network_interfaces, "NetworkInterfaces", filters)


def describe_security_groups(ec2: Any, filters: Filters) -> list[dict[str, Any]]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html"""
    return _described(ec2.describe_security_groups, "SecurityGroups", filters)


def _described(method: Any, key: str, filters: Filters) -> list[dict[str, Any]]:
    pages = (page for part in _selections(filters) for page in _pages(method, "NextToken", "NextToken", Filters=part))
    return [item for page in pages for item in page[key]]


def _selections(filters: Filters) -> Iterator[list[dict[str, Any]]]:
    """Filters that together select what these do, none with more values than EC2 takes."""
    parts = (
        [
            {"Name": name, "Values": list(values[start : start + FILTER_VALUES])}
            for start in range(0, len(values), FILTER_VALUES)
        ]
        for name, values in filters.items()
    )
    yield from map(list, itertools.product(*parts))


def _told(targets: Sequence[Target], zones: Mapping[Target, str]) -> list[dict[str, Any]]:
    return [target_to_api(target, zones.get(target, "")) for target in targets]


def _pages(method: Any, sent: str, told: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    while True:
        page = call(method, **arguments)
        yield page
        if not page.get(told):
            return
        arguments[sent] = page[told]
