# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is registered with which target group, and what becomes of it as time passes.

Kept beside moto's own registrations, which know one port per target. What moto registers by itself (Auto Scaling)
is taken over when it is seen.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from lab.cloud.strict import lifecycle
from lab.cloud.strict.lifecycle import Checks, Health, Target

DELAY = "deregistration_delay.timeout_seconds"
Key = tuple[str, int | None]


class Targets:
    """All registrations, by the ARN of the target group."""

    def __init__(self, clock: Any, health_checks: Any) -> None:
        self._clock, self._health_checks = clock, health_checks
        self.clear()

    def clear(self) -> None:
        self.of_group: dict[str, dict[Key, Target]] = defaultdict(dict)
        self._in_use: set[str] = set()
        # Ids that moto has registered by itself.
        self._motos: dict[str, set[Key]] = defaultdict(set)

    def register(self, group: Any, target_id: str, port: int | None, zone: str | None) -> None:
        """A target that is there and not draining stays as it is; one that drains begins anew."""
        key, now = (target_id, port), self._clock.now()
        known = self.of_group[group.arn].get(key)
        if known is None or known.draining_until is not None:
            self.of_group[group.arn][key] = Target(target_id, port, zone, now)

    def deregister(self, group: Any, target_id: str, port: int | None) -> None:
        """Drain for the group's delay. Where no request can be in flight the target goes at once."""
        target = self.of_group[group.arn].get((target_id, port))
        if target is None or target.draining_until is not None:
            return
        delay = float(group.attributes.get(DELAY, 0)) if group.target_type != "lambda" else 0.0
        idle = group.arn not in self._in_use or target.stopped
        target.draining_until = self._clock.now() + (0.0 if idle else delay)

    def observe(self, elbv2: Any) -> None:
        """Bring everything to the present: groups that came into use, instances that stopped, drains that ended."""
        now = self._clock.now()
        for arn in [arn for arn in self.of_group if arn.startswith(prefix(elbv2)) and arn not in elbv2.target_groups]:
            del self.of_group[arn]
        for group in elbv2.target_groups.values():
            self._take_over(group)
            self._see_use(elbv2, group, now)
            for key, target in list(self.of_group[group.arn].items()):
                self._see_instance(elbv2, group, target, now)
                if target.draining_until is not None and target.draining_until <= now:
                    del self.of_group[group.arn][key]

    def _take_over(self, group: Any) -> None:
        """Follow what moto has registered and deregistered by itself."""
        there = {(entry["Id"], int(entry["Port"]) if entry["Port"] else None) for entry in group.targets.values()}
        before = self._motos[group.arn]
        self._motos[group.arn] = there
        for target_id, port in there - before:
            self.register(group, target_id, port, None)
        for target_id, port in before - there:
            self.deregister(group, target_id, port)

    def _see_use(self, elbv2: Any, group: Any, now: float) -> None:
        """Checks begin when a listener begins to use the group."""
        group.load_balancer_arns = [balancer.arn for balancer in users(elbv2, group.arn)]
        if not group.load_balancer_arns:
            self._in_use.discard(group.arn)
        elif group.arn not in self._in_use:
            self._in_use.add(group.arn)
            for target in self.of_group[group.arn].values():
                target.since = now

    def _see_instance(self, elbv2: Any, group: Any, target: Target, now: float) -> None:
        """A stopped instance is not used; a terminated one is deregistered; a started one begins anew."""
        if group.target_type != "instance":
            return
        instance = elbv2.ec2_backend.get_instance_by_id(target.id)
        state = instance.state if instance else "terminated"
        if state == "terminated":
            self.deregister(group, target.id, target.port)
        elif target.stopped and state == "running":
            target.since = now
        target.stopped = state in ("stopping", "stopped")

    def health(self, elbv2: Any, group: Any, target: Target) -> Health:
        """The target's state now, after ``observe``."""
        if target.draining_until is not None:
            return lifecycle.DRAINING
        if target.stopped:
            return lifecycle.STOPPED
        if group.arn not in self._in_use:
            return lifecycle.NOT_IN_USE
        if target.zone not in (None, "all", *zones(elbv2, group)):
            return lifecycle.ZONE_NOT_ENABLED
        if not group.health_check_enabled:
            return lifecycle.UNCHECKED
        if self._health_checks.measured is not None:
            return self._health_checks.measured(group.arn, target.id, target.port) or lifecycle.REGISTERING
        answers = self._health_checks.of(group.arn, target.id, target.port)
        return lifecycle.health(target, answers, checks(group), self._clock.now())


def prefix(elbv2: Any) -> str:
    """How the ARNs of an account and region begin."""
    return f"arn:aws:elasticloadbalancing:{elbv2.region_name}:{elbv2.account_id}:"


def users(elbv2: Any, arn: str) -> list[Any]:
    """The load balancers with a listener that leads to the group."""
    return [
        balancer
        for balancer in elbv2.load_balancers.values()
        for listener in balancer.listeners.values()
        if any(
            arn in elbv2._get_target_group_arns_from(action_data=action.data)
            for rule in listener.rules.values()
            for action in rule.actions
        )
    ]


def zones(elbv2: Any, group: Any) -> set[str]:
    """The Availability Zones that are enabled for the group's load balancers."""
    return {str(subnet.availability_zone) for balancer in users(elbv2, group.arn) for subnet in balancer.subnets}


def checks(group: Any) -> Checks:
    """The health check of a group of moto."""
    matcher = (getattr(group, "matcher", None) or {}).get("HttpCode") or "200-399"
    return Checks(
        float(group.health_check_interval_seconds),
        int(group.healthy_threshold_count),
        int(group.unhealthy_threshold_count),
        lifecycle.codes(matcher),
    )
