# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Auto Scaling group needs next: from its state and the time to actions. Pure; knows neither API nor moto.

Steps in AWS's order of what counts first: what was begun is brought on, health is judged, unhealthy instances go, a
refresh replaces, the capacity is made right, zones are balanced. Each step sees the group as the steps before leave
it. Carried out again and again, with the world's answers in between, plans become empty.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#arch-AutoScalingMultiAZ
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.region import scaling_refresh
from lab.region.scaling_capacity import rebalance, scale
from lab.region.scaling_model import (
    DEAD,
    IN_SERVICE,
    LEAVING,
    PENDING,
    STANDBY,
    Action,
    Adopt,
    Attached,
    Delete,
    Deregister,
    Group,
    MarkUnhealthy,
    Member,
    Move,
    Parted,
    Register,
    Terminate,
    after,
)

BY_USER = "a user health-check"
# Seconds between two looks at targets that drain.
DRAIN_LOOK = 1.0


@dataclass(frozen=True)
class Plan:
    """Actions in order, and when to plan again at the latest although nothing happens; None is never."""

    actions: tuple[Action, ...]
    due: float | None


def plan(group: Group, now: float) -> Plan:
    """What is to be done now."""
    if group.deleting:
        gone: list[Action] = [Terminate(member.id) for member in group.members]
        return Plan(tuple(gone or [Delete()]), None)
    actions: list[Action] = []
    for step in (adopt, advance, attach, detach, check, replace_unhealthy, scaling_refresh.step, scale, rebalance):
        found = step(group, now)
        group = after(group, found, now)
        actions += found
    return Plan(tuple(actions), due(group, now))


def adopt(group: Group, _now: float) -> list[Action]:
    """Instances that were launched for the group by a run that ended before it could say so."""
    return [Adopt(orphan.id) for orphan in group.orphans]


def advance(group: Group, now: float) -> list[Action]:
    """Bring every instance on in what was begun."""
    return [action for member in group.members for action in _advance(group, member, now)]


def _advance(group: Group, member: Member, _now: float) -> list[Action]:
    if member.life_cycle in PENDING:
        if member.state in DEAD or not member.healthy:
            return [Move(member.id, "Terminating", f"an EC2 health check indicating it has been {member.state}")]
        return _start(group, member)
    if member.life_cycle in LEAVING:
        return _leave(group, member)
    if member.life_cycle == "Terminating:Proceed":
        return [Terminate(member.id)]
    return []


def _start(group: Group, member: Member) -> list[Action]:
    """ "Amazon EC2 Auto Scaling automatically registers your instance with the load balancer before it marks the
    instance as InService."
    """
    if member.state != "running" or member.life_cycle == "Pending:Wait":
        return []
    if member.life_cycle == "Pending" and "launching" in group.hooks:
        return [Move(member.id, "Pending:Wait")]
    wanted = group.target_groups if group.active("AddToLoadBalancer") else ()
    missing = [Register(arn, member.id) for arn in wanted if not member.registered(arn)]
    return [*missing, Move(member.id, IN_SERVICE)]


def _leave(group: Group, member: Member) -> list[Action]:
    """Out of the target groups, then wait until no request is in flight, then on."""
    if member.state not in DEAD and member.targets:
        return [Deregister(arn, member.id) for arn, state in member.targets if state != "draining"]
    if member.life_cycle == "EnteringStandby":
        return [Move(member.id, STANDBY)]
    if member.life_cycle == "Detaching":
        return [Move(member.id, "Detached")]
    if "terminating" in group.hooks:
        return [Move(member.id, "Terminating:Wait")]
    return [Terminate(member.id)]


def attach(group: Group, _now: float) -> list[Action]:
    """All instances in service are registered with a target group that was attached to the group."""
    if not group.active("AddToLoadBalancer"):
        return []
    missing = [
        Register(arn, member.id)
        for arn in group.joining
        for member in group.in_service
        if member.state == "running" and not member.registered(arn)
    ]
    return [*missing, *(Attached(arn) for arn in group.joining)]


def detach(group: Group, _now: float) -> list[Action]:
    """All instances are deregistered from a target group that was detached from the group."""
    found: list[Action] = []
    for arn in group.parting:
        found += [Deregister(arn, member.id) for member in group.members if member.registered(arn)]
        if not any(arn in dict(member.targets) for member in group.members):
            found.append(Parted(arn))
    return found


def check(group: Group, now: float) -> list[Action]:
    """Mark what fails a health check."""
    if not group.active("HealthCheck"):
        return []
    return [MarkUnhealthy(m.id) for m in group.in_service if m.healthy and ailment(group, m, now)]


def ailment(group: Group, member: Member, now: float) -> str:
    """What is wrong with an instance in AWS's words; an instance that does not run gets no grace.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
    """
    if member.state != "running":
        return "an EC2 health check indicating it has been terminated or stopped"
    if now < (member.in_service_since or 0.0) + group.grace_period:
        return ""
    if member.impaired:
        return "an EC2 instance status checks failure"
    failing = any(state == "unhealthy" for arn, state in member.targets if arn in group.target_groups)
    return "an ELB system health check failure" if group.health_check == "ELB" and failing else ""


def replace_unhealthy(group: Group, now: float) -> list[Action]:
    """ "ReplaceUnhealthy is inactive" while Terminate is suspended; without Launch it terminates all the same."""
    if not group.active("ReplaceUnhealthy", "Terminate"):
        return []
    sick = [member for member in group.in_service if not member.healthy]
    return [Move(member.id, "Terminating", ailment(group, member, now) or BY_USER) for member in sick]


def due(group: Group, now: float) -> float | None:
    """The next moment at which time alone changes the plan. Ends of life-cycle hooks are the control plane's."""
    times = scaling_refresh.times(group)
    times += [(m.in_service_since or 0.0) + group.grace_period for m in group.in_service]
    if len(group.counted) < group.desired:
        times.append(group.launch_after)
    if group.parting or any(member.life_cycle in LEAVING for member in group.members):
        times.append(now + DRAIN_LOOK)
    return min((time for time in times if time > now), default=None)
