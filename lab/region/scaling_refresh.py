# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refresh: which instances are replaced next. Pure; read from the group alone, nothing is remembered.

An instance is new when it was launched after the refresh was started, and ready when it is warm besides. With a
minimum below 100 percent old ones go first; with 100, or a maximum above it, new ones are started first.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-adding-checkpoints-instance-refresh.html
"""

from __future__ import annotations

from collections import Counter
from math import ceil, floor

from lab.region.scaling_model import IN_SERVICE, STANDBY, Action, Group, Member, Move, Progress, Refresh

CAUSE = "an instance refresh"
NEEDED = ("InstanceRefresh", "Launch", "Terminate")


def old(group: Group, refresh: Refresh) -> list[Member]:
    """Instances that are to be replaced, those in standby included unless they are ignored."""
    return [
        member
        for member in group.members
        if (member.counts or (member.life_cycle == STANDBY and refresh.standby != "Ignore"))
        and member.launched < refresh.started
        and not (refresh.skip_matching and member.template == group.template)
        and not (member.protected and refresh.protected == "Ignore")
    ]


def new(group: Group, refresh: Refresh) -> list[Member]:
    return [member for member in group.counted if member.launched >= refresh.started]


def ready_at(member: Member, refresh: Refresh) -> float | None:
    """When an instance is, or will be, warm."""
    if member.life_cycle != IN_SERVICE or not member.healthy or member.in_service_since is None:
        return None
    return member.in_service_since + refresh.warmup


def ready(group: Group, refresh: Refresh, now: float) -> list[Member]:
    times = [(member, ready_at(member, refresh)) for member in new(group, refresh)]
    return [member for member, time in times if time is not None and time <= now]


def total(group: Group, refresh: Refresh) -> int:
    """How many are replaced in all, from the first to the last; what is started in advance is not counted twice."""
    replaced = old(group, refresh) + new(group, refresh)
    untouched = len(group.counted) - len([member for member in replaced if member.counts])
    return max(min(len(replaced), group.desired - untouched), 1)


def begun(group: Group, refresh: Refresh) -> int:
    """How many old ones are gone or going."""
    return total(group, refresh) - len(old(group, refresh))


def allowed(group: Group, refresh: Refresh, now: float) -> int:
    """How many more may be begun, given the checkpoints."""
    whole, done = total(group, refresh), len(ready(group, refresh, now))
    for percentage in refresh.checkpoints:
        share = ceil(percentage * whole / 100)
        if done < share:
            return max(share - begun(group, refresh), 0)
        if percentage < 100 and now < reached_at(group, refresh, share) + refresh.checkpoint_delay:
            return 0
    return 0 if refresh.checkpoints else whole


def reached_at(group: Group, refresh: Refresh, share: int) -> float:
    """When so many were ready."""
    times = sorted(time for member in new(group, refresh) if (time := ready_at(member, refresh)) is not None)
    return times[share - 1] if share <= len(times) else float("inf")


def launches_first(refresh: Refresh) -> bool:
    return refresh.min_healthy >= 100 or refresh.max_healthy > 100


def movable(group: Group, refresh: Refresh) -> list[Member]:
    """Old instances that may go now, first who is first: those of the fullest zone, then the oldest."""
    counts = Counter(member.zone for member in group.counted)
    found = [
        member
        for member in old(group, refresh)
        if (member.life_cycle == IN_SERVICE or (member.life_cycle == STANDBY and refresh.standby == "Terminate"))
        and not (member.protected and refresh.protected == "Wait")
    ]
    return sorted(found, key=lambda member: (-counts[member.zone], member.launched, member.id))


def extra(group: Group, now: float) -> int:
    """How many instances the group may have beyond its desired capacity for the sake of a refresh."""
    refresh = group.refresh
    if not refresh or refresh.status != "InProgress" or not launches_first(refresh) or not group.active(*NEEDED):
        return 0
    room = max(floor(group.desired * refresh.max_healthy / 100) - group.desired, 1)
    begin = min(room, len(movable(group, refresh)), allowed(group, refresh, now))
    started = min(len(new(group, refresh)) - begun(group, refresh), len(old(group, refresh)))
    return max(begin, started, 0)


def step(group: Group, now: float) -> list[Action]:
    """Begin, go on with, or end the refresh of a group."""
    refresh = group.refresh
    if refresh is None:
        return []
    if refresh.status == "Cancelling":
        return [_progress(group, refresh, now, "Cancelled", "Cancelled due to user request.")]
    if not group.active(*NEEDED):
        return []
    if over(group, refresh, now):
        return [_progress(group, refresh, now, "Successful", "")]
    gone = [Move(m.id, "Terminating", CAUSE) for m in movable(group, refresh)[: spare(group, refresh, now)]]
    said = _progress(group, refresh, now, "InProgress", waiting(group, refresh, now))
    known = (refresh.status, refresh.percentage, refresh.left, refresh.reason)
    news = known != (said.status, said.percentage, said.left, said.reason)
    return [*gone, *([said] if news else [])]


def spare(group: Group, refresh: Refresh, now: float) -> int:
    """How many may go now; one at least, once everything has settled."""
    fresh = ready(group, refresh, now)
    healthy = [m for m in group.in_service if m.healthy and (m in fresh or m.launched < refresh.started)]
    number = len(healthy) - ceil(group.desired * refresh.min_healthy / 100)
    settled = len(healthy) == len(group.counted) == group.desired
    if number <= 0 and settled and not launches_first(refresh):
        number = 1
    in_stead = len(fresh) - begun(group, refresh) if launches_first(refresh) else 0
    return max(min(number, max(allowed(group, refresh, now), in_stead)), 0)


def over(group: Group, refresh: Refresh, now: float) -> bool:
    """Everything that was to be replaced is, and warm."""
    if len(group.counted) != group.desired or len(ready(group, refresh, now)) != len(new(group, refresh)):
        return False
    last = refresh.checkpoints[-1] if refresh.checkpoints else 100
    return len(old(group, refresh)) <= total(group, refresh) - ceil(last * total(group, refresh) / 100)


def waiting(group: Group, refresh: Refresh, now: float) -> str:
    """What a refresh that cannot go on waits for."""
    held = [m.id for m in old(group, refresh) if m not in movable(group, refresh)]
    if held and len(held) == len(old(group, refresh)):
        return f"Waiting for instances that are protected or in standby: {', '.join(held)}"
    if old(group, refresh) and not allowed(group, refresh, now) and reached(group, refresh, now):
        return "Waiting for the checkpoint delay"
    return ""


def reached(group: Group, refresh: Refresh, now: float) -> bool:
    """Whether as many are ready as some checkpoint asks for."""
    done, whole = len(ready(group, refresh, now)), total(group, refresh)
    return any(done == ceil(percentage * whole / 100) for percentage in refresh.checkpoints)


def _progress(group: Group, refresh: Refresh, now: float, status: str, reason: str) -> Progress:
    done, whole = len(ready(group, refresh, now)), total(group, refresh)
    percentage = 100 if status == "Successful" else min(100 * done // whole, 99)
    left = 0 if status == "Successful" else max(whole - done, 0)
    return Progress(refresh.id, status, percentage, left, reason)


def times(group: Group) -> list[float]:
    """Moments at which a refresh may go on."""
    refresh = group.refresh
    if refresh is None:
        return []
    warm = [time for member in new(group, refresh) if (time := ready_at(member, refresh)) is not None]
    return warm + [time + refresh.checkpoint_delay for time in warm if refresh.checkpoints]
