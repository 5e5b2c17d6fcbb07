# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time that the life cycle of targets goes by: real time, which a test may advance."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds since the control plane was started or reset."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin again at zero."""
        self._start = time.monotonic()
        self._advanced = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        passed = time.monotonic() - self._start if self._stopped_at is None else self._stopped_at
        return passed + self._advanced

    def advance(self, seconds: float) -> None:
        """Let time pass without waiting for it."""
        self._advanced += seconds

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Only ``advance`` moves the time here, so that how fast the machine is makes no difference."""
        self._stopped_at = time.monotonic() - self._start
        try:
            yield
        finally:
            self._start = time.monotonic() - self._stopped_at
            self._stopped_at = None
