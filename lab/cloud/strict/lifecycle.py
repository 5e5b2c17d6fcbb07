# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a target as a function of time: initial, healthy or unhealthy, draining, gone. Knows no moto.

"After your target is registered, it must pass one health check to be considered healthy."
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
Reasons: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
"""

from __future__ import annotations

from dataclasses import dataclass, field

# What a health check of a target meets: True is a pass whatever the matcher, a number is a status code.
Outcome = bool | int | str
TIMEOUT, REFUSED = "timeout", "refused"
# Seconds until a new target is known to the load balancer's nodes.
REGISTRATION = 1.0


@dataclass(frozen=True)
class Health:
    """TargetHealth of the API."""

    state: str
    reason: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Checks:
    """The health check of a group. ``codes`` are the status codes that it takes."""

    interval: float
    healthy_threshold: int
    unhealthy_threshold: int
    codes: frozenset[int]

    def passed(self, outcome: Outcome) -> bool:
        return outcome is True or outcome in self.codes


@dataclass
class Target:
    """A registration. ``since`` is when health checks could begin; times are the clock's seconds."""

    id: str
    port: int | None
    zone: str | None
    since: float
    stopped: bool = False
    draining_until: float | None = None


@dataclass
class Answers:
    """What the checks of a target meet from a time on; the last that is not later counts."""

    said: list[tuple[float, Outcome]] = field(default_factory=list)

    def at(self, time: float) -> Outcome:
        past = [outcome for start, outcome in self.said if start <= time]
        return past[-1] if past else True


NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE = Health(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
ZONE_NOT_ENABLED = Health(
    "unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer"
)
STOPPED = Health("unused", "Target.InvalidState", "Target is in the stopped state")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
REGISTERING = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
UNCHECKED = Health("unavailable", "Target.HealthCheckDisabled", "Health checks are not enabled for this target group")
HEALTHY = Health("healthy")


def health(target: Target, answers: Answers, checks: Checks, now: float) -> Health:
    """State of a target that the load balancer checks; one check per interval, from the end of registration."""
    begin = target.since + REGISTRATION
    if now < begin:
        return REGISTERING
    state, streak, passing = CHECKING, 0, True
    for number in range(1, int((now - begin) / checks.interval) + 1):
        outcome = answers.at(begin + number * checks.interval)
        passed = checks.passed(outcome)
        streak = streak + 1 if passed == passing else 1
        passing = passed
        if passed and (state is CHECKING or streak >= checks.healthy_threshold):
            state = HEALTHY
        elif not passed and (streak >= checks.unhealthy_threshold or state.state == "unhealthy"):
            state = unhealthy(outcome)
    return state


def unhealthy(outcome: Outcome) -> Health:
    """What failed, in AWS's words."""
    if outcome == TIMEOUT:
        return Health("unhealthy", "Target.Timeout", "Request timed out")
    if outcome == REFUSED:
        return Health("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
    return Health("unhealthy", "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{outcome}]")


def codes(matcher: str) -> frozenset[int]:
    """Status codes of a matcher: 200 | 200,202 | 200-299."""
    found: set[int] = set()
    for part in matcher.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
