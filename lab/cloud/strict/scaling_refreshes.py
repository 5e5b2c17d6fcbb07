# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refreshes are started, shown and cancelled here; ``lab.region.scaling`` replaces the instances.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeInstanceRefreshes.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-instance-refresh-default-values.html
"""

from __future__ import annotations

import uuid
from typing import Any

from lab.cloud.scaling import Scaling
from lab.cloud.scaling_records import Record, Refresh
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.pagination import paged
from lab.cloud.strict.scaling import PAGES, find, scaling
from lab.cloud.strict.scaling_checks import check_template

UNIMPLEMENTED = ("AutoRollback", "AlarmSpecification")


@strict("autoscaling", "StartInstanceRefresh")
def start(request: Request) -> Any:
    """One at a time, with preferences completed by what the group says."""
    group, record = find(request)
    if record.active_refresh():
        text = "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh."
        raise refuse("InstanceRefreshInProgress", text)
    asked, known = request.parameters, request.cloud.scaling
    desired = asked.get("DesiredConfiguration")
    if desired:
        request.parameters |= desired
        check_template(request)
    preferences = completed(group, record, asked.get("Preferences") or {})
    record.refreshes.append(Refresh(str(uuid.uuid4()), preferences, desired, known.now()))
    return {"InstanceRefreshId": record.refreshes[-1].id}


def completed(group: Any, record: Record, asked: dict[str, Any]) -> dict[str, Any]:
    """The preferences with their defaults; what cannot be is refused."""
    policy = record.told.get("InstanceMaintenancePolicy") or {}
    found = {
        "MinHealthyPercentage": policy.get("MinHealthyPercentage", 90),
        "InstanceWarmup": record.told.get("DefaultInstanceWarmup", group.health_check_grace_period),
        "SkipMatching": False,
        "ScaleInProtectedInstances": "Wait",
        "StandbyInstances": "Wait",
        **({"MaxHealthyPercentage": policy["MaxHealthyPercentage"]} if "MaxHealthyPercentage" in policy else {}),
        **asked,
    }
    if any(found.get(name) for name in UNIMPLEMENTED):
        raise refuse("ValidationError", f"{' and '.join(UNIMPLEMENTED)} are not part of this control plane.")
    checkpoints = found.get("CheckpointPercentages") or []
    if checkpoints != sorted(set(checkpoints)) or any(not 1 <= number <= 100 for number in checkpoints):
        raise refuse("ValidationError", "Checkpoint percentages must be unique, ascending, and between 1 and 100.")
    if checkpoints:
        found.setdefault("CheckpointDelay", 3600)
    least, most = int(found["MinHealthyPercentage"]), int(found.get("MaxHealthyPercentage", 100))
    if not 0 <= least <= 100 or not 100 <= most <= 200 or most - least > 100:
        text = "MinHealthyPercentage must be 0 to 100, MaxHealthyPercentage 100 to 200, and no more than 100 apart."
        raise refuse("ValidationError", text)
    return found


@strict("autoscaling", "CancelInstanceRefresh")
def cancel(request: Request) -> Any:
    _group, record = find(request)
    refresh = record.active_refresh()
    if refresh is None or refresh.status == "Cancelling":
        text = "No in progress or pending Instance Refresh found for Auto Scaling group"
        raise refuse("ActiveInstanceRefreshNotFound", f"{text} {record.name}")
    refresh.status = "Cancelling"
    return {"InstanceRefreshId": refresh.id}


@strict("autoscaling", "RollbackInstanceRefresh")
def roll_back(_request: Request) -> Any:
    raise refuse("IrreversibleInstanceRefresh", "Rolling back is not part of this control plane.")


@strict("autoscaling", "DescribeInstanceRefreshes")
def describe(request: Request) -> Any:
    """The newest first."""
    _group, record = find(request)
    ids, known = request.parameters.get("InstanceRefreshIds") or [], scaling(request)
    found = [refresh for refresh in reversed(record.refreshes) if not ids or refresh.id in ids]
    return {"InstanceRefreshes": [shown(known, record, refresh) for refresh in found], "NextToken": None}


strict("autoscaling", "DescribeInstanceRefreshes", outermost=True)(paged(PAGES, "InstanceRefreshes", 1, 100))


def shown(known: Scaling, record: Record, refresh: Refresh) -> dict[str, Any]:
    """An InstanceRefresh of the API."""
    left = refresh.left if refresh.left is not None else len(record.members)
    return {
        "InstanceRefreshId": refresh.id,
        "AutoScalingGroupName": record.name,
        "Status": refresh.status,
        "StatusReason": refresh.reason or None,
        "StartTime": known.moment(refresh.start),
        "EndTime": known.moment(refresh.end) if refresh.end is not None else None,
        "PercentageComplete": refresh.percentage,
        "InstancesToUpdate": left,
        "Preferences": refresh.preferences,
        "DesiredConfiguration": refresh.desired,
    }
