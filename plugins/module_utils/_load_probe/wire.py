# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request and one answer over the wire (HTTP/1.1, RFC 9112), as little of it as the probe needs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_BODY = 4_000_000


class RequestError(Exception):
    """A request that got no good answer; the first argument is the kind."""


class LostError(RequestError):
    """The connection ended before the first byte of an answer."""


@dataclass(frozen=True)
class Target:
    """A URL and where to connect for it."""

    url: str
    host: str
    port: int
    path: str
    secure: bool
    address: str

    @classmethod
    def of(cls, url: str, address: str | None) -> Target:
        """A target from its URL; raises ValueError for what is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is not an http or https URL")
        secure = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(url, parts.netloc, parts.port or (443 if secure else 80), path, secure, address or parts.hostname)

    @property
    def server_name(self) -> str:
        """The host without its port."""
        return urlsplit(self.url).hostname or ""

    def request(self, keep: bool) -> bytes:
        """The request as it goes over the wire."""
        connection = "keep-alive" if keep else "close"
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\nUser-Agent: gatehouse-probe\r\n"
            f"Accept: */*\r\nConnection: {connection}\r\n\r\n"
        ).encode()


@dataclass
class Connection:
    """An open connection and how many requests it has carried."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: int = 0

    def close(self) -> None:
        """Close without waiting."""
        self.writer.close()

    @property
    def idle_and_open(self) -> bool:
        """Whether it can carry another request, as far as can be told from this side."""
        return not self.reader.at_eof() and not self.writer.is_closing()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bool, bytes]:
    """Status, whether the connection stays open, and the body; raises LostError and RequestError."""
    try:
        first = await reader.readexactly(1)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise LostError("closed before the answer", str(error)) from error
    try:
        return await _rest_of_answer(first, reader)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise RequestError("closed within the answer", str(error)) from error
    except (ValueError, IndexError, asyncio.LimitOverrunError) as error:
        raise RequestError("not HTTP", str(error)) from error


async def _rest_of_answer(first: bytes, reader: asyncio.StreamReader) -> tuple[int, bool, bytes]:
    head = first + await reader.readuntil(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, __, value in (line.partition(":") for line in lines)}
    version, status = status_line.split()[0], int(status_line.split()[1])
    keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    if status in (204, 304):
        return status, keep, b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return status, keep, await _read_chunks(reader)
    if "content-length" in headers:
        return status, keep, await reader.readexactly(int(headers["content-length"]))
    return status, False, await reader.read(LONGEST_BODY)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        part = await reader.readexactly(size + 2)
        if size == 0:
            return body
        body += part[:-2]
