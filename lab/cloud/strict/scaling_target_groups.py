# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target groups of an Auto Scaling group: attached and detached, until all its instances are in or out.

"Adding", "Added", "InService", "Removing":
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LoadBalancerTargetGroupState.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict.behavior import Request, strict
from lab.cloud.strict.scaling import find
from lab.cloud.strict.scaling_checks import check_target_groups


@strict("autoscaling", "AttachLoadBalancerTargetGroups")
def attach(request: Request) -> Any:
    group, record = find(request)
    arns = request.parameters.get("TargetGroupARNs") or []
    check_target_groups(request, arns)
    for arn in arns:
        if record.target_groups.get(arn, "Removing") == "Removing":
            record.target_groups[arn] = "Adding"
    keep(group, record)
    return {}


@strict("autoscaling", "DetachLoadBalancerTargetGroups")
def detach(request: Request) -> Any:
    group, record = find(request)
    for arn in request.parameters.get("TargetGroupARNs") or []:
        if arn in record.target_groups:
            record.target_groups[arn] = "Removing"
    keep(group, record)
    return {}


@strict("autoscaling", "DescribeLoadBalancerTargetGroups")
def describe(request: Request) -> Any:
    _group, record = find(request)
    states = list(record.target_groups.items())
    return {
        "LoadBalancerTargetGroups": [{"LoadBalancerTargetGroupARN": arn, "State": state} for arn, state in states],
        "NextToken": None,
    }


def keep(group: Any, record: Any) -> None:
    """Let moto's group say the same."""
    group.target_group_arns = [arn for arn, state in record.target_groups.items() if state != "Removing"]
