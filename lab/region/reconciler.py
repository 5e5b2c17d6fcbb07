# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what is wanted real, whenever something has changed. It remembers nothing that it could not read again."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from lab.region.changes import Changes
from lab.region.read_state import read
from lab.region.state import Client, State

RETRY = 1.0
# Where changes come faster than everything can be read, a look in between has to do.
ATTEMPTS = 3


class Adapter(Protocol):
    """One concern. ``wanted`` is pure; ``apply`` brings the machine there and returns at once when it is there.

    What takes long is done elsewhere, and ``Changes.add()`` called when it is done; ``Changes.later()`` asks for
    another look. What really happened goes into the control plane's objects. Nothing that comes later is applied while
    one fails that is ``needed``.
    """

    needed: bool

    def wanted(self, state: State) -> Any: ...

    def apply(self, wanted: Any) -> None: ...

    def close(self) -> None:
        """Return when nothing is done any more. What was made real stays."""


class Reconciler:
    """A thread that lets every adapter apply, in order, after every change."""

    def __init__(
        self,
        client: Client,
        changes: Changes,
        adapters: Sequence[Adapter],
        readers: Iterable[Callable[[Client], object]] = (),
        log: Callable[[str], None] = print,
    ) -> None:
        self._client, self._changes, self._adapters, self._readers = client, changes, adapters, tuple(readers)
        self._log = log
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when nothing is being applied any more."""
        self._ending = True
        self._changes.add()
        self._thread.join()

    def _run(self) -> None:
        seen = -1
        while not self._ending:
            seen = self._changes.wait(seen)
            if not self._ending:
                self.once()

    def once(self) -> None:
        """Read everything and apply it. What fails is tried again before anything that stands on it is touched."""
        try:
            state = self._read()
        except Exception:
            self._failed("reading the API")
            return
        for adapter in self._adapters:
            if not self._apply(adapter, state) and adapter.needed:
                return

    def _apply(self, adapter: Adapter, state: State) -> bool:
        try:
            adapter.apply(adapter.wanted(state))
        except Exception:
            self._failed(type(adapter).__name__)
            return False
        return True

    def _failed(self, doing: str) -> None:
        self._log(f"{doing} failed, and is tried again:\n{traceback.format_exc()}")
        self._changes.later(RETRY)

    def _read(self) -> State:
        """Everything, as it was at one moment if that can be had."""
        for _attempt in range(ATTEMPTS):
            count = self._changes.count
            state = read(self._client, self._readers)
            if self._changes.count == count:
                break
        return state
