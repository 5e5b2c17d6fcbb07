# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Daemons of a region, which outlive whoever has started them and are found again by a file with their number."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

# Of an end, in seconds.
PATIENCE = 10.0


class Daemon:
    """``mark`` is a word of its command that no other process has."""

    def __init__(self, pid_file: Path, mark: Path) -> None:
        self._pid_file, self._mark = pid_file, mark

    def pid(self) -> int | None:
        """Its process, if that is still this one."""
        try:
            found = int(self._pid_file.read_text(encoding="ascii"))
            there = str(self._mark) in Path(f"/proc/{found}/cmdline").read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None
        return found if there else None

    def is_in(self, namespace: Path) -> bool:
        """Whether it runs, in this network namespace: a file of the kernel's, as /run/netns/NAME."""
        pid = self.pid()
        return pid is not None and os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat(namespace).st_ino

    def stop(self) -> None:
        """Return when it is gone and its addresses are free."""
        pid = self.pid()
        deadline = time.monotonic() + PATIENCE
        while pid is not None and self.pid() == pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
            time.sleep(0.02)
