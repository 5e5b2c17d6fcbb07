# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a group is told and nothing comes of in the lab: metrics and notifications are kept, and shown again.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DisableMetricsCollection.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutNotificationConfiguration.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.scaling import backend, find, scaling


@strict("autoscaling", "DisableMetricsCollection")
def disable_metrics(request: Request) -> Any:
    """All metrics unless some are named."""
    group, _record = find(request)
    named = request.parameters.get("Metrics") or group.metrics
    group.metrics = [metric for metric in group.metrics if metric not in named]
    return None


@strict("autoscaling", "PutNotificationConfiguration")
def put_notification(request: Request) -> Any:
    """ "This configuration overwrites any existing configuration." """
    _group, record = find(request)
    record.notifications[request.parameters["TopicARN"]] = list(request.parameters["NotificationTypes"])
    return None


@strict("autoscaling", "DeleteNotificationConfiguration")
def delete_notification(request: Request) -> Any:
    _group, record = find(request)
    if record.notifications.pop(request.parameters["TopicARN"], None) is None:
        raise refuse("ValidationError", "Notification Topic doesn't exist.")
    return None


@strict("autoscaling", "DescribeNotificationConfigurations")
def describe_notifications(request: Request) -> Any:
    wanted, known = request.parameters.get("AutoScalingGroupNames") or [], scaling(request)
    groups = [group for group in backend(request).autoscaling_groups.values() if not wanted or group.name in wanted]
    found = [
        {"AutoScalingGroupName": group.name, "TopicARN": topic, "NotificationType": kind}
        for group in groups
        for topic, kinds in known.groups[group.arn].notifications.items()
        for kind in kinds
    ]
    return {"NotificationConfigurations": found, "NextToken": None}
