# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open loop: requests leave at a fixed rate, however slow the answers are."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from typing import Any

from .tally import Tally
from .wire import Connection, LostError, RequestError, Target, read_answer


@dataclass(frozen=True)
class Options:
    """How to probe; times in seconds."""

    urls: tuple[str, ...]
    address: str | None = None
    ca_file: str | None = None
    rate: float = 200.0
    seconds: float = 600.0
    count: int = -1
    status: int = 200
    timeout: float = 10.0
    new_every: int = 10
    requests_per_connection: int = 100
    connections: int = 32
    most_waiting: int = 5000
    strict: bool = False

    def __post_init__(self) -> None:
        if min(self.rate, self.timeout, self.connections) <= 0:
            raise ValueError("rate, timeout and connections have to be greater than 0")


class Probe:
    """One run: its targets, its connections and its tally."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.targets = [Target.of(url, options.address) for url in options.urls]
        self.tally = Tally()
        self.stopping = False
        self.idle: dict[str, list[Connection]] = {target.url: [] for target in self.targets}
        # A slow server gets requests later, not ever more connections, whose handshakes would slow it further.
        self.slots = asyncio.Semaphore(options.connections)
        self.context = ssl.create_default_context(cafile=options.ca_file)

    async def _open(self, target: Target) -> Connection:
        self.tally.connections += 1
        reader, writer = await asyncio.open_connection(
            target.address,
            target.port,
            ssl=self.context if target.secure else None,
            server_hostname=target.server_name if target.secure else None,
        )
        return Connection(reader, writer)

    def _kept(self, target: Target) -> Connection | None:
        while self.idle[target.url]:
            connection = self.idle[target.url].pop()
            if connection.idle_and_open and connection.used < self.options.requests_per_connection:
                return connection
            connection.close()
        return None

    async def _ask_over(self, connection: Connection, target: Target, keep: bool) -> None:
        try:
            connection.used += 1
            connection.writer.write(target.request(keep))
            status, stays, body = await read_answer(connection.reader)
        except BaseException:
            connection.close()
            raise
        if stays and keep:
            self.idle[target.url].append(connection)
        else:
            connection.close()
        if status != self.options.status:
            raise RequestError(f"status {status}", body.decode(errors="replace"))

    async def _ask(self, target: Target, fresh: bool) -> None:
        async with self.slots:
            await self._ask_now(target, fresh)

    async def _ask_now(self, target: Target, fresh: bool) -> None:
        kept = None if fresh else self._kept(target)
        if kept is not None:
            try:
                return await self._ask_over(kept, target, True)
            except LostError:
                if self.options.strict:
                    raise
                self.tally.retried += 1
        return await self._ask_over(await self._open(target), target, not fresh)

    async def attempt(self, target: Target, fresh: bool) -> tuple[str, str] | None:
        """Ask once; the kind of failure and its detail, or None."""
        try:
            await asyncio.wait_for(self._ask(target, fresh), self.options.timeout)
        except RequestError as error:
            return str(error.args[0]), str(error.args[-1])
        except (asyncio.TimeoutError, TimeoutError):
            return "timeout", f"no answer within {self.options.timeout:g} seconds"
        except ssl.SSLError as error:
            return f"TLS: {error.reason or 'error'}", str(error)
        except OSError as error:
            return type(error).__name__, str(error)
        return None

    async def one(self, number: int, due: float, start: float) -> None:
        """The request that was due so many seconds after the start: ask, and count what came of it."""
        target = self.targets[number % len(self.targets)]
        self.tally.latest_start = max(self.tally.latest_start, time.monotonic() - start - due)
        fresh = self.options.new_every > 0 and number % self.options.new_every == 0
        failure = await self.attempt(target, fresh)
        if failure:
            self.tally.fail(failure[0], target.url, failure[1], due)
        else:
            self.tally.succeeded += 1
        self.tally.took(time.monotonic() - start - due)

    async def _wait_until(self, moment: float) -> None:
        while not self.stopping and (left := moment - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.2))

    async def run(self) -> dict[str, Any]:
        """Send until the count or the time is reached or ``stopping`` is set, then wait for what is under way."""
        start = time.monotonic()
        running: set[asyncio.Task[None]] = set()
        while self.tally.sent != self.options.count:
            number, due = self.tally.sent, self.tally.sent / self.options.rate
            await self._wait_until(start + due)
            if self.stopping or due >= self.options.seconds:
                break
            self.tally.sent += 1
            if len(running) >= self.options.most_waiting:
                self.tally.fail("too many under way", self.targets[0].url, f"{len(running)} without an answer", due)
                continue
            task = asyncio.create_task(self.one(number, due, start))
            running.add(task)
            task.add_done_callback(running.discard)
        seconds = time.monotonic() - start
        if running:
            await asyncio.wait(running)
        for connection in [entry for entries in self.idle.values() for entry in entries]:
            connection.close()
        return self.tally.report(seconds)
