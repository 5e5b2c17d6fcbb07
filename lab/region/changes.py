# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something changed: what the reconciler waits for, whoever noticed it."""

from __future__ import annotations

import threading
import time


class Changes:
    """A counter that can be waited on, and times at which to look again."""

    def __init__(self) -> None:
        self._count = 0
        self._looks: list[float] = []
        # What whoever waits has seen, while he waits.
        self._seen: int | None = None
        self._condition = threading.Condition()

    def add(self) -> None:
        """Something changed."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def later(self, seconds: float) -> None:
        """Look again when so much time has passed, although nothing may have changed."""
        with self._condition:
            self._looks.append(time.monotonic() + seconds)
            self._condition.notify_all()

    @property
    def count(self) -> int:
        return self._count

    def quiet_for(self, seconds: float) -> bool:
        """Whether whoever waits has done everything, and is to look at nothing sooner than that."""
        with self._condition:
            soon = time.monotonic() + seconds
            return self._seen == self._count and all(look > soon for look in self._looks)

    def wait(self, seen: int) -> int:
        """Return the counter as soon as it is another one than ``seen``, or it is time to look again."""
        with self._condition:
            while self._count == seen:
                now = time.monotonic()
                if any(look <= now for look in self._looks):
                    self._looks = [look for look in self._looks if look > now]
                    break
                self._seen = seen
                self._condition.wait(min(self._looks) - now if self._looks else None)
                self._seen = None
            return self._count
