# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a fleet and how its hosts stand to batches; pure.

One host goes first. The others follow in batches whose number does not grow with the fleet. Hosts that serve nobody,
as those that a killed run has left, come before those that do: they need no drain and cost no capacity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import (
    HEALTHY,
    IN_SERVICE,
    PENDING,
    Fleet,
    FleetPlan,
    Host,
    Step,
)


def plan(fleet: Fleet, hosts: Sequence[Host], serving: int, balanced: bool, later: bool = False) -> FleetPlan:
    """What is done to which host, and when.

    ``serving`` is the number of instances that the group has in service, also of those that the rollout leaves out.
    ``balanced``: there is a target group. ``later``: hosts that are being launched are not left for a later round.
    """
    # What is wrong with an instance that is on its way out is nobody's concern.
    findings = [f"{host.name} of fleet {fleet.name}: {host.problem}" for host in hosts if host.problem and _stays(host)]
    left = {host.name: why for host in hosts if (why := _left(host, later))}
    todo = [host for host in hosts if host.name not in left and not host.stays]
    steps = {host.name: _step(fleet, host, serving, balanced) for host in todo}
    findings += _stuck(fleet, serving) if any(step.drain for step in steps.values()) else []
    if findings:
        return FleetPlan(fleet, serving, left=left, findings=tuple(findings))
    return FleetPlan(fleet, serving, batches(in_order(todo), fleet.size(serving)), steps, left)


def in_order(hosts: Sequence[Host]) -> list[str]:
    """Names of those that serve nobody first, then of the others."""
    return [host.name for host in sorted(hosts, key=lambda host: (host.standing == HEALTHY, host.name))]


def batches(names: Sequence[str], size: int) -> tuple[tuple[str, ...], ...]:
    """One first, then so many at a time."""
    rest = range(1, len(names), size)
    return tuple(tuple(part) for part in (names[:1], *(names[start : start + size] for start in rest)) if part)


def _stays(host: Host) -> bool:
    return host.serves or host.life_cycle.startswith(PENDING)


def takes_part(host: Host, later: bool) -> bool:
    """Whether the rollout is about a host; ``later`` see plan."""
    return host.serves or (later and host.life_cycle.startswith(PENDING))


def _left(host: Host, later: bool) -> str:
    if takes_part(host, later):
        why = f"cannot go there: {host.lacks}; terminate it, and its successor gets what is published"
        return why if host.lacks else ""
    if host.life_cycle.startswith(PENDING):
        return "is being launched"
    return f"is not in service ({host.life_cycle or 'no instance of the group'})"


def _step(fleet: Fleet, host: Host, serving: int, balanced: bool) -> Step:
    """A fleet of one host switches by the gate on the host: there is nobody to take over."""
    in_balance = balanced and host.serves
    drain = in_balance and host.changes and host.standing == HEALTHY and serving > 1
    return Step(fleet.name, drain, in_balance, host.bare, host.changes, host.releases, host.sources)


def _stuck(fleet: Fleet, serving: int) -> Iterator[str]:
    floor = fleet.floor(serving)
    if floor >= serving:
        yield (
            f"fleet {fleet.name} has {serving} hosts {IN_SERVICE}, and {floor} of them have to stay healthy "
            f"(platform_fleets: deploy.minimum_healthy: {fleet.minimum}): lower it, so that a host can be taken out"
        )
