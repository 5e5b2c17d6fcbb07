# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers that end by themselves are noticed by their first processes, which the kernel tells of."""

from __future__ import annotations

import os
import selectors
import threading

from lab.region.changes import Changes


class Deaths:
    """Tells of changes when a first process ends."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._selector = selectors.DefaultSelector()
        self._watched: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()
        self._wake, end = os.pipe()
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._end = end
        threading.Thread(target=self._run, name="deaths", daemon=True).start()

    def watch(self, instance_id: str, process: int) -> None:
        """From now on, until the process ends."""
        with self._lock:
            if (instance_id, process) in self._watched:
                return
            try:
                descriptor = os.pidfd_open(process)
            except ProcessLookupError:
                self._changes.later(0.2)
                return
            self._watched[instance_id, process] = descriptor
            self._selector.register(descriptor, selectors.EVENT_READ, (instance_id, process))

    def close(self) -> None:
        os.close(self._end)

    def _run(self) -> None:
        while True:
            for key, _events in self._selector.select():
                if key.data is None:
                    self._forget()
                    return
                with self._lock:
                    self._selector.unregister(key.fd)
                    os.close(self._watched.pop(key.data))
                # podman learns of it a little later.
                self._changes.later(0.1)

    def _forget(self) -> None:
        with self._lock:
            self._selector.close()
            for descriptor in (self._wake, *self._watched.values()):
                os.close(descriptor)
