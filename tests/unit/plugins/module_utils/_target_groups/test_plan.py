# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the target groups that there are to those that should be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.model import (
    OWNER,
    TargetGroup,
    findings,
    from_params,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.plan import Plan, names, plan
from hypothesis import given
from hypothesis import strategies as st

CHECK = {
    "path": "/health", "port": "traffic-port", "protocol": None, "interval": 10, "timeout": 5, "healthy": 2,
    "unhealthy": 3, "codes": "200",
}  # fmt: skip


def group(name: str = "api", port: int = 8000, **others: Any) -> dict[str, Any]:
    return {
        "name": name,
        "port": port,
        "protocol": "HTTP",
        "protocol_version": "HTTP1",
        "target_type": "instance",
        "deregistration_delay": 30,
        "slow_start": 0,
        "algorithm": "round_robin",
        **others,
        "stickiness": {"seconds": 0, "cookie": "", **others.get("stickiness", {})},
        "health_check": {**CHECK, **others.get("health_check", {})},
    }


def wanted(*groups: dict[str, Any], **others: Any) -> list[TargetGroup]:
    return from_params({"platform": "shop", "vpc_id": "vpc-1", "tags": None, "groups": groups, **others})


def there(told: Plan) -> list[TargetGroup]:
    """The account after a plan: AWS gives what is new an ARN."""
    return [replace(one, arn=one.arn or f"arn:{one.name}") for one in told.after()]


GROUPS = st.lists(
    st.builds(
        group,
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([8000, 8001]),
        deregistration_delay=st.sampled_from([0, 30]),
        stickiness=st.sampled_from([{}, {"seconds": 60}, {"seconds": 60, "cookie": "session"}]),
        health_check=st.sampled_from([{}, {"codes": "200-299", "protocol": "HTTPS"}]),
    ),
    unique_by=lambda told: told["name"],
)


@given(GROUPS, GROUPS, GROUPS)
def test_the_plan_leads_to_what_is_wanted_whatever_there_was(
    first: list[dict[str, Any]], second: list[dict[str, Any]], third: list[dict[str, Any]]
) -> None:
    account = there(plan(there(plan([], wanted(*first), purge=False)), wanted(*second), purge=False))
    without = plan(account, wanted(*third), purge=False)
    assert {one.name for one in account} <= {one.name for one in without.after()}
    told = plan(there(without), wanted(*third), purge=True)
    assert not told.create
    assert not told.change
    after = there(told)
    assert sorted(one.service for one in after) == sorted(one["name"] for one in third)
    assert not plan(after, wanted(*reversed(third)), purge=True).changed
    assert len({one.name for one in after}) == len(after)
    assert {one.name for one in without.create} <= set(names(wanted(*third)))


def test_another_port_is_another_group_beside_the_old_one() -> None:
    before = there(plan([], wanted(group()), purge=False))
    told = plan(before, wanted(group(port=9000)), purge=False)
    [new] = told.create
    assert (new.fixed["Port"], new.tags["Name"]) == (9000, new.name)
    assert new.name.startswith("shop-api-")
    assert [one.name for one in told.obsolete] == ["shop-api"]
    assert told.remove == ()
    back = plan(there(plan(there(told), wanted(group(port=9000)), purge=True)), wanted(group()), purge=False)
    assert [one.name for one in back.create] == ["shop-api"]


def test_changes_in_words() -> None:
    before = there(plan([], wanted(group(), group("old")), purge=False))
    changed = group(stickiness={"seconds": 60}, health_check={"interval": 20}, slow_start=30)
    told = plan(before, wanted(changed, group("new", 8001), tags={"team": "one"}), purge=True)
    assert told.sentences() == [
        "shop-new: new, HTTP 8001 of new",
        "shop-api: HealthCheckIntervalSeconds becomes 20, slow_start.duration_seconds becomes 30, stickiness.enabled "
        "becomes true, stickiness.lb_cookie.duration_seconds becomes 60, stickiness.type becomes lb_cookie, "
        "team becomes one",
        "shop-old: goes",
    ]
    off = plan(there(told), wanted(group(), group("new", 8001)), purge=True)
    assert "stickiness.enabled becomes false" in off.sentences()[0]


def test_every_group_has_the_tag_from_the_beginning() -> None:
    assert all(one.tags[OWNER] == "shop" for one in wanted(group(), group("b"), tags={OWNER: "other"}))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (group(port=0), "port is 0, and AWS takes 1 to 65535"),
        (group(health_check={"interval": 5, "timeout": 5}), "timeout (5) is not shorter than the interval (5)"),
        (group(health_check={"interval": 301}), "health_check.interval is 301"),
        (group(health_check={"healthy": 1}), "health_check.healthy is 1"),
        (group(health_check={"path": "health"}), "health_check.path 'health' does not begin with a slash"),
        (group(deregistration_delay=3601), "deregistration_delay is 3601"),
        (group(stickiness={"seconds": 604801}), "stickiness.seconds is 604801"),
        (group(slow_start=10), "slow_start is 10, and AWS takes 0 (off) or 30 to 900"),
        (group(slow_start=30, algorithm="weighted_random"), "slow_start needs the algorithm round_robin"),
    ],
)
def test_refusals(told: dict[str, Any], words: str) -> None:
    [found] = findings({"state": "present", "vpc_id": "vpc-1", "groups": [told]})
    assert words in found


def test_the_vpc_may_be_missing_in_check_mode_alone() -> None:
    params = {"state": "present", "vpc_id": "", "groups": [group(), group()]}
    assert [finding.split(":")[0] for finding in findings(params, True)] == ["groups[1] api"]
    assert "vpc_id is empty" in list(findings(params))[-1]
