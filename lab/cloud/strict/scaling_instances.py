# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of Auto Scaling groups: shown, and told to move; ``lab.region.scaling`` moves them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-detach-attach-instances.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceHealth.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.scaling import Scaling
from lab.cloud.scaling_records import (
    ATTACHING,
    DETACHING,
    FROM_STANDBY,
    TO_STANDBY,
    Activity,
    Member,
    Record,
    of_instance,
    zone_of,
)
from lab.cloud.strict.behavior import Request, refuse, strict
from lab.cloud.strict.pagination import paged
from lab.cloud.strict.scaling import PAGES, backend, find, scaling, shown_member

GROUP_TAG = "aws:autoscaling:groupName"


def truth(request: Request, name: str, default: bool = False) -> bool:
    """A parameter that is true or false."""
    return str(request.parameters.get(name, default)).lower() == "true"


def owner(request: Request, instance: str) -> tuple[Any, Record, Member]:
    """The group that an instance is in."""
    for group in backend(request).autoscaling_groups.values():
        record = scaling(request).groups[group.arn]
        if instance in record.members:
            return group, record, record.members[instance]
    raise refuse("ValidationError", f"Instance Id not found - No managed instance found for instance ID {instance}")


def chosen(request: Request, state: str) -> tuple[Any, Record, list[Member]]:
    """The instances that a request names, all in this state."""
    group, record = find(request)
    found = []
    for instance in request.parameters.get("InstanceIds") or []:
        if instance not in record.members:
            text = f"The instance {instance} is not part of Auto Scaling group {group.name}."
            raise refuse("ValidationError", text)
        if record.members[instance].life_cycle != state:
            raise refuse("ValidationError", f"The instance {instance} is not in {state}.")
        found.append(record.members[instance])
    return group, record, found


def resize(group: Any, number: int, what: str) -> None:
    """Another desired capacity, within the bounds."""
    size = group.desired_capacity + number
    if not group.min_size <= size <= group.max_size:
        sizes = f"min-size={group.min_size}, max-size={group.max_size}, and desired-size={group.desired_capacity}"
        text = f"AutoScalingGroup {group.name} has {sizes}. To {what} {abs(number)} instance"
        raise refuse("ValidationError", f"{text}, please update the AutoScalingGroup sizes appropriately.")
    group.desired_capacity = size


def began(known: Scaling, record: Record, member: Member, what: str, did: str) -> Activity:
    text = f"At {known.moment():%Y-%m-%dT%H:%M:%SZ} instance {member.id} was {did} in response to a user request."
    return known.begin(record, f"{what}: {member.id}", text, zone_of(member))


@strict("autoscaling", "EnterStandby")
def enter_standby(request: Request) -> Any:
    group, record, members = chosen(request, "InService")
    if truth(request, "ShouldDecrementDesiredCapacity"):
        resize(group, -len(members), "place into standby")
    for member in members:
        member.life_cycle = "EnteringStandby"
    known = request.cloud.scaling
    return {"Activities": [shown(known, began(known, record, m, TO_STANDBY, "moved to standby")) for m in members]}


@strict("autoscaling", "ExitStandby")
def exit_standby(request: Request) -> Any:
    """Back into service without life-cycle hooks, which are for launching and terminating alone."""
    group, record, members = chosen(request, "Standby")
    resize(group, len(members), "take out of standby")
    for member in members:
        member.life_cycle, member.healthy = "Pending:Proceed", True
    known = request.cloud.scaling
    done = [began(known, record, member, FROM_STANDBY, "moved out of standby") for member in members]
    for activity in done:
        activity.status, activity.progress = "PreInService", 30
    return {"Activities": [shown(known, activity) for activity in done]}


@strict("autoscaling", "AttachInstances")
def attach(request: Request) -> Any:
    """ "Amazon EC2 Auto Scaling increases the desired capacity of the group by the number of instances being
    attached."
    """
    group, record = find(request)
    instances = [request.ec2.get_instance(name) for name in request.parameters.get("InstanceIds") or []]
    for instance in instances:
        taken = any(instance.id in other.members for other in scaling(request).groups.values())
        if taken or instance.state != "running" or instance.availability_zone not in group.availability_zones:
            text = f"Instance {instance.id} is not running, in another zone, or part of an Auto Scaling group."
            raise refuse("ValidationError", text)
    resize(group, len(instances), "attach")
    for instance in instances:
        protected = bool(group.new_instances_protected_from_scale_in)
        member = Member(instance.id, instance.availability_zone, instance.instance_type, None, protected=protected)
        member.life_cycle = "Pending:Proceed"
        record.members[member.id] = member
        request.ec2.create_tags([instance.id], {GROUP_TAG: group.name})
        began(request.cloud.scaling, record, member, ATTACHING, "attached")
    return None


