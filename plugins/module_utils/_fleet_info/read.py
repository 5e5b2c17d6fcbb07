# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scaling policies and the last failed activity of Auto Scaling groups; only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import side_by_side
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_info import api

# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html
FAILED = ("Failed", "Cancelled")


def read(client: Any, groups: Iterable[str], retries: Retries) -> dict[str, Any]:
    """The module's result; raises AwsError."""

    def fleet(group: str) -> dict[str, Any]:
        policies = retries.reading(lambda: api.describe_policies(client, group))
        activities = retries.reading(lambda: api.describe_activities(client, group))
        return {"policies": [policy(one) for one in policies], "failed_activity": failed(activities)}

    policies: dict[str, Any] = {}
    failures: dict[str, str] = {}
    for group, told, error in side_by_side(fleet, sorted(set(groups))):
        if error:
            raise error
        if told is not None:
            policies[group], failures[group] = told["policies"], told["failed_activity"]
    return {"policies": policies, "failed_activities": failures}


def policy(told: Mapping[str, Any]) -> dict[str, Any]:
    """A scaling policy in the words that fleets are declared with; metric and target are empty for other kinds."""
    tracking = told.get("TargetTrackingConfiguration") or {}
    metric = tracking.get("PredefinedMetricSpecification") or {}
    return {
        "name": told["PolicyName"],
        "kind": told.get("PolicyType") or "SimpleScaling",
        "metric": metric.get("PredefinedMetricType") or "",
        "label": metric.get("ResourceLabel") or "",
        "target": tracking.get("TargetValue"),
        "scale_in": not tracking.get("DisableScaleIn"),
        "warm_up": told.get("EstimatedInstanceWarmup"),
    }


def failed(activities: Iterable[Mapping[str, Any]]) -> str:
    """The last failed activity in words; empty where none has failed."""
    for activity in activities:
        if activity.get("StatusCode") in FAILED:
            words = activity.get("StatusMessage") or activity.get("Cause") or "no reason is told"
            return f"{activity.get('Description')}: {activity['StatusCode']}: {words}"
    return ""
