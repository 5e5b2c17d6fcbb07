# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups say what is wanted and start nothing themselves: ``lab.region.scaling`` brings it about.

moto keeps a group's figures and configuration; its instances are those of ``cloud.scaling``. What moto would launch
or terminate by itself it no longer does.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.autoscaling.models import autoscaling_backends

from lab.cloud.scaling import Scaling
from lab.cloud.scaling_records import Member, Record
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.pagination import Style, paged
from lab.cloud.strict.scaling_checks import check_sizes, check_target_groups, check_template

PAGES = Style("MaxRecords", "NextToken", "NextToken", "ValidationError", "InvalidNextToken", 50)
# What moto does not keep, and what it keeps but does not let change.
TOLD = ("DefaultInstanceWarmup", "MaxInstanceLifetime", "InstanceMaintenancePolicy", "Context", "DesiredCapacityType")
CHANGED = {
    "DefaultCooldown": "default_cooldown",
    "PlacementGroup": "placement_group",
    "TerminationPolicies": "termination_policies",
    "CapacityRebalance": "capacity_rebalance",
}


def backend(request: Request) -> Any:
    """moto's model of Auto Scaling in the caller's account and region."""
    return autoscaling_backends[request.account][request.response.region]


def scaling(request: Request) -> Scaling:
    """What is known beyond moto, brought to the present."""
    found: Scaling = request.cloud.scaling
    found.observe()
    return found


