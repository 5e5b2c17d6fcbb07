# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Health,
    HealthCheck,
    Target,
    TargetGroup,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.reasons import explained

GROUP = TargetGroup(
    "web",
    "arn:web",
    port=8080,
    load_balancers=("arn:aws:elasticloadbalancing:x:1:loadbalancer/app/shop/0a",),
    check=HealthCheck(True, "HTTP", "traffic-port", "/health", "200-299", interval=10, timeout=4),
)
TARGET = Target("i-0a", 8080)


@pytest.mark.parametrize(
    ("health", "told"),
    [
        (
            Health("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]"),
            "(Target.ResponseCodeMismatch: Health checks failed with these codes: [404]): it answers HTTP /health on "
            "port 8080 with another status than 200-299",
        ),
        (Health("unhealthy", "Target.Timeout", "Request timed out"), "is not answered within 4 seconds"),
        (Health("unhealthy", "Target.FailedHealthChecks"), "port or only on 127.0.0.1"),
        (Health("unhealthy", "Target.Timeout", check_port="9000"), "HTTP /health on port 9000"),
        (Health("initial", "Elb.InitialHealthChecking"), "every 10 seconds"),
        (Health("initial", "Elb.RegistrationInProgress"), "still taking it in"),
        (
            Health("unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled"),
            "its availability zone is not enabled for the load balancer shop",
        ),
        (
            Health("unused", "Target.InvalidState", "Target is in the stopped state"),
            "start it, or take it off the list",
        ),
        (Health("draining", "Target.DeregistrationInProgress"), "deregistration delay"),
        (None, "not registered: somebody else"),
        (Health("initial", "Elb.SomethingNew", "Wait for it"), "i-0a:8080 is initial (Elb.SomethingNew: Wait for it)"),
        (Health("healthy"), "i-0a:8080 is healthy"),
    ],
)
def test_a_state_is_told_with_its_reason_and_the_usual_cause(health: Health | None, told: str) -> None:
    assert told in explained(GROUP, TARGET, health)


def test_a_zone_is_the_cause_only_where_aws_says_so() -> None:
    text = "Target group is not configured to receive traffic from the load balancer"
    told = explained(GROUP, TARGET, Health("unused", "Target.NotInUse", text, zone="eu-central-1a"))
    assert "the load balancer shop sends it nothing: its listener or rule for this target group is new, or no" in told
    assert "zone" not in told


def test_a_group_that_nothing_leads_to() -> None:
    unattached = TargetGroup("web", "arn:web")
    assert "no listener or rule" in explained(unattached, TARGET, Health("unused", "Target.NotInUse"))


def test_an_ipv6_target_is_told_from_its_port() -> None:
    assert explained(GROUP, Target("2001:db8::1", 80), Health("healthy")) == "[2001:db8::1]:80 is healthy"
