# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups read from the API: groups, instances, target health, hooks, refreshes.

When an instance was launched and when it came into service is what DescribeScalingActivities says of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lab.cloud.scaling_records import ATTACHING, FROM_STANDBY, LAUNCHING, Hook
from lab.region.scaling_model import DEAD, Group, Member, Refresh
from lab.region.state import Client, pages
from lab.region.state_launching import GROUP_TAG, Launching, read_launching, read_subnets

HOOKS = {"launching": "autoscaling:EC2_INSTANCE_LAUNCHING", "terminating": "autoscaling:EC2_INSTANCE_TERMINATING"}
GOING_ON = ("Pending", "InProgress", "Cancelling")
# Seconds until a launch that failed is tried again.
RETRY = 15.0
# Of a target with several ports the worst state counts.
WORST_FIRST = ("unhealthy", "initial", "unavailable", "healthy", "unused", "draining")


@dataclass(frozen=True)
class ScalingGroup:
    """A group for the planner, and what it takes to carry plans out. ``update`` is the configuration that a
    refresh brings.
    """

    arn: str
    group: Group
    launching: Launching
    hooks: dict[str, list[Hook]]
    update: dict[str, Any] | None


@dataclass(frozen=True)
class ScalingGroups:
    """All groups of the region."""

    groups: tuple[ScalingGroup, ...]


def read(client: Client) -> ScalingGroups:
    """``client`` gives a boto3 client for the name of a service."""
    scaling = client("autoscaling")
    told = list(pages(scaling, "describe_auto_scaling_groups", "AutoScalingGroups"))
    if not told:
        return ScalingGroups(())
    instances = read_instances(client("ec2"))
    return ScalingGroups(tuple(read_group(client, one, instances) for one in told))


