# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thin function per call of Auto Scaling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import call
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock.model import Group


def describe(client: Any, names: Sequence[str]) -> dict[str, Group]:
    """The groups by their names; those that do not exist are left out."""
    found: dict[str, Group] = {}
    token: dict[str, str] = {}
    while True:
        answer = call(client.describe_auto_scaling_groups, AutoScalingGroupNames=list(names), **token)
        for told in answer["AutoScalingGroups"]:
            found[told["AutoScalingGroupName"]] = Group.from_api(told)
        if not answer.get("NextToken"):
            return found
        token = {"NextToken": answer["NextToken"]}


def tag(client: Any, group: str, tags: Iterable[tuple[str, str]]) -> None:
    """Set tags of the group, and of none of its instances."""
    call(client.create_or_update_tags, Tags=[{**_key(group, key), "Value": value} for key, value in tags])


def untag(client: Any, group: str, keys: Iterable[str]) -> None:
    """Remove tags."""
    call(client.delete_tags, Tags=[_key(group, key) for key in keys])


def suspend(client: Any, group: str, processes: Iterable[str]) -> None:
    """Let processes stand still."""
    call(client.suspend_processes, AutoScalingGroupName=group, ScalingProcesses=sorted(processes))


def resume(client: Any, group: str, processes: Iterable[str]) -> None:
    """Let processes go on."""
    call(client.resume_processes, AutoScalingGroupName=group, ScalingProcesses=sorted(processes))


def _key(group: str, key: str) -> dict[str, Any]:
    return {"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": key, "PropagateAtLaunch": False}
