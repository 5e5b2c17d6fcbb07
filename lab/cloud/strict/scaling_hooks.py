# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Life-cycle actions: completed, prolonged, or ended by their hook's default result.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.scaling_records import Member, Wait
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.scaling import backend, find, scaling

TRANSITIONS = ("autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING")
TOLD = ("RoleARN", "NotificationTargetARN", "NotificationMetadata")


@strict("autoscaling", "PutLifecycleHook")
def put(request: Request) -> Any:
    """A hook that is there keeps what the request does not say."""
    asked, own = request.parameters, backend(request)
    find(request)
    key = f"{asked['AutoScalingGroupName']}_{asked['LifecycleHookName']}"
    known = own.lifecycle_hooks.get(key)
    if known:
        asked.setdefault("LifecycleTransition", known.lifecycle_transition)
        asked.setdefault("HeartbeatTimeout", known.heartbeat_timeout)
        asked.setdefault("DefaultResult", known.default_result)
    if asked.get("LifecycleTransition") not in TRANSITIONS:
        raise refuse("ValidationError", "A valid LifecycleTransition parameter is required.")
    if asked.get("DefaultResult", "ABANDON") not in ("CONTINUE", "ABANDON"):
        raise refuse("ValidationError", "DefaultResult must be either CONTINUE or ABANDON.")
    if not 30 <= int(asked.get("HeartbeatTimeout") or 3600) <= 7200:
        raise refuse("ValidationError", "Heartbeat Timeout must be between 30 and 7200 seconds inclusive.")
    request.proceed()
    told = {**getattr(known, "told", {}), **{name: asked[name] for name in TOLD if name in asked}}
    own.lifecycle_hooks[key].told = told
    return None


@strict("autoscaling", "DescribeLifecycleHooks")
def describe(request: Request) -> Any:
    find(request)
    return {
        "LifecycleHooks": [
            {
                "LifecycleHookName": hook.name,
                "AutoScalingGroupName": hook.auto_scaling_group_name,
                "LifecycleTransition": hook.lifecycle_transition,
                "HeartbeatTimeout": hook.heartbeat_timeout,
                "GlobalTimeout": min(172800, 100 * int(hook.heartbeat_timeout)),
                "DefaultResult": hook.default_result,
                **getattr(hook, "told", {}),
            }
            for hook in request.proceed()["LifecycleHooks"]
        ]
    }


@strict("autoscaling", "DeleteLifecycleHook")
def delete(request: Request) -> Any:
    """ "If there are any outstanding lifecycle actions, they are completed first (ABANDON for launching instances,
    CONTINUE for terminating instances)."
    """
    group, record = find(request)
    name = request.parameters["LifecycleHookName"]
    if f"{group.name}_{name}" not in backend(request).lifecycle_hooks:
        raise refuse("ValidationError", "No Lifecycle Hook found")
    for member in list(record.members.values()):
        for wait in [wait for wait in member.waits if wait.hook.name == name]:
            result = "ABANDON" if member.life_cycle.startswith("Pending") else "CONTINUE"
            request.cloud.scaling.complete(group.arn, member, wait, result)
    return request.proceed()


@strict("autoscaling", "CompleteLifecycleAction")
def complete(request: Request) -> Any:
    group, member, wait = action(request)
    result = request.parameters["LifecycleActionResult"]
    if result not in ("CONTINUE", "ABANDON"):
        raise refuse("ValidationError", "Valid lifecycle action results are: [CONTINUE, ABANDON]")
    scaling(request).complete(group.arn, member, wait, result)
    return {}


@strict("autoscaling", "RecordLifecycleActionHeartbeat")
def heartbeat(request: Request) -> Any:
    """The time begins anew."""
    _group, _member, wait = action(request)
    wait.deadline = request.cloud.scaling.now() + wait.hook.heartbeat
    return {}


def action(request: Request) -> tuple[Any, Member, Wait]:
    """The life-cycle action that a request names, by its token or its instance."""
    group, record = find(request)
    asked = request.parameters
    token, instance = asked.get("LifecycleActionToken"), asked.get("InstanceId")
    for member in list(record.members.values()):
        for wait in member.waits:
            named = wait.token == token if token else member.id == instance
            if named and wait.hook.name == asked["LifecycleHookName"]:
                return group, member, wait
    told = f"token {token}" if token else f"instance ID {instance}"
    raise refuse("ValidationError", f"No active Lifecycle Action found with {told}")
