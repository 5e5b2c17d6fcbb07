# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata service as HTTP: sockets in several network namespaces, tokens, status codes.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Protocol

from lab.region.sockets import listen
from lab.region.state import Instance
from lab.region.vpc_rules import METADATA

TOKEN, LIFETIME = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"
LONGEST = 21600
VERSIONS = ("latest", "2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23")


class Asked(Protocol):
    """What one instance is told."""

    instance: Instance

    def token(self, lifetime: int) -> str: ...

    def allows(self, token: str | None) -> bool: ...

    def find(self, path: str) -> bytes | None: ...


class Listener:
    """One thread for all sockets that are listened on, and one for each connection."""

    def __init__(self, answer: Callable[[str, socket.socket, tuple[str, int]], None]) -> None:
        self._answer = answer
        self._sockets: dict[str, tuple[int, socket.socket]] = {}
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._end, wake = socket.socketpair()
        self._selector.register(wake, selectors.EVENT_READ)
        threading.Thread(target=self._run, name="metadata", daemon=True).start()

    def apply(self, wanted: Mapping[str, tuple[int, Path]]) -> None:
        """Listen in these namespaces, by VPC; a namespace is known by its number."""
        with self._lock:
            for vpc in [vpc for vpc, (inode, _) in self._sockets.items() if wanted.get(vpc, (0,))[0] != inode]:
                _inode, gone = self._sockets.pop(vpc)
                self._selector.unregister(gone)
                gone.close()
            for vpc in [vpc for vpc in wanted if vpc not in self._sockets]:
                inode, namespace = wanted[vpc]
                listening = listen(namespace, METADATA, 80)
                listening.setblocking(False)
                self._sockets[vpc] = (inode, listening)
                self._selector.register(listening, selectors.EVENT_READ, vpc)

    def close(self) -> None:
        self._end.close()
        with self._lock:
            for _inode, listening in self._sockets.values():
                listening.close()

    def _run(self) -> None:
        while True:
            for key, _events in self._selector.select():
                if key.data is None:
                    return
                self._accept(key.data)

    def _accept(self, vpc: str) -> None:
        with self._lock:
            listening = self._sockets.get(vpc)
        if listening:
            try:
                connection, address = listening[1].accept()
            except OSError:
                # The VPC is gone, or whoever asked.
                return
            connection.setblocking(True)
            threading.Thread(target=self._answer, args=(vpc, connection, address), daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """HTTP, for one connection; ``service`` is None for an address that no instance has."""

    protocol_version = "HTTP/1.1"
    timeout = 5
    service: Asked | None

    def do_PUT(self) -> None:
        lifetime = self.headers.get(LIFETIME, "")
        if not self._open() or self.service is None:
            return
        if self.path != "/latest/api/token":
            self._say(404)
        # "For security, tokens are not issued to requests that were forwarded".
        elif self.headers.get("X-Forwarded-For"):
            self._say(403)
        elif not lifetime.isdigit() or not 1 <= int(lifetime) <= LONGEST:
            self._say(400)
        else:
            limit = self.service.instance.metadata.hop_limit
            self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, limit)
            self._say(200, self.service.token(int(lifetime)).encode(), {LIFETIME: lifetime})

    def do_GET(self) -> None:
        if not self._open() or self.service is None:
            return
        version, _, path = self.path.lstrip("/").partition("/")
        if not self.service.allows(self.headers.get(TOKEN)):
            self._say(401)
        elif not version:
            self._say(200, "\n".join(VERSIONS).encode())
        else:
            found = self.service.find(path) if version in VERSIONS else None
            self._say(404) if found is None else self._say(200, found)

    def _open(self) -> bool:
        """Whether this instance has the service at all."""
        enabled = self.service is not None and self.service.instance.metadata.enabled
        if not enabled:
            self._say(404 if self.service is None else 403)
        return enabled

    def _say(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in {"Content-Type": "text/plain", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass
