# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces around a router, and sockets inside them, for tests over real packets."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from pathlib import Path
from socket import AF_INET, IPPROTO_ICMP, SO_REUSEADDR, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, SOL_SOCKET, socket
from typing import TypeVar

from lab.machine import run
from lab.region.namespaces import ROUTER_SETTINGS
from lab.region.place import namespace_file

LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = itertools.count()
# What is dropped takes this long to notice, in seconds.
PATIENCE = 0.3
Result = TypeVar("Result")


class Namespace:
    """A namespace with the interface eth0."""

    def __init__(self, name: str, address: str) -> None:
        self.name, self.address = name, address
        self.path = namespace_file(name)

    def inside(self, work: Callable[[], Result]) -> Result:
        """Do something in a thread of this namespace. A socket that it makes stays here."""

        def enter() -> Result:
            with open(self.path, "rb") as file:
                if LIBC.setns(file.fileno(), 0) != 0:
                    raise OSError(ctypes.get_errno(), f"setns to {self.name}")
            return work()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(enter).result()

    def open(self, kind: int = SOCK_STREAM, protocol: int = 0) -> socket:
        return self.inside(lambda: socket(AF_INET, kind, protocol))

    def connect(self, address: str, port: int, timeout: float = 5) -> socket:
        opened = self.open()
        opened.settimeout(timeout)
        try:
            opened.connect((address, port))
        except OSError:
            opened.close()
            raise
        return opened

    def listen(self, port: int) -> socket:
        opened = self.open()
        opened.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        opened.bind(("0.0.0.0", port))
        opened.listen(16)
        return opened

    def reaches(self, address: str, port: int, timeout: float = PATIENCE) -> bool:
        """Whether a TCP connection is made; what is dropped takes the whole time."""
        try:
            self.connect(address, port, timeout).close()
        except OSError:
            return False
        return True

    def echoes(self, port: int) -> socket:
        """Answer every datagram to a port."""
        opened = self.open(SOCK_DGRAM)
        opened.bind(("0.0.0.0", port))

        def answer() -> None:
            with contextlib.suppress(OSError):
                # Nobody has sent what comes from a socket that was shut down.
                while (received := opened.recvfrom(100))[1]:
                    opened.sendto(*received)

        threading.Thread(target=answer, daemon=True).start()
        return opened

    def exchanges(self, address: str, port: int, timeout: float = PATIENCE) -> bool:
        """Whether a datagram gets an answer."""
        with self.open(SOCK_DGRAM) as opened:
            opened.settimeout(timeout)
            try:
                opened.sendto(b"?", (address, port))
                return opened.recv(100) == b"?"
            except OSError:
                return False

    def pings(self, address: str, kind: int = 8, timeout: float = PATIENCE) -> bool:
        """Whether an ICMP request (8 echo, 13 timestamp) gets an answer."""
        number = os.getpid() & 0xFFFF
        body = struct.pack("!BBHHH", kind, 0, 0, number, next(NUMBERS) & 0xFFFF) + bytes(12)
        checksum = sum(struct.unpack(f"!{len(body) // 2}H", body))
        checksum = (checksum & 0xFFFF) + (checksum >> 16)
        packet = body[:2] + struct.pack("!H", ~(checksum + (checksum >> 16)) & 0xFFFF) + body[4:]
        with self.open(SOCK_RAW, IPPROTO_ICMP) as opened:
            opened.settimeout(timeout)
            try:
                opened.sendto(packet, (address, 0))
                while True:
                    answer = opened.recv(200)[20:]
                    if answer[0] in (0, 14) and answer[4:8] == packet[4:8]:
                        return True
            except OSError:
                return False


class Network:
    """Namespaces that hear each other, whatever their addresses, and nobody else."""

    def __init__(self) -> None:
        self._name = f"gh-test-{os.getpid()}-{next(NUMBERS)}"
        self._namespaces: list[str] = []
        self._add(self._name)
        self._batch(self._name, "link set lo up")
        run("nsenter", f"--net={self.router}", "bash", "-c", ROUTER_SETTINGS)

    @property
    def router(self) -> Path:
        """Namespace of what passes on all packets."""
        return namespace_file(self._name)

    def host(self, address: str) -> Namespace:
        """A namespace with this address."""
        name = f"{self._name}-{len(self._namespaces)}"
        self._add(name)
        self._batch(
            self._name,
            f"link add {plug(address)} type veth peer name eth0 netns {name}",
            f"ntable change name arp_cache dev {plug(address)} proxy_delay 0",
            f"link set {plug(address)} up",
            f"route add {address}/32 dev {plug(address)}",
        )
        self._batch(
            name,
            "link set lo up",
            "link set eth0 up",
            f"address add {address}/32 dev eth0",
            f"route add default dev eth0 src {address}",
        )
        return Namespace(name, address)

    def remove(self) -> None:
        for name in self._namespaces:
            run("ip", "netns", "delete", name, check=False)

    def _add(self, name: str) -> None:
        run("ip", "netns", "add", name)
        self._namespaces.append(name)

    def _batch(self, name: str, *commands: str) -> None:
        run("ip", "-netns", name, "-batch", "-", text="\n".join(commands) + "\n")


def plug(address: str) -> str:
    """The router's end of the link to a host, short enough for the kernel."""
    return f"v-{IPv4Address(address):X}"
