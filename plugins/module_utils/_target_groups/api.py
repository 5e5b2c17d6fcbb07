# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls, one function each. They raise AwsError; nothing is asked twice here.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import call
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.model import TargetGroup

GROUPS_A_PAGE = 400
# "You can specify up to 20 resources in a single call."
RESOURCES_A_CALL = 20


def describe_groups(elbv2: Any) -> list[dict[str, Any]]:
    """Every group of the region: the API does not filter by tags."""
    found: list[dict[str, Any]] = []
    arguments: dict[str, Any] = {"PageSize": GROUPS_A_PAGE}
    while True:
        page = call(elbv2.describe_target_groups, **arguments)
        found += page["TargetGroups"]
        if not page.get("NextMarker"):
            return found
        arguments["Marker"] = page["NextMarker"]


def describe_tags(elbv2: Any, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """By ARN, the tags."""
    found: dict[str, dict[str, str]] = {}
    for start in range(0, len(arns), RESOURCES_A_CALL):
        answer = call(elbv2.describe_tags, ResourceArns=list(arns[start : start + RESOURCES_A_CALL]))
        for told in answer["TagDescriptions"]:
            found[told["ResourceArn"]] = {tag["Key"]: tag.get("Value", "") for tag in told["Tags"]}
    return found


def describe_attributes(elbv2: Any, arn: str) -> dict[str, str]:
    answer = call(elbv2.describe_target_group_attributes, TargetGroupArn=arn)
    return {told["Key"]: str(told["Value"]) for told in answer["Attributes"]}


def create_group(elbv2: Any, group: TargetGroup) -> str:
    """Returns the ARN. "This operation is idempotent": the same group once more is no error."""
    fixed = {key: value for key, value in group.fixed.items() if value is not None}
    answer = call(elbv2.create_target_group, Name=group.name, **fixed, **group.check, Tags=_pairs(group.tags))
    return str(answer["TargetGroups"][0]["TargetGroupArn"])


def modify_check(elbv2: Any, arn: str, check: Mapping[str, Any]) -> None:
    call(elbv2.modify_target_group, TargetGroupArn=arn, **check)


def modify_attributes(elbv2: Any, arn: str, attributes: Mapping[str, str]) -> None:
    call(elbv2.modify_target_group_attributes, TargetGroupArn=arn, Attributes=_pairs(attributes))


def add_tags(elbv2: Any, arn: str, tags: Mapping[str, str]) -> None:
    call(elbv2.add_tags, ResourceArns=[arn], Tags=_pairs(tags))


def delete_group(elbv2: Any, arn: str) -> None:
    call(elbv2.delete_target_group, TargetGroupArn=arn)


def _pairs(settings: Mapping[str, str]) -> list[dict[str, str]]:
    pairs: Iterable[tuple[str, str]] = sorted(settings.items())
    return [{"Key": key, "Value": str(value)} for key, value in pairs]
