# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances AWS would refuse to register, for check mode, where nobody asks it to; pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.plan import (
    Plan,
)


def to_register(planned: Plan) -> list[str]:
    """Ids of the instances that a plan registers."""
    groups = [item for item in planned.groups if item.group.kind == "instance"]
    return sorted({target.id for item in groups for target in item.register})


def refused(planned: Plan, instances: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Instances that do not exist, do not run or lie in another VPC, in words.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    known = {told["InstanceId"]: told for told in instances}
    for item in planned.groups:
        for target in item.register if item.group.kind == "instance" else ():
            problem = _problem(known.get(target.id), item.group.vpc)
            if problem:
                yield f"{item.group.name}: {target.id} cannot be registered: {problem}"


def _problem(told: Mapping[str, Any] | None, vpc: str) -> str:
    if told is None:
        return "there is no such instance in this region"
    state = told["State"]["Name"]
    if state != "running":
        return f"it is {state}, and AWS takes running instances only"
    if told.get("VpcId") != vpc:
        return f"it is in {told.get('VpcId')}, and the target group in {vpc}"
    return ""
