# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until targets are healthy or gone, all groups in one loop; a look is one call per group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    UNUSED,
    Health,
    Target,
    TargetGroup,
    Targets,
    in_order,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.reasons import (
    done,
    doubt,
)

# Seconds beyond what the group's own settings ask for: the load balancer needs time to take a target in or to
# let it go, and the service may start only now.
SLACK = 120
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
LONGEST_DELAY = 3600
Look = Callable[[Sequence[TargetGroup]], Mapping[str, Targets]]


@dataclass(frozen=True)
class Goal:
    """What is waited for in one group: that the targets are healthy, or that they are ``gone`` from its list."""

    group: TargetGroup
    targets: frozenset[Target]
    gone: bool = False

    def left(self, current: Targets) -> tuple[Target, ...]:
        """Those that are not there yet."""
        if self.gone:
            return in_order(self.targets & current.keys())
        return in_order(
            target for target in self.targets if target not in current or not done(self.group, current[target])
        )

    def stuck(self, current: Targets) -> dict[Target, Health]:
        """Those for which waiting hardly helps: nothing is sent to an unused target, for a reason that stays."""
        if self.gone:
            return {}
        there = self.targets & current.keys()
        return {target: current[target] for target in there if current[target].state == UNUSED}


def health_timeout(groups: Iterable[TargetGroup]) -> int:
    """Seconds for a healthy service to be found healthy in the slowest of the groups."""
    return SLACK + max((group.check.interval * group.check.threshold for group in groups), default=0)


def drain_timeout(delays: Iterable[int | None]) -> int:
    """Seconds for targets to be gone, from the deregistration delays of their groups."""
    return SLACK + max((LONGEST_DELAY if delay is None else delay for delay in delays), default=0)


def wait(goals: Sequence[Goal], current: Mapping[str, Targets], look: Look, waiting: Waiting) -> dict[str, Targets]:
    """Look until every goal is reached, cannot be reached, or time is over; returns what was seen last.

    A target that the load balancer has just taken in, or whose listener is new, may be told of as unused for a
    while: that is believed when it stays so.
    """
    seen = dict(current)
    # Since when, in seconds of the wait, each is stuck as it is now.
    since: dict[tuple[str, Target, Health], float] = {}
    while True:
        still = [goal for goal in goals if goal.left(seen[goal.group.arn])]
        stuck = [(goal.group.arn, *item) for goal in still for item in goal.stuck(seen[goal.group.arn]).items()]
        since = {item: since.get(item, waiting.waited) for item in stuck}
        hopeless = any(waiting.waited - first >= doubt(item[2]) for item, first in since.items())
        if not still or hopeless or not waiting.pause():
            return seen
        seen.update(look([goal.group for goal in still]))