def read_instances(ec2: Any) -> dict[str, dict[str, Any]]:
    """Instances that belong to a group, by id; ``Impaired`` is whether a status check fails."""
    filters = [{"Name": "tag-key", "Values": [GROUP_TAG]}]
    reservations = pages(ec2, "describe_instances", "Reservations", Filters=filters)
    found = {one["InstanceId"]: dict(one) for reservation in reservations for one in reservation["Instances"]}
    for status in pages(ec2, "describe_instance_status", "InstanceStatuses", IncludeAllInstances=True):
        if status.get("InstanceId") in found:
            checks = (status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"])
            found[status["InstanceId"]]["Impaired"] = "impaired" in checks
    return found


def read_group(client: Client, told: dict[str, Any], instances: dict[str, dict[str, Any]]) -> ScalingGroup:
    name, scaling, ec2 = told["AutoScalingGroupName"], client("autoscaling"), client("ec2")
    named = {"AutoScalingGroupName": name}
    activities = list(pages(scaling, "describe_scaling_activities", "Activities", **named))
    hooks = scaling.describe_lifecycle_hooks(**named)["LifecycleHooks"]
    attached = scaling.describe_load_balancer_target_groups(**named)["LoadBalancerTargetGroups"]
    health = {
        arn: read_targets(client("elbv2"), arn) for arn in (one["LoadBalancerTargetGroupARN"] for one in attached)
    }
    states = {one["LoadBalancerTargetGroupARN"]: one["State"] for one in attached}
    refresh = next(
        (r for r in scaling.describe_instance_refreshes(**named)["InstanceRefreshes"] if r["Status"] in GOING_ON), None
    )
    update = (refresh or {}).get("DesiredConfiguration")
    launching, template = read_launching(ec2, {**told, **(update or {})})
    there = {arn: found for arn, found in health.items() if found is not None}
    members = tuple(read_member(one, instances.get(one["InstanceId"]), activities, there) for one in told["Instances"])
    known = {member.id for member in members}
    group = Group(
        name=name,
        min_size=told["MinSize"],
        max_size=told["MaxSize"],
        desired=told["DesiredCapacity"],
        subnets=read_subnets(ec2, told),
        members=members,
        template=template,
        health_check=told["HealthCheckType"],
        grace_period=float(told["HealthCheckGracePeriod"]),
        policy=told["TerminationPolicies"][0],
        suspended=frozenset(process["ProcessName"] for process in told["SuspendedProcesses"]),
        hooks=frozenset(k for k, v in HOOKS.items() if any(hook["LifecycleTransition"] == v for hook in hooks)),
        target_groups=tuple(arn for arn in there if states[arn] != "Removing"),
        joining=tuple(arn for arn in there if states[arn] == "Adding"),
        parting=tuple(arn for arn, state in states.items() if state == "Removing"),
        orphans=tuple(read_orphan(one) for one in instances.values() if is_orphan(one, name, known)),
        refresh=read_refresh(refresh) if refresh else None,
        launch_after=retry_time(activities),
        deleting=told.get("Status") == "Delete in progress",
    )
    return ScalingGroup(told["AutoScalingGroupARN"], group, launching, by_transition(hooks), update)


def read_targets(elbv2: Any, arn: str) -> dict[str, str] | None:
    """States of the targets by instance; None for a target group that is no more."""
    try:
        told = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "TargetGroupNotFound":
            return None
        raise
    found: dict[str, str] = {}
    for one in sorted(told, key=lambda one: WORST_FIRST.index(one["TargetHealth"]["State"]), reverse=True):
        found[one["Target"]["Id"]] = one["TargetHealth"]["State"]
    return found


def read_member(
    told: dict[str, Any],
    instance: dict[str, Any] | None,
    activities: list[dict[str, Any]],
    health: dict[str, dict[str, str]],
) -> Member:
    name, template = told["InstanceId"], told.get("LaunchTemplate") or {}
    began = [one for one in activities if one["Description"] in {f"{what}: {name}" for what in (LAUNCHING, ATTACHING)}]
    entered = began + [one for one in activities if one["Description"] == f"{FROM_STANDBY}: {name}"]
    ends = [one["EndTime"].timestamp() for one in entered if one.get("EndTime")]
    return Member(
        id=name,
        zone=told["AvailabilityZone"],
        life_cycle=told["LifecycleState"],
        healthy=told["HealthStatus"] == "Healthy",
        protected=told["ProtectedFromScaleIn"],
        template=(template.get("LaunchTemplateId", ""), template.get("Version", "")),
        state=instance["State"]["Name"] if instance else "terminated",
        impaired=bool(instance and instance.get("Impaired")),
        launched=max((one["StartTime"].timestamp() for one in began), default=0.0),
        in_service_since=max(ends, default=None),
        targets=tuple((arn, found[name]) for arn, found in health.items() if name in found),
    )


def is_orphan(instance: dict[str, Any], group: str, known: set[str]) -> bool:
    """Whether an instance has the group's tag and lives, and the group does not know it."""
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    dead = instance["State"]["Name"] in DEAD
    return tags.get(GROUP_TAG) == group and not dead and instance["InstanceId"] not in known


def read_orphan(instance: dict[str, Any]) -> Member:
    return Member(instance["InstanceId"], instance["Placement"]["AvailabilityZone"], state=instance["State"]["Name"])


def read_refresh(told: dict[str, Any]) -> Refresh:
    preferences = told["Preferences"]
    return Refresh(
        id=told["InstanceRefreshId"],
        status=told["Status"],
        started=told["StartTime"].timestamp(),
        min_healthy=preferences["MinHealthyPercentage"],
        max_healthy=preferences.get("MaxHealthyPercentage", 100),
        warmup=float(preferences["InstanceWarmup"]),
        skip_matching=preferences["SkipMatching"],
        checkpoints=tuple(preferences.get("CheckpointPercentages", ())),
        checkpoint_delay=float(preferences.get("CheckpointDelay", 3600)),
        protected=preferences["ScaleInProtectedInstances"],
        standby=preferences["StandbyInstances"],
        percentage=told.get("PercentageComplete", 0),
        left=told.get("InstancesToUpdate"),
        reason=told.get("StatusReason") or "",
    )


def by_transition(hooks: list[dict[str, Any]]) -> dict[str, list[Hook]]:
    """Hooks by the state that they hold an instance in."""
    found: dict[str, list[Hook]] = {"Pending:Wait": [], "Terminating:Wait": []}
    for hook in hooks:
        state = "Pending:Wait" if hook["LifecycleTransition"] == HOOKS["launching"] else "Terminating:Wait"
        made = Hook(hook["LifecycleHookName"], float(hook["HeartbeatTimeout"]), hook["DefaultResult"])
        found[state].append(made)
    return found


def retry_time(activities: list[dict[str, Any]]) -> float:
    """When a launch may be tried after the latest, if that failed. Activities come newest first."""
    for one in activities:
        if one["Description"].startswith(LAUNCHING):
            return one["EndTime"].timestamp() + RETRY if one["StatusCode"] == "Failed" else 0.0
    return 0.0