def find(request: Request, name: str | None = None) -> tuple[Any, Record]:
    """The group of a request, moto's and ours."""
    name = name or request.parameters.get("AutoScalingGroupName")
    group = backend(request).autoscaling_groups.get(name)
    if group is None:
        raise refuse("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group, scaling(request).groups[group.arn]


def set_desired(group: Any, capacity: int | None) -> None:
    """Note a desired capacity; in place of moto's own, which launches and terminates."""
    wanted = group.min_size if capacity is None else int(capacity)
    group.desired_capacity = max(group.min_size, min(wanted, group.max_size))


@strict("autoscaling", "CreateLaunchConfiguration")
def create_launch_configuration(_request: Request) -> Any:
    """ "New accounts created on or after October 1, 2024 are unable to create new launch configurations"
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-configurations.html
    """
    text = "The Launch Configuration creation operation is not available in your account. Use launch templates to "
    raise refuse("UnsupportedOperation", text + "create configuration templates for your Auto Scaling groups.")


@strict("autoscaling", "CreateAutoScalingGroup")
def create(request: Request) -> Any:
    """Note the group. moto is told a capacity of zero, so that it launches nothing."""
    asked, groups = request.parameters, backend(request).autoscaling_groups
    name = asked["AutoScalingGroupName"]
    if name in groups:
        text = "AutoScalingGroup by this name already exists - A group with the name"
        raise refuse("AlreadyExists", f"{text} {name} already exists")
    desired = int(asked.get("DesiredCapacity", asked["MinSize"]))
    check_sizes(int(asked["MinSize"]), int(asked["MaxSize"]), desired)
    check_template(request)
    check_target_groups(request, asked.get("TargetGroupARNs") or [])
    asked["DesiredCapacity"] = 0
    request.proceed()
    group = groups[name]
    group.set_desired_capacity = partial(set_desired, group)
    group.desired_capacity = desired
    group.health_check_grace_period = int(asked.get("HealthCheckGracePeriod") or 0)
    known = scaling(request)
    record = known.groups[group.arn] = Record(name, created=known.now())
    record.target_groups = dict.fromkeys(group.target_group_arns, "Added")
    record.told = {key: asked[key] for key in TOLD if key in asked}
    for hook in asked.get("LifecycleHookSpecificationList") or []:
        put_hook(request, name, hook)
    known.requested(record, "created an AutoScalingGroup", 0, desired)
    return None


def put_hook(request: Request, name: str, hook: dict[str, Any]) -> None:
    """One of the hooks that a group is created with."""
    backend(request).create_lifecycle_hook(
        hook["LifecycleHookName"],
        name,
        hook["LifecycleTransition"],
        hook.get("HeartbeatTimeout"),
        hook.get("DefaultResult"),
    )


@strict("autoscaling", "UpdateAutoScalingGroup")
def update(request: Request) -> Any:
    """ "If a new value for MinSize is specified without setting a value for DesiredCapacity, and the new MinSize is
    larger than the current size of the group, this sets the group's DesiredCapacity to the new MinSize value."
    """
    group, record = find(request)
    asked, before = request.parameters, group.desired_capacity
    least, most = int(asked.get("MinSize", group.min_size)), int(asked.get("MaxSize", group.max_size))
    desired = int(asked.get("DesiredCapacity", max(least, min(before, most))))
    check_sizes(least, most, desired)
    check_template(request)
    if "LaunchTemplate" not in asked and group.mixed_instances_policy:
        asked.setdefault("MixedInstancesPolicy", group.mixed_instances_policy)
    asked["DesiredCapacity"] = desired
    request.proceed()
    for key, attribute in CHANGED.items():
        if key in asked:
            setattr(group, attribute, asked[key])
    record.told |= {key: asked[key] for key in TOLD if key in asked}
    text = f"update of AutoScalingGroup constraints to min: {least}, max: {most}, desired: {desired}"
    scaling(request).requested(record, text, before, desired)
    return None


@strict("autoscaling", "SetDesiredCapacity")
def set_desired_capacity(request: Request) -> Any:
    group, record = find(request)
    before, desired = group.desired_capacity, int(request.parameters["DesiredCapacity"])
    if not group.min_size <= desired <= group.max_size:
        above = desired > group.max_size
        limit = f"above max value {group.max_size}" if above else f"below min value {group.min_size}"
        raise refuse("ValidationError", f"New SetDesiredCapacity value {desired} is {limit} for the AutoScalingGroup.")
    group.desired_capacity = desired
    scaling(request).requested(record, "explicitly set group desired capacity", before, desired)
    return None


@strict("autoscaling", "DeleteAutoScalingGroup")
def delete(request: Request) -> Any:
    """ "If the group has instances or scaling activities in progress, you must specify the option to force the
    deletion in order for it to succeed."
    """
    group, record = find(request)
    if record.members and str(request.parameters.get("ForceDelete")).lower() != "true":
        text = "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s)"
        raise refuse("ResourceInUse", f"{text} still in the group.")
    record.deleting = True
    if not record.members:
        own, name = backend(request), group.name
        own.autoscaling_groups.pop(name)
        own.lifecycle_hooks = {k: h for k, h in own.lifecycle_hooks.items() if h.auto_scaling_group_name != name}
        own.policies = {k: p for k, p in own.policies.items() if p.auto_scaling_group_name != name}
        request.cloud.scaling.forget(group.arn)
    return None


@strict("autoscaling", "SuspendProcesses", "ResumeProcesses")
def suspend(request: Request) -> Any:
    """Note since when a process is suspended."""
    group, record = find(request)
    request.proceed()
    now = request.cloud.scaling.now()
    names = {process["ProcessName"] for process in group.suspended_processes}
    record.suspended = {name: record.suspended.get(name, now) for name in sorted(names)}
    return None


@strict("autoscaling", "DescribeAutoScalingGroups")
def describe(request: Request) -> Any:
    known = scaling(request)
    result = request.proceed()
    return {"AutoScalingGroups": [shown(known, group) for group in result["AutoScalingGroups"]], "NextToken": None}


strict("autoscaling", "DescribeAutoScalingGroups", outermost=True)(paged(PAGES, "AutoScalingGroups", 1, 100))


def shown(known: Scaling, group: Any) -> dict[str, Any]:
    """An AutoScalingGroup of the API: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html"""
    record = known.groups[group.arn]
    policy = group.mixed_instances_policy
    reasons = {
        name: f"User suspended at {known.moment(time):%Y-%m-%dT%H:%M:%SZ}" for name, time in record.suspended.items()
    }
    return {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "LaunchTemplate": None if policy else group.launch_template,
        "MixedInstancesPolicy": policy,
        "MinSize": group.min_size,
        "MaxSize": group.max_size,
        "DesiredCapacity": group.desired_capacity,
        "DefaultCooldown": group.default_cooldown,
        "AvailabilityZones": list(dict.fromkeys(group.availability_zones)),
        "VPCZoneIdentifier": group.vpc_zone_identifier or "",
        "LoadBalancerNames": group.load_balancer_names,
        "TargetGroupARNs": [arn for arn, state in record.target_groups.items() if state != "Removing"],
        "HealthCheckType": group.health_check_type,
        "HealthCheckGracePeriod": group.health_check_grace_period,
        "Instances": [shown_member(member) for member in list(record.members.values())],
        "CreatedTime": known.moment(record.created),
        "SuspendedProcesses": [{"ProcessName": n, "SuspensionReason": reasons[n]} for n in sorted(reasons)],
        "PlacementGroup": group.placement_group,
        "EnabledMetrics": group.enabled_metrics,
        "Tags": group.tags,
        "TerminationPolicies": group.termination_policies,
        "NewInstancesProtectedFromScaleIn": bool(group.new_instances_protected_from_scale_in),
        "ServiceLinkedRoleARN": group.service_linked_role_arn,
        "CapacityRebalance": bool(group.capacity_rebalance),
        **({"Status": "Delete in progress"} if record.deleting else {}),
        **record.told,
    }


def shown_member(member: Member) -> dict[str, Any]:
    """An Instance of the API."""
    return {
        "InstanceId": member.id,
        "InstanceType": member.type,
        "AvailabilityZone": member.zone,
        "LifecycleState": member.life_cycle,
        "HealthStatus": "Healthy" if member.healthy else "Unhealthy",
        "LaunchTemplate": member.template,
        "ProtectedFromScaleIn": member.protected,
    }
