# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many instances an Auto Scaling group launches and ends, and in which zones. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#arch-AutoScalingMultiAZ
"""

from __future__ import annotations

from collections import Counter

from lab.cloud.scaling_records import DIFFERENCE
from lab.region import scaling_refresh
from lab.region.scaling_model import Action, Group, Launch, Member, Move, after

REBALANCE = "rebalancing, to balance instances between zones"


def scale(group: Group, now: float) -> list[Action]:
    """As many instances as desired. What starts may finish starting before anything is ended in its stead."""
    wanted = group.desired + scaling_refresh.extra(group, now)
    missing = wanted - len(group.counted)
    if missing > 0:
        return launches(group, now, missing, DIFFERENCE)
    spare = min(-missing, len(group.in_service) - wanted)
    if spare <= 0 or not group.active("Terminate"):
        return []
    found: list[Action] = []
    for _number in range(spare):
        victim = next(iter(victims(group)), None)
        if victim is None:
            break
        found.append(Move(victim.id, "Terminating", DIFFERENCE))
        group = after(group, found[-1:], now)
    return found


def launches(group: Group, now: float, number: int, cause: str) -> list[Action]:
    """New instances, each where the fewest are."""
    if not group.subnets or now < group.launch_after or not group.active("Launch"):
        return []
    counts = Counter(member.zone for member in group.counted)
    found: list[Action] = []
    for _number in range(number):
        subnet, zone = min(group.subnets, key=lambda place: counts[place[1]])
        counts[zone] += 1
        found.append(Launch(subnet, zone, cause))
    return found


def victims(group: Group) -> list[Member]:
    """Who may be ended, first who is first: in the fullest zone, then by the termination policy. Zones that the
    group has left come before all others.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
    """
    counts = Counter(member.zone for member in group.counted)

    def order(member: Member) -> tuple[object, ...]:
        return (member.zone in group.zones, -counts[member.zone], *by_policy(group, member), member.id)

    return sorted((member for member in group.in_service if not member.protected), key=order)


def by_policy(group: Group, member: Member) -> tuple[object, ...]:
    """Order inside a zone; policies that are about purchase options are treated as Default."""
    if group.policy == "OldestInstance":
        return (member.launched,)
    if group.policy == "NewestInstance":
        return (-member.launched,)
    return (member.template == group.template, member.launched)


def rebalance(group: Group, now: float) -> list[Action]:
    """Launch one in the emptiest zone while another has two more; who is too many then goes by ``scale``.

    "launches new instances before terminating the earlier ones"
    """
    settled = len(group.in_service) == len(group.counted) == group.desired and not group.refresh
    if not settled or not group.zones or not group.active("AZRebalance", "Launch", "Terminate"):
        return []
    counts = Counter(member.zone for member in group.counted)
    least = min(counts[zone] for zone in group.zones)
    fullest = next(iter(victims(group)), None)
    if fullest and (fullest.zone not in group.zones or counts[fullest.zone] > least + 1):
        return launches(group, now, 1, REBALANCE)
    return []
