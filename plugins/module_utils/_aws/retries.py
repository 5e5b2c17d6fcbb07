# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking again: how often, when, and until when. The clock, the sleep and the chance are given, so tests need none."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError

Result = TypeVar("Result")
# Seconds for what a run can do without.
BRIEF = 5.0


@dataclass
class Clock:
    """Seconds that pass; and a number in [0, 1) that spreads those who wait for the same."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


@dataclass
class Retries:
    """One budget of ``seconds`` for all that is asked again in a run.

    Pauses double from ``first`` to ``longest`` seconds with full jitter
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """

    seconds: float = 60.0
    first: float = 0.5
    longest: float = 10.0
    clock: Clock = field(default_factory=Clock)
    attempts: int = 0
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin the budget anew: what was waited for on purpose does not count."""
        self.attempts = 0
        self.deadline = self.clock.now() + self.seconds

    def pause(self, error: AwsError) -> None:
        """Wait before the next attempt; raises the error when another attempt cannot help or time is over."""
        if not error.transient:
            raise error
        longest = min(self.longest, self.first * 2**self.attempts)
        self.attempts += 1
        seconds = longest * (0.1 + 0.9 * self.clock.chance())
        if self.clock.now() + seconds > self.deadline:
            raise error
        self.clock.sleep(seconds)

    def brief(self) -> Retries:
        """A small budget of its own, for what is good to know and not needed."""
        return Retries(min(self.seconds, BRIEF), self.first, self.longest, self.clock)

    @contextmanager
    def patience(self) -> Iterator[None]:
        """Pause after a block that failed where another attempt can help; raises what cannot be helped."""
        try:
            yield
        except AwsError as error:
            self.pause(error)

    def reading(self, read: Callable[[], Result]) -> Result:
        """Read, again and again while that can help: what only reads may be asked twice without looking."""
        while True:
            with self.patience():
                return read()


@contextmanager
def reached() -> Iterator[None]:
    """Somebody has answered before: a network that is down inside the block is one to be patient with."""
    try:
        yield
    except AwsError as error:
        if error.unreachable:
            raise error.but(passing=True) from error
        raise