@strict("autoscaling", "DetachInstances")
def detach(request: Request) -> Any:
    group, record = find(request)
    members = [record.members.get(name) for name in request.parameters.get("InstanceIds") or []]
    if not all(member and member.life_cycle in ("InService", "Standby") for member in members):
        raise refuse("ValidationError", "An instance is not part of the group, or neither InService nor Standby.")
    if truth(request, "ShouldDecrementDesiredCapacity"):
        resize(group, -len([member for member in members if member and member.life_cycle == "InService"]), "detach")
    known = request.cloud.scaling
    done = []
    for member in filter(None, members):
        member.life_cycle = "Detaching"
        done.append(began(known, record, member, DETACHING, "detached"))
    return {"Activities": [shown(known, activity) for activity in done]}


@strict("autoscaling", "TerminateInstanceInAutoScalingGroup")
def terminate(request: Request) -> Any:
    group, record, member = owner(request, request.parameters["InstanceId"])
    if truth(request, "ShouldDecrementDesiredCapacity"):
        if group.desired_capacity == group.min_size:
            text = f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement"
            raise refuse("ValidationError", f"{text} will violate group's min size constraint.")
        group.desired_capacity -= 1
    if not member.life_cycle.startswith("Terminating"):
        request.cloud.scaling.move(group.arn, member.id, "Terminating", "a user request")
    return {"Activity": shown(request.cloud.scaling, of_instance(record, member.id)[-1])}


@strict("autoscaling", "SetInstanceHealth")
def set_health(request: Request) -> Any:
    """ "If the Auto Scaling group of the specified instance has a HealthCheckGracePeriod specified for the group, by
    default, this call respects the grace period."
    """
    group, _record, member = owner(request, request.parameters["InstanceId"])
    status = request.parameters["HealthStatus"]
    if status not in ("Healthy", "Unhealthy"):
        raise refuse("ValidationError", "Valid instance health states are: [Healthy, Unhealthy].")
    young = member.since is None or request.cloud.scaling.now() < member.since + group.health_check_grace_period
    if not (young and truth(request, "ShouldRespectGracePeriod", default=True)):
        member.healthy = status == "Healthy"
    return None


@strict("autoscaling", "SetInstanceProtection")
def set_protection(request: Request) -> Any:
    _group, record = find(request)
    names = request.parameters.get("InstanceIds") or []
    for name in names:
        if name not in record.members or record.members[name].life_cycle != "InService":
            raise refuse("ValidationError", f"The instance {name} is not in InService.")
    for name in names:
        record.members[name].protected = truth(request, "ProtectedFromScaleIn")
    return None


@strict("autoscaling", "DescribeAutoScalingInstances")
def describe(request: Request) -> Any:
    wanted, found = request.parameters.get("InstanceIds") or [], []
    for group in backend(request).autoscaling_groups.values():
        for member in list(scaling(request).groups[group.arn].members.values()):
            if not wanted or member.id in wanted:
                said = {**shown_member(member), "AutoScalingGroupName": group.name}
                found.append({**said, "HealthStatus": said["HealthStatus"].upper()})
    return {"AutoScalingInstances": found, "NextToken": None}


strict("autoscaling", "DescribeAutoScalingInstances", outermost=True)(paged(PAGES, "AutoScalingInstances", 1, 50))


@strict("autoscaling", "DescribeScalingActivities")
def describe_activities(request: Request) -> Any:
    """The newest first. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html"""
    asked, known = request.parameters, scaling(request)
    name, ids = asked.get("AutoScalingGroupName"), asked.get("ActivityIds") or []
    groups = backend(request).autoscaling_groups.values()
    every = [activity for group in groups for activity in known.groups[group.arn].activities]
    if truth(request, "IncludeDeletedGroups"):
        every += known.past
    elif name:
        find(request)
    found = [a for a in every if name in (None, a.group) and (not ids or a.id in ids)]
    found.sort(key=lambda activity: activity.start, reverse=True)
    return {"Activities": [shown(known, activity) for activity in found], "NextToken": None}


strict("autoscaling", "DescribeScalingActivities", outermost=True)(paged(PAGES, "Activities", 1, 100))


def shown(known: Scaling, activity: Activity) -> dict[str, Any]:
    """An Activity of the API."""
    return {
        "ActivityId": activity.id,
        "AutoScalingGroupName": activity.group,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": known.moment(activity.start),
        "EndTime": known.moment(activity.end) if activity.end is not None else None,
        "StatusCode": activity.status,
        "StatusMessage": activity.message,
        "Progress": activity.progress,
        "Details": activity.details,
    }
