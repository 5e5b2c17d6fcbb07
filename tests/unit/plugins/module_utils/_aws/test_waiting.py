# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def clock(self, chance: float = 0.999) -> Clock:
        return Clock(lambda: sum(self.pauses), self.pauses.append, lambda: chance)


def test_pauses_grow_to_the_longest_and_end_with_the_time() -> None:
    time = Time()
    waiting = Waiting(100, time.clock())
    while waiting.pause():
        pass
    assert time.pauses[:-1] == sorted(time.pauses[:-1])
    assert max(time.pauses) == pytest.approx(15, rel=0.01)
    assert waiting.waited == pytest.approx(100)


def test_pauses_are_spread_over_their_second_half() -> None:
    time = Time()
    Waiting(100, time.clock(chance=0)).pause()
    assert time.pauses == [0.75]


def test_no_time_is_no_pause() -> None:
    time = Time()
    assert not Waiting(0, time.clock()).pause()
    assert not time.pauses
