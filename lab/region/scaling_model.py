# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups as the API tells them, and what can be done about them: plain data.

Times are seconds since 1970 on the control plane's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

# https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
PENDING = ("Pending", "Pending:Wait", "Pending:Proceed")
IN_SERVICE, STANDBY, DETACHED = "InService", "Standby", "Detached"
TERMINATING = ("Terminating", "Terminating:Wait", "Terminating:Proceed")
# States in which an instance waits for its requests in flight.
LEAVING = ("Terminating", "EnteringStandby", "Detaching")
DEAD = ("shutting-down", "terminated")


@dataclass(frozen=True)
class Member:
    """An instance of a group. ``state`` is EC2's; ``template`` is the launch template's id and version;
    ``targets`` are the states of its registrations by the ARN of the target group.
    """

    id: str
    zone: str
    life_cycle: str = IN_SERVICE
    healthy: bool = True
    protected: bool = False
    template: tuple[str, str] = ("", "")
    state: str = "running"
    impaired: bool = False
    launched: float = 0.0
    in_service_since: float | None = None
    targets: tuple[tuple[str, str], ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it is part of the group's capacity."""
        return self.life_cycle == IN_SERVICE or self.life_cycle in PENDING

    def registered(self, target_group: str) -> bool:
        return dict(self.targets).get(target_group, "draining") != "draining"


@dataclass(frozen=True)
class Refresh:
    """An instance refresh that is not over. ``skipped`` is the template whose instances stay, if any.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html
    """

    id: str
    status: str
    started: float
    min_healthy: int = 90
    max_healthy: int = 100
    warmup: float = 0.0
    skip_matching: bool = False
    checkpoints: tuple[int, ...] = ()
    checkpoint_delay: float = 3600.0
    protected: str = "Wait"
    standby: str = "Wait"
    percentage: int = 0
    left: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group. ``subnets`` are pairs of subnet and zone; ``template`` is what is launched now;
    ``joining`` and ``parting`` are target groups that are being attached and detached; ``orphans`` are instances
    with the group's tag that it does not know; ``launch_after`` is when a failed launch may be tried again.
    """

    name: str
    min_size: int
    max_size: int
    desired: int
    subnets: tuple[tuple[str, str], ...]
    members: tuple[Member, ...] = ()
    template: tuple[str, str] = ("", "")
    health_check: str = "EC2"
    grace_period: float = 0.0
    policy: str = "Default"
    suspended: frozenset[str] = frozenset()
    hooks: frozenset[str] = frozenset()
    target_groups: tuple[str, ...] = ()
    joining: tuple[str, ...] = ()
    parting: tuple[str, ...] = ()
    orphans: tuple[Member, ...] = ()
    refresh: Refresh | None = None
    launch_after: float = 0.0
    deleting: bool = False

    @property
    def counted(self) -> list[Member]:
        return [member for member in self.members if member.counts]

    @property
    def in_service(self) -> list[Member]:
        return [member for member in self.members if member.life_cycle == IN_SERVICE]

    @property
    def zones(self) -> list[str]:
        return list(dict.fromkeys(zone for _subnet, zone in self.subnets))

    def active(self, *processes: str) -> bool:
        """Whether none of these processes is suspended."""
        return not self.suspended.intersection(processes)


@dataclass(frozen=True)
class Launch:
    """Start an instance in a subnet and let it join as Pending."""

    subnet: str
    zone: str
    cause: str


@dataclass(frozen=True)
class Adopt:
    """Let an instance join that was launched for the group, whose launch was not noted."""

    instance: str


@dataclass(frozen=True)
class Move:
    """Another life-cycle state; Detached ends the membership."""

    instance: str
    to: str
    cause: str = ""


@dataclass(frozen=True)
class MarkUnhealthy:
    instance: str


@dataclass(frozen=True)
class Register:
    target_group: str
    instance: str


@dataclass(frozen=True)
class Deregister:
    target_group: str
    instance: str


@dataclass(frozen=True)
class Terminate:
    """End the instance and its membership."""

    instance: str


@dataclass(frozen=True)
class Attached:
    """All instances are registered with a target group that was being attached."""

    target_group: str


@dataclass(frozen=True)
class Parted:
    """No instance is registered any more with a target group that was being detached."""

    target_group: str


@dataclass(frozen=True)
class Progress:
    """How far an instance refresh is. ``left`` is the number of instances still to be replaced."""

    refresh: str
    status: str
    percentage: int
    left: int
    reason: str = ""


@dataclass(frozen=True)
class Delete:
    """The group has no instances left and goes."""


Action = (
    Launch | Adopt | Move | MarkUnhealthy | Register | Deregister | Terminate | Attached | Parted | Progress | Delete
)


def after(group: Group, actions: list[Action], now: float) -> Group:
    """The group once the actions were carried out, as far as the group itself is concerned."""
    for action in actions:
        group = _after_one(group, action, now)
    return group


def _after_one(group: Group, action: Action, now: float) -> Group:
    match action:
        case Launch(_subnet, zone):
            name = f"launched-{len(group.members)}-{now}"
            born = Member(name, zone, "Pending", template=group.template, state="pending", launched=now)
            return replace(group, members=(*group.members, born))
        case Adopt(instance):
            found = tuple(replace(orphan, life_cycle="Pending") for orphan in group.orphans if orphan.id == instance)
            rest = tuple(orphan for orphan in group.orphans if orphan.id != instance)
            return replace(group, members=group.members + found, orphans=rest)
        case Terminate(instance) | Move(instance, "Detached"):
            return replace(group, members=tuple(member for member in group.members if member.id != instance))
        case Attached(arn):
            return replace(group, joining=tuple(other for other in group.joining if other != arn))
        case Parted(arn):
            return replace(group, parting=tuple(other for other in group.parting if other != arn))
        case Progress(_id, status, percentage, left, reason) if group.refresh:
            going = replace(group.refresh, status=status, percentage=percentage, left=left, reason=reason)
            return replace(group, refresh=going if status in ("Pending", "InProgress") else None)
        case Move(instance) | MarkUnhealthy(instance) | Register(_, instance) | Deregister(_, instance):
            members = tuple(
                _changed(member, action, now) if member.id == instance else member for member in group.members
            )
            return replace(group, members=members)
    return group


def _changed(member: Member, action: Action, now: float) -> Member:
    match action:
        case Move(_instance, to):
            since = now if to == IN_SERVICE else member.in_service_since
            return replace(member, life_cycle=to, in_service_since=since)
        case MarkUnhealthy():
            return replace(member, healthy=False)
        case Register(arn):
            return replace(member, targets=tuple({**dict(member.targets), arn: "initial"}.items()))
        case Deregister(arn):
            return replace(member, targets=tuple({**dict(member.targets), arn: "draining"}.items()))
    return member
