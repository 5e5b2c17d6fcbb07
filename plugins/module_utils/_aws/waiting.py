# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until something is so: pauses that grow and are spread, up to a deadline. The clock is given."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock

# Each pause is so much longer than the one before, and between half and all of that is waited.
GROWTH = 1.5


@dataclass
class Waiting:
    """One wait of at most ``seconds``, with pauses that grow from ``first`` to ``longest`` seconds."""

    seconds: float
    clock: Clock = field(default_factory=Clock)
    first: float = 1.5
    longest: float = 15.0
    looks: int = 0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock.now()

    @property
    def waited(self) -> float:
        """Seconds since the wait began."""
        return self.clock.now() - self.began

    def pause(self) -> bool:
        """Wait before the next look; False when the time is over, after a last look at the very end."""
        left = self.seconds - self.waited
        if left <= 0:
            return False
        longest = min(self.longest, self.first * GROWTH**self.looks)
        self.looks += 1
        self.clock.sleep(min(left, longest * (0.5 + 0.5 * self.clock.chance())))
        return True
