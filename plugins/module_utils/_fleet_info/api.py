# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thin function per call of Auto Scaling that no module of amazon.aws makes."""

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import call


def describe_policies(client: Any, group: str) -> list[dict[str, Any]]:
    """The scaling policies of a group, from all pages."""
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = call(client.describe_policies, AutoScalingGroupName=group, **token)
        found += answer.get("ScalingPolicies") or []
        if not answer.get("NextToken"):
            return found
        token = {"NextToken": answer["NextToken"]}


def describe_activities(client: Any, group: str) -> list[dict[str, Any]]:
    """The last activities of a group, the newest first."""
    answer = call(client.describe_scaling_activities, AutoScalingGroupName=group, MaxRecords=50)
    return list(answer.get("Activities") or [])
