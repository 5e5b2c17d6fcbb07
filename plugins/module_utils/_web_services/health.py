# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a deployment for its health on its own socket, until it answers well or has no chance to."""

from __future__ import annotations

import http.client
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import Health

PAUSE = 0.1
TICK = 0.2


@dataclass(frozen=True)
class Answer:
    """What a health check heard: a status and the beginning of the text, or why there was none."""

    status: int | None
    text: str

    def __str__(self) -> str:
        if self.status is None:
            return self.text
        return f"status {self.status}: {self.text}" if self.text else f"status {self.status} with an empty text"


class _Socket(socket.socket):
    """A unix socket, given up as soon as nothing can come any more: one deadline for all that is received."""

    def __init__(self, deadline: float, alive: Callable[[], bool]) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        # Who is asked in the last moment has a moment to answer.
        self.deadline, self.alive = max(deadline, time.monotonic() + TICK), alive
        self.settimeout(self.deadline - time.monotonic())

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        while not select.select([self], [], [], TICK)[0]:
            if not self.alive():
                raise ConnectionError("the process ended before it answered")
            self._be_in_time()
        self._be_in_time()
        return super().recv_into(buffer, nbytes, flags)

    def _be_in_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise TimeoutError("no answer in time")


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, host: str, unix: _Socket) -> None:
        super().__init__(host)
        self.path, self.unix = path, unix

    def connect(self) -> None:
        self.sock = self.unix
        self.unix.connect(self.path)


def ask(
    path: str,
    health: Health,
    host: str,
    deadline: float,
    alive: Callable[[], bool] = lambda: True,
    censored: Callable[[str], str] = lambda text: text,
) -> Answer:
    """Ask once. ``deadline`` is a time of the monotonic clock; ``alive`` tells whether an answer can still come.

    ``censored`` takes out of the text what nobody is to see, before it is cut.
    """
    connection = _Connection(path, host, _Socket(deadline, alive))
    try:
        connection.request("GET", health.path, headers={"User-Agent": "gatehouse", "X-Forwarded-Proto": "https"})
        response = connection.getresponse()
        text = response.read(8000).decode("utf-8", "replace")
        return Answer(response.status, censored(text).strip()[:500])
    except (OSError, http.client.HTTPException) as error:
        return Answer(None, f"no answer ({error or type(error).__name__})")
    finally:
        connection.close()
        connection.unix.close()


def wait(
    path: str,
    health: Health,
    host: str,
    alive: Callable[[], bool],
    censored: Callable[[str], str] = lambda text: text,
) -> Answer:
    """Ask until the status is the wanted one, the process has ended or ``health.timeout`` seconds are over.

    Returns the last answer; the caller compares its status. A question that was cut short at the
    end says less than the answer before it.
    """
    deadline = time.monotonic() + health.timeout
    heard = None
    while True:
        answer = ask(path, health, host, deadline, alive, censored)
        if answer.status is None and heard is not None and time.monotonic() >= deadline:
            return heard
        heard = answer if answer.status is not None else None
        if answer.status == health.status or not alive() or time.monotonic() >= deadline:
            return answer
        time.sleep(PAUSE)
