# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets of the control plane while AWS is late, refuses a part, or cannot be reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    TargetRegistrationError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.remote import Remote
from botocore.exceptions import EndpointConnectionError

from lab.cloud import ControlPlane
from tests.cloud.shop import Shop

NOT_IN_USE = {
    "State": "unused",
    "Reason": "Target.NotInUse",
    "Description": "Target group is not configured to receive traffic from the load balancer",
}


@pytest.fixture
def shop(cloud: ControlPlane) -> Shop:
    return Shop(cloud)


def unused_for(shop: Shop, seconds: float) -> Callable[..., Any]:
    """The load balancer does not know of its new listener before so many seconds."""
    begins = shop.cloud.clock.now() + seconds

    def describe(method: Callable[..., dict[str, Any]], **arguments: Any) -> dict[str, Any]:
        answer = method(**arguments)
        if shop.cloud.clock.now() < begins:
            for told in answer["TargetHealthDescriptions"]:
                told["TargetHealth"] = NOT_IN_USE
        return answer

    return describe


def test_a_listener_that_begins_late_is_waited_for(shop: Shop) -> None:
    arn = shop.group("web")
    ids = shop.instances(1)
    shop.settle()
    shop.run(["web"], ids, remote=shop.remote(describe_target_health=unused_for(shop, 8)))
    assert shop.states(arn) == {ids[0]: "healthy"}


def test_a_listener_that_sends_nothing_is_told_after_a_minute(shop: Shop) -> None:
    shop.group("web")
    ids = shop.instances(1)
    shop.settle()
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web"], ids, remote=shop.remote(describe_target_health=unused_for(shop, 9999)))
    assert "the load balancer shop sends it nothing: its listener or rule for this target group is new" in str(
        caught.value
    )
    assert "1 of 1 targets is not healthy after " in str(caught.value)
    assert 60 <= sum(shop.pauses) < 80


class Outage:
    """From the first call of ``begins`` on nobody is reached, so many calls long."""

    def __init__(self, shop: Shop, begins: str, calls: int = 3) -> None:
        self.shop, self.begins, self.left, self.began = shop, begins, calls, False

    def remote(self) -> Remote:
        methods = ("describe_target_health", "register_targets", "deregister_targets")
        return self.shop.remote(**dict.fromkeys(methods, self.answer))

    def answer(self, method: Callable[..., Any], **arguments: Any) -> Any:
        self.began = self.began or method.__name__ == self.begins
        if self.began and self.left:
            self.left -= 1
            raise EndpointConnectionError(endpoint_url=self.shop.cloud.endpoint)
        return method(**arguments)


@pytest.mark.parametrize("begins", ["describe_target_health", "register_targets", "deregister_targets"])
def test_a_network_that_is_down_for_a_while_does_not_end_a_change(shop: Shop, begins: str) -> None:
    old, new = shop.instances(1), shop.instances(1)
    arn = shop.serving("web", old)
    outage = Outage(shop, begins)
    assert shop.run(["web"], new, exclusive=True, remote=outage.remote())["changed"]
    assert not outage.left
    assert shop.states(arn) == {new[0]: "healthy"}
    assert shop.calls()["RegisterTargets"] == shop.calls()["DeregisterTargets"] == 1


def test_a_network_that_stays_down_ends_a_change_that_did_not_begin(shop: Shop) -> None:
    arn = shop.group("web")
    ids = shop.instances(1)
    shop.settle()
    remote = Outage(shop, "register_targets", calls=9999).remote()
    with pytest.raises(TargetRegistrationError, match="web: Could not connect to the endpoint URL"):
        shop.run(["web"], ids, remote=remote)
    assert 30 < sum(shop.pauses) <= 60
    assert shop.states(arn) == {}


def failure(shop: Shop, targets: list[Any], **params: Any) -> tuple[str, bool]:
    """The message of a run that fails, and whether the module says that something changed."""
    remote = shop.remote()
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web"], targets, remote=remote, **params)
    return str(caught.value), remote.ledger.changed


def test_a_part_that_was_taken_is_told_when_the_next_one_is_refused(shop: Shop) -> None:
    arn = shop.group("web", kind="ip", attached=False)
    addresses = [f"10.1.{number // 250}.{number % 250 + 1}" for number in range(401)]
    shop.settle()
    shop.cloud.faults.add("refused", number=2, operation="RegisterTargets")
    message, changed = failure(shop, addresses, wait=False)
    there = shop.states(arn)
    assert changed
    assert len(there) == 200
    done, missing = message.split("\n")[1:]
    assert done.startswith("Done before that: ")
    assert missing.startswith("Not done: ")
    assert {address for address in addresses if f"registers {address}:80" in done} == set(there)
    assert all(f"registers {address}:80" in missing for address in addresses if address not in there)


def test_a_lost_answer_that_nobody_tells_more_of_counts_as_a_change(shop: Shop) -> None:
    shop.group("web")
    ids = shop.instances(1)
    shop.settle()
    shop.cloud.faults.add("lost", operation="RegisterTargets")
    shop.cloud.faults.add("refused", number=2, operation="DescribeTargetHealth")
    message, changed = failure(shop, ids)
    assert changed
    assert message.endswith(f"\nPerhaps done: web: registers {ids[0]}:80.")


def test_a_lost_answer_of_a_call_without_effect_counts_as_no_change(shop: Shop) -> None:
    shop.group("web")
    ids = shop.instances(1)
    shop.settle()
    shop.cloud.faults.add("timeout", operation="RegisterTargets")
    shop.cloud.faults.add("refused", number=2, operation="RegisterTargets")
    message, changed = failure(shop, ids)
    assert not changed
    assert "done" not in message.lower()


def test_what_a_lost_answer_did_is_told_as_done_once_it_was_seen(shop: Shop) -> None:
    old, new = shop.instances(1), shop.instances(1)
    shop.serving("web", old)
    shop.cloud.faults.add("lost", operation="RegisterTargets")
    shop.cloud.faults.add("refused", operation="DeregisterTargets")
    message, changed = failure(shop, new, exclusive=True)
    assert changed
    assert message.endswith(f"\nDone before that: web: registers {new[0]}:80.\nNot done: web: deregisters {old[0]}:80.")
