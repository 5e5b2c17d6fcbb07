# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls, one function each. They raise AwsError."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError, call
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import TargetGroup
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.shapes import group_from_api

MISSING = "LoadBalancerNotFound"


def describe_load_balancer(elbv2: Any, name: str) -> dict[str, Any] | None:
    """The load balancer of a name; None where there is none."""
    try:
        found: list[dict[str, Any]] = call(elbv2.describe_load_balancers, Names=[name])["LoadBalancers"]
    except AwsError as error:
        if error.code != MISSING:
            raise
        return None
    return found[0] if found else None


def describe_blocks(ec2: Any, subnets: Sequence[str]) -> list[str]:
    """The blocks of addresses of subnets."""
    answer = call(ec2.describe_subnets, SubnetIds=list(subnets))
    return sorted(str(told["CidrBlock"]) for told in answer["Subnets"])


def describe_groups(elbv2: Any, load_balancer: str) -> list[TargetGroup]:
    """The target groups that a load balancer forwards to: at most 100, which is less than a page."""
    answer = call(elbv2.describe_target_groups, LoadBalancerArn=load_balancer)
    return [group_from_api(told) for told in answer["TargetGroups"]]
