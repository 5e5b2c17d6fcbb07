# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens on which TCP port, from /proc and systemd (proc(5), section /proc/net)."""

from __future__ import annotations

import contextlib
import glob
import ipaddress
import os
import re
import sys
from collections.abc import Collection, Iterator

from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError, run
from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text
from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.model import Holder

LISTEN = "0A"


def address_of(text: str) -> str:
    """An address as /proc/net/tcp writes it (words of four bytes in the machine's byte order)."""
    words = (bytes.fromhex(text[start : start + 8]) for start in range(0, len(text), 8))
    return str(ipaddress.ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)))


def parse_sockets(text: str, ports: Collection[int]) -> Iterator[tuple[str, str, int]]:
    """Inode, address and port of each listening socket on one of the ports."""
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != LISTEN:
            continue
        address, __, port = fields[1].rpartition(":")
        if int(port, 16) in ports:
            yield fields[9], address_of(address), int(port, 16)


def _owners(inodes: Collection[str]) -> Iterator[tuple[str, int]]:
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for path in glob.iglob("/proc/[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            inode = wanted.get(os.readlink(path))
            if inode:
                yield inode, int(path.split("/")[2])


def unit_of(cgroup: str) -> str | None:
    """The systemd service of a process, from its /proc/PID/cgroup."""
    units = re.findall(r"/([^/\n]+\.service)(?=[/\n]|$)", cgroup)
    return units[-1] if units else None


def parse_socket_units(text: str, port: int) -> tuple[str, ...]:
    """The socket units that listen on a port, from the output of ``systemctl list-sockets``."""
    lines = [line.split() for line in text.splitlines()]
    return tuple(fields[1] for fields in lines if len(fields) > 1 and fields[0].rpartition(":")[2] == str(port))


def _socket_units(port: int) -> tuple[str, ...]:
    try:
        text = run(["systemctl", "list-sockets", "--no-legend", "--full", "--plain"], timeout=20).stdout
    except CommandError:
        return ()
    return parse_socket_units(text, port)


def _holder(port: int, address: str, pid: int) -> Holder:
    process = (read_text(f"/proc/{pid}/comm") or "a process that just ended").strip()
    if pid == 1:
        return Holder(port, address, process, pid, _socket_units(port))
    unit = unit_of(read_text(f"/proc/{pid}/cgroup") or "")
    return Holder(port, address, process, pid, (unit,) if unit else ())


def holders(ports: Collection[int]) -> tuple[Holder, ...]:
    """Everybody who listens on one of the ports."""
    sockets = {
        inode: (address, port)
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for inode, address, port in parse_sockets(read_text(table) or "", ports)
    }
    owners = list(_owners(sockets)) if sockets else []
    found = {(inode, pid): _holder(sockets[inode][1], sockets[inode][0], pid) for inode, pid in owners}
    unseen = set(sockets) - {inode for inode, __ in owners}
    nobody = [Holder(sockets[i][1], sockets[i][0], "a process that cannot be seen", None) for i in sorted(unseen)]
    return (*found.values(), *nobody)
