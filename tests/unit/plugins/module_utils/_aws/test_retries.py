# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries, reached


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.pauses.append(seconds)

    def clock(self, chance: float = 0.999) -> Clock:
        return Clock(lambda: self.seconds, self.sleep, lambda: chance)


def throttled() -> None:
    raise AwsError("DescribeSecurityGroups", "slow down", code="RequestLimitExceeded", throttled=True)


def test_reading_is_repeated_with_longer_pauses_until_the_budget_is_spent() -> None:
    time = Time()
    with pytest.raises(AwsError, match="RequestLimitExceeded"):
        Retries(30, clock=time.clock()).reading(throttled)
    assert time.pauses == sorted(time.pauses)
    assert time.pauses[0] == pytest.approx(0.5, rel=0.01)
    assert 20 < sum(time.pauses) <= 30


def test_pauses_are_spread() -> None:
    time = Time()
    with pytest.raises(AwsError):
        Retries(3, clock=time.clock(chance=0)).reading(throttled)
    assert time.pauses[0] == pytest.approx(0.05)


def test_what_cannot_be_helped_is_told_at_once() -> None:
    def refused() -> None:
        raise AwsError("CreateSecurityGroup", "no", code="UnauthorizedOperation", request_id="1-2")

    time = Time()
    with pytest.raises(AwsError, match=r"^CreateSecurityGroup: UnauthorizedOperation: no \(request 1-2\)$"):
        Retries(30, clock=time.clock()).reading(refused)
    assert not time.pauses


def test_an_answer_after_a_while_is_taken() -> None:
    answers = iter([True, True, False])

    def sometimes() -> str:
        if next(answers):
            throttled()
        return "groups"

    assert Retries(30, clock=Time().clock()).reading(sometimes) == "groups"


def test_who_has_answered_before_is_waited_for() -> None:
    def down() -> None:
        raise AwsError("RegisterTargets", "Could not connect", unreachable=True)

    time = Time()
    with pytest.raises(AwsError, match=r"^RegisterTargets: Could not connect$"):
        Retries(30, clock=time.clock()).reading(down)
    assert not time.pauses

    def down_for_a_while() -> None:
        with reached():
            down()

    with pytest.raises(AwsError, match=r"^RegisterTargets: Could not connect$") as caught:
        Retries(30, clock=time.clock()).reading(down_for_a_while)
    assert sum(time.pauses) > 20
    assert not caught.value.uncertain


def test_what_is_only_good_to_know_takes_nothing_of_the_budget() -> None:
    time = Time()
    retries = Retries(30, clock=time.clock())
    with pytest.raises(AwsError):
        retries.brief().reading(throttled)
    assert 1 < sum(time.pauses) <= 5
    assert retries.attempts == 0
