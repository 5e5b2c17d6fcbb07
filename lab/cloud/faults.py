# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on demand: the n-th call is refused, throttled, answered with an error or not answered at all."""

from __future__ import annotations

import threading
from dataclasses import dataclass

# What a caller notices, and whether the call took effect all the same.
KINDS = ("refused", "throttled", "limited", "error", "timeout", "lost", "expired")


@dataclass
class Fault:
    """A fault that waits for its call. ``number`` counts down; None strikes at every matching call."""

    kind: str
    number: int | None
    operation: str | None


class Faults:
    """The faults that are still to come."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: str, number: int | None = 1, operation: str | None = None) -> None:
        """Let the n-th matching call from now on fail; number 1 is the next one, None is every one.

        refused: not permitted, nothing done. expired: the credentials are no longer valid, nothing done.
        throttled: rate exceeded, nothing done. limited: the account may have no more of it, nothing done. error: 500,
        nothing done. timeout: the connection ends without an answer, nothing done. lost: done, then the connection
        ends without an answer.
        """
        if kind not in KINDS:
            raise ValueError(f"a fault is one of {', '.join(KINDS)}, not {kind!r}")
        with self._lock:
            self._waiting.append(Fault(kind, number, operation))

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def strike(self, operation: str) -> str | None:
        """Count a call; the kind of fault that it gets, if any."""
        with self._lock:
            matching = [fault for fault in self._waiting if fault.operation in (None, operation)]
            for fault in matching:
                if fault.number is not None:
                    fault.number -= 1
            due = [fault for fault in matching if not fault.number]
            self._waiting = [fault for fault in self._waiting if fault.number is None or fault.number > 0]
            return due[0].kind if due else None
