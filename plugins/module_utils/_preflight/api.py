# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin functions over the host's system, resolver and file systems."""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text
from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.model import Space

SERVICES = "/etc/gatehouse/services"


def parse_os_release(text: str) -> str:
    """Distribution and version (``debian 12``) from os-release(5)."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    values = {key.strip(): "".join(shlex.split(value)) for key, __, value in pairs}
    return f"{values.get('ID', '')} {values.get('VERSION_ID', '')}".strip().lower()


def system() -> str:
    """The distribution and version that runs here."""
    return parse_os_release(read_text("/etc/os-release") or "")


def has_systemd() -> bool:
    """Whether systemd is the running service manager (sd_booted(3))."""
    return os.path.isdir("/run/systemd/system")


def is_root() -> bool:
    """Whether this runs as root."""
    return os.geteuid() == 0


def _resolve(name: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve(names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The addresses of names, as this host's resolver knows them, asked in parallel."""
    with ThreadPoolExecutor(max_workers=max(1, min(32, len(names)))) as pool:
        return dict(zip(names, pool.map(_resolve, names), strict=True))


def own_services() -> frozenset[str]:
    """Names of the services that the platform deployed here before."""
    try:
        return frozenset(os.listdir(SERVICES))
    except OSError:
        return frozenset()


def space(path: str) -> Space:
    """Room for root's processes on the file system where the path is or will be."""
    while not os.path.exists(path):
        path = os.path.dirname(path) or "/"
    found = os.statvfs(path)
    # Some file systems (btrfs) do not count files.
    return Space(found.f_bavail * found.f_frsize // 1_000_000, found.f_favail if found.f_files else None)
