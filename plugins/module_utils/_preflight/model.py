# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is asked before anything is touched, and what it is like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SUPPORTED = ("debian 12", "debian 13", "ubuntu 22.04", "ubuntu 24.04")


@dataclass(frozen=True)
class Request:
    """What the platform wants from the host."""

    systems: tuple[str, ...] = SUPPORTED
    names: tuple[str, ...] = ()
    public_address: str | None = None
    public_ports: tuple[int, ...] = (80, 443)
    proxy: tuple[str, ...] = ("apache2",)
    service_ports: Mapping[str, int] = field(default_factory=dict)
    free_space: Mapping[str, int] = field(default_factory=dict)
    time: float | None = None
    time_tolerance: float = 120.0

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Request:
        """A request from the module's parameters."""
        return cls(
            systems=tuple(system.lower() for system in params["systems"]),
            names=tuple(dict.fromkeys(name.lower() for name in params["names"])),
            public_address=params["public_address"] or None,
            public_ports=tuple(params["public_ports"]),
            proxy=tuple(params["proxy"]),
            service_ports={service["name"]: service["port"] for service in params["services"]},
            free_space={entry["path"]: entry["megabytes"] for entry in params["free_space"]},
            time=params["time"],
            time_tolerance=params["time_tolerance"],
        )


@dataclass(frozen=True)
class Holder:
    """A process that listens on a port: its name, its number (None when it cannot be seen) and its systemd units."""

    port: int
    address: str
    process: str
    pid: int | None
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Space:
    """Room on the file system of a path."""

    megabytes: int
    files: int | None


@dataclass(frozen=True)
class Facts:
    """What the host is like."""

    system: str
    systemd: bool
    root: bool
    now: float
    addresses: Mapping[str, tuple[str, ...]]
    holders: tuple[Holder, ...]
    own_services: frozenset[str]
    space: Mapping[str, Space]
