# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the target groups of a platform to the declared state: the one place that sees plan and API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import side_by_side
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries, reached
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.naming import common_beginning
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups import api
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.model import (
    OWNER,
    TargetGroup,
    TargetGroupsError,
    from_api,
    from_params,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.plan import Plan, names, plan

# What the API answers for a while about a group that nothing leads to any more.
IN_USE = "ResourceInUse"


def bring_to_state(params: Mapping[str, Any], elbv2: Any, retries: Retries, check_mode: bool) -> dict[str, Any]:
    """Read, plan and change; where a call's fate is unknown, once more from the reading.

    Raises TargetGroupsError, before anything was changed, and AwsError.
    """
    wanted = from_params(params) if params["state"] == "present" else []
    purge = params["purge"] or params["state"] == "absent"
    first: tuple[list[TargetGroup], Plan] | None = None
    while True:
        current = retries.reading(lambda: _read(params["platform"], wanted, elbv2))
        planned = plan(current, wanted, purge)
        first = first or (current, planned)
        with retries.patience(), reached():
            made = {} if check_mode else _carry_out(planned, elbv2)
            return _result(*first, planned, made)


def _read(platform: str, wanted: Sequence[TargetGroup], elbv2: Any) -> list[TargetGroup]:
    """The platform's own groups."""
    beginning = common_beginning(platform)
    there = [told for told in api.describe_groups(elbv2) if told["TargetGroupName"].startswith(beginning)]
    tags = api.describe_tags(elbv2, [told["TargetGroupArn"] for told in there])
    own = [told for told in there if tags.get(told["TargetGroupArn"], {}).get(OWNER) == platform]
    ours = {told["TargetGroupArn"] for told in own}
    in_the_way = {told["TargetGroupName"] for told in there if told["TargetGroupArn"] not in ours} & set(names(wanted))
    if in_the_way:
        raise TargetGroupsError(
            "\n".join(
                f"there is a target group {name} that does not carry the tag {OWNER}: {platform}, so that it is not "
                "this platform's: remove it, or give the service or the platform another name"
                for name in sorted(in_the_way)
            )
        )
    answers = side_by_side(lambda arn: api.describe_attributes(elbv2, arn), sorted(ours))
    for _arn, _found, error in answers:
        if error:
            raise error
    attributes = {arn: found or {} for arn, found, _error in answers}
    return [from_api(told, tags[told["TargetGroupArn"]], attributes[told["TargetGroupArn"]]) for told in own]


def _carry_out(planned: Plan, elbv2: Any) -> dict[str, str]:
    """Add before remove; returns the ARNs of new groups by their names."""
    made: dict[str, str] = {}
    for group in planned.create:
        made[group.name] = api.create_group(elbv2, group)
        api.modify_attributes(elbv2, made[group.name], group.attributes)
    for change in planned.change:
        arn = change.group.arn
        if change.check:
            api.modify_check(elbv2, arn, change.check)
        if change.attributes:
            api.modify_attributes(elbv2, arn, change.attributes)
        if change.tags:
            api.add_tags(elbv2, arn, change.tags)
    for group in planned.remove:
        _delete(group, elbv2)
    return made


def _delete(group: TargetGroup, elbv2: Any) -> None:
    try:
        api.delete_group(elbv2, group.arn)
    except AwsError as error:
        raise error.but(message=f"{group.name}: {error.message}", passing=error.code == IN_USE) from error


def _result(before: Sequence[TargetGroup], first: Plan, planned: Plan, made: Mapping[str, str]) -> dict[str, Any]:
    """What a plan did; ``first`` is that of the first attempt, ``planned`` the last one's."""
    there = [*(change.group for change in planned.kept), *planned.create]
    return {
        "changed": first.changed,
        "plan": first.sentences(),
        "diff": {"before": _text(before), "after": _text(first.after())},
        "groups": {
            group.service: {
                "name": group.name,
                "arn": group.arn or made.get(group.name, ""),
                "port": group.fixed["Port"],
            }
            for group in there
        },
        "obsolete": [
            {"service": group.service, "name": group.name, "arn": group.arn, "port": group.fixed["Port"]}
            for group in planned.obsolete
        ],
    }


def _text(groups: Sequence[TargetGroup]) -> str:
    lines = [line for group in sorted(groups, key=lambda group: group.name) for line in group.lines()]
    return "".join(f"{line}\n" for line in lines)
