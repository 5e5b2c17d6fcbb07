# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a target's state means and what usually causes it, in words; pure.

Reason codes: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
"""

from __future__ import annotations

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    UNAVAILABLE,
    Health,
    Target,
    TargetGroup,
)

NOT_IN_USE = "Target.NotInUse"
# What in AWS's description tells the two meanings of Target.NotInUse apart.
ZONE = "Availability Zone"
# Seconds that a listener, or a rule, may take until it sends something to a target group that is new to it.
LISTENER_BEGINS = 60.0
# Seconds; less than any pause, so that what is seen for so long was seen twice.
SEEN_TWICE = 0.1
CAUSES = {
    "Elb.RegistrationInProgress": "the load balancer is still taking it in, which can take minutes",
    "Elb.InitialHealthChecking": "its first health checks are not finished ({check} every {interval} seconds)",
    "Elb.InternalError": "the load balancer has a problem of its own; wait, and look at AWS's health dashboard",
    "Target.ResponseCodeMismatch": (
        "it answers {check} with another status than {statuses}: look at that path, at redirects, and at what the "
        "service expects in the Host header"
    ),
    "Target.Timeout": (
        "{check} is not answered within {timeout} seconds: usually a security group or network ACL that does not "
        "admit the load balancer, or a service that hangs"
    ),
    "Target.FailedHealthChecks": (
        "{check} meets a connection that is refused or breaks: usually the service does not run, listens on another "
        "port or only on 127.0.0.1, or speaks another protocol"
    ),
    "Target.InvalidState": "the instance does not run: start it, or take it off the list",
    "Target.IpUnusable": "the address is used by a load balancer itself: give another one",
    "Target.HealthCheckDisabled": "the target group checks no health",
    "Target.DeregistrationInProgress": "it finishes the requests that it has, until the deregistration delay is over",
}


def name_of(arn: str) -> str:
    """The name in a load balancer's ARN."""
    parts = arn.split("/")
    return parts[2] if len(parts) > 2 else arn


def check_port(group: TargetGroup, target: Target, health: Health) -> int | None:
    """The port that the health check connects to; None for functions."""
    told = health.check_port or group.check.port
    return int(told) if told.isdigit() else target.port


def explained(group: TargetGroup, target: Target, health: Health | None) -> str:
    """One target's state with AWS's reason and what usually causes it."""
    if health is None:
        return f"{target} is not registered: somebody else has deregistered it, or it is not taken in yet"
    reason = ": ".join(part for part in (health.reason, health.description) if part)
    told = f"{target} is {health.state}" + (f" ({reason})" if reason else "")
    cause = _cause(group, target, health)
    return f"{told}: {cause}" if cause else told


def done(group: TargetGroup, health: Health) -> bool:
    """Whether a target serves as well as the load balancer can know: a function without health checks has no state."""
    return health.healthy or (group.kind == "lambda" and health.state == UNAVAILABLE)


def doubt(health: Health) -> float:
    """Seconds for which an unused target may be told of as unused and yet come into use."""
    if health.reason != NOT_IN_USE:
        return 0.0
    return SEEN_TWICE if ZONE in health.description else LISTENER_BEGINS


def unattached(group: TargetGroup) -> str:
    """Why no target of a group without a load balancer ever becomes healthy."""
    return (
        f"{group.name}: no listener or rule of a load balancer forwards to this target group, so that its targets "
        "stay unused: add one first, or set wait: false"
    )


def _cause(group: TargetGroup, target: Target, health: Health) -> str:
    if health.reason == NOT_IN_USE:
        return _not_in_use(group, health)
    check = group.check
    asked = " ".join(part for part in (check.protocol, check.path) if part) or "the health check"
    port = check_port(group, target, health)
    return CAUSES.get(health.reason, "").format(
        check=f"{asked} on port {port}" if port else asked,
        interval=check.interval,
        timeout=check.timeout,
        statuses=check.statuses or "the expected one",
    )


def _not_in_use(group: TargetGroup, health: Health) -> str:
    balancers = ", ".join(name_of(arn) for arn in group.load_balancers)
    if ZONE in health.description:
        zone = f" {health.zone}" if health.zone and health.zone != "all" else ""
        return (
            f"its availability zone{zone} is not enabled for the load balancer {balancers}: "
            "enable it with a subnet in that zone, or register targets of the enabled ones"
        )
    if group.load_balancers:
        return (
            f"the load balancer {balancers} sends it nothing: its listener or rule for this target group is new, or no "
            "request can match it (another rule comes first, or its weight is 0)"
        )
    return "no listener or rule of a load balancer forwards to this target group: add one"
