# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets are registered, drained and shown as they are at the time of the control plane's clock.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict import lifecycle, target_types
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.lifecycle import Health

# "You can register a single Lambda function with each target group", and likewise a single load balancer.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html
SINGLE = ("lambda", "alb")


@strict("elbv2", "RegisterTargets")
def register_targets(request: Request) -> Any:
    """Register all, or none and say why. What is registered already is left as it is."""
    group, wanted = of_request(request)
    checked = [target_types.check(request, group, target) for target in wanted]
    targets = request.cloud.targets
    there = {key for key, known in targets.of_group[group.arn].items() if known.draining_until is None}
    if group.target_type in SINGLE and len(there | {(id_, port) for id_, port, _zone in checked}) > 1:
        raise refuse("TooManyTargets", f"A target group of type '{group.target_type}' has one target")
    for target_id, port, zone in checked:
        targets.register(group, target_id, port, zone)
    return None


@strict("elbv2", "DeregisterTargets")
def deregister_targets(request: Request) -> Any:
    """Drain: "If the specified target does not exist, the action returns successfully." """
    group, wanted = of_request(request)
    for target in wanted:
        target_types.check_id(group, target["Id"])
    for target in wanted:
        request.cloud.targets.deregister(group, target["Id"], effective_port(group, target))
    return None


@strict("elbv2", "DescribeTargetHealth")
def describe_target_health(request: Request) -> Any:
    """Of the targets that are asked for, or of all that are registered or drain."""
    group = find_group(request)
    there = request.cloud.targets.of_group[group.arn]
    asked = request.parameters.get("Targets") or []
    for target in asked:
        target_types.check_id(group, target["Id"])
    keys = [(target["Id"], effective_port(group, target)) for target in asked] or list(there)
    return {"TargetHealthDescriptions": [shown(request, group, key) for key in keys]}


def shown(request: Request, group: Any, key: tuple[str, int | None]) -> dict[str, Any]:
    """A TargetHealthDescription of the API."""
    target = request.cloud.targets.of_group[group.arn].get(key)
    health: Health = lifecycle.NOT_REGISTERED
    if target:
        health = request.cloud.targets.health(request.elbv2, group, target)
    said = {"State": health.state, "Reason": health.reason, "Description": health.description}
    port = {} if key[1] is None else {"Port": key[1]}
    zone = {"AvailabilityZone": target.zone} if target and group.target_type == "ip" else {}
    checked = {} if key[1] is None else {"HealthCheckPort": check_port(group, key[1])}
    return {
        "Target": {"Id": key[0], **port, **zone},
        **checked,
        "TargetHealth": {name: value for name, value in said.items() if value},
    }


def check_port(group: Any, port: int) -> str:
    """The port that the target's health is checked at."""
    return str(port) if group.health_check_port in (None, "traffic-port") else str(group.health_check_port)


def effective_port(group: Any, target: dict[str, Any]) -> int | None:
    """The target's own port, or the group's."""
    return None if group.target_type == "lambda" else int(target.get("Port") or group.port)


def of_request(request: Request) -> tuple[Any, list[dict[str, Any]]]:
    """The group and the targets that a request names."""
    group, targets = find_group(request), request.parameters.get("Targets") or []
    if not targets:
        raise refuse("ValidationError", "At least one target must be specified")
    return group, targets


def find_group(request: Request) -> Any:
    """The target group of moto, brought to the present."""
    request.cloud.targets.observe(request.elbv2)
    group = request.elbv2.target_groups.get(request.parameters.get("TargetGroupArn"))
    if group is None:
        raise refuse("TargetGroupNotFound", "One or more target groups not found")
    return group


@strict(
    "elbv2",
    "CreateListener",
    "ModifyListener",
    "DeleteListener",
    "CreateRule",
    "ModifyRule",
    "DeleteRule",
    "DeleteLoadBalancer",
    "DescribeTargetGroups",
    "DeleteTargetGroup",
)
def see_use_change(request: Request) -> Any:
    """Note when groups begin or cease to be used."""
    request.cloud.targets.observe(request.elbv2)
    result = request.proceed()
    request.cloud.targets.observe(request.elbv2)
    return result


@strict("ec2", "StopInstances", "StartInstances", "TerminateInstances")
def see_instances_change(request: Request) -> Any:
    """Note when targets stop, start or go."""
    result = request.proceed()
    request.cloud.targets.observe(request.elbv2)
    return result
