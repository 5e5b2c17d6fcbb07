# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told when waiting was in vain: every target with its state, the reason, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration import firewall
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Health,
    Target,
    Targets,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.reasons import (
    LISTENER_BEGINS,
    doubt,
    explained,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.remote import Remote
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.wait import Goal


def message(goals: Sequence[Goal], seen: Mapping[str, Targets], seconds: float, remote: Remote) -> list[str]:
    """The goals that were not reached, in words."""
    missed = [goal for goal in goals if goal.left(seen[goal.group.arn])]
    lines = [line for goal in missed for line in _lines(goal, seen[goal.group.arn], seconds, remote)]
    if missed and remote.last_error:
        lines.append(f"The last look failed: {remote.last_error}")
    return lines


def _lines(goal: Goal, current: Targets, seconds: float, remote: Remote) -> Iterator[str]:
    left, aim = goal.left(current), "gone" if goal.gone else "healthy"
    stuck = any(doubt(health) < LISTENER_BEGINS for health in goal.stuck(current).values())
    counted = f"{len(left)} of {len(goal.targets)} targets {'is' if len(left) == 1 else 'are'} not {aim}"
    yield f"{goal.group.name}: {counted}:" if stuck else f"{goal.group.name}: {counted} after {seconds:.0f} seconds:"
    for target in left:
        yield f"- {_told(goal, target, current.get(target))}"
    if not stuck:
        yield from _notes(goal, {target: current[target] for target in left if target in current}, remote)


def _told(goal: Goal, target: Target, health: Health | None) -> str:
    if goal.gone and health and not health.draining:
        return f"{target} is {health.state}: somebody else has registered it again"
    return explained(goal.group, target, health)


def _notes(goal: Goal, left: Targets, remote: Remote) -> Iterator[str]:
    if goal.gone:
        delay = remote.delay(goal.group)
        if delay is not None:
            yield f"The deregistration delay of {goal.group.name} is {delay} seconds."
        return
    try:
        found = firewall.obstacles(remote.elbv2, remote.ec2, goal.group, left)
    except AwsError as error:
        # Who may register targets need not be allowed to look at security groups.
        yield f"Whether security groups stand in the way could not be looked at: {error}"
        return
    for finding in found:
        yield f"- {finding}"
