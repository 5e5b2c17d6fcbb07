# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A region's place on this machine: its name, its range, and what its namespaces are called."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lab.machine import RUN
from lab.model import ROOT

# Where instances find the API, whatever the region's range (a network for documentation, RFC 5737).
API_ADDRESS = "198.51.100.1"

# The region and the lab of a checkout that nobody names otherwise; others belong together by their names.
CLOUD, DEMO = "cloud", "demo"


@dataclass(frozen=True)
class Place:
    """A region of one checkout; ``number`` picks its range 10.<number>.0.0/16, as that of a lab."""

    name: str
    number: int
    root: Path = ROOT

    @property
    def key(self) -> str:
        return place_key(self.name, self.root)

    @property
    def lab(self) -> str:
        """Name of the static lab that it shares names and authorities with; see ``region_beside``."""
        return DEMO if self.name == CLOUD else self.name

    @property
    def directory(self) -> Path:
        """Everything that is remembered; nothing of it outlives a restart of the machine."""
        return RUN / self.key

    @property
    def public(self) -> IPv4Network:
        """Public addresses."""
        return IPv4Network(f"10.{self.number}.128.0/18")

    @property
    def range(self) -> str:
        return f"10.{self.number}.0.0/16"

    @property
    def links(self) -> IPv4Network:
        """Addresses by which the routers of VPCs ask the region's name server."""
        return IPv4Network(f"10.{self.number}.64.0/18")

    @property
    def uplink(self) -> tuple[str, str]:
        """Address of the machine and of the region on the link between them, a /30."""
        return f"10.{self.number}.255.1", f"10.{self.number}.255.2"

    @property
    def table(self) -> str:
        """This machine's firewall table for it."""
        return f"gatehouse_{self.key}"

    @property
    def prefix(self) -> str:
        """How the names of all its network namespaces begin."""
        return f"gatehouse-{self.key}-"

    @property
    def namespace(self) -> str:
        """Network namespace of the region: what lies between its VPCs and this machine."""
        return self.namespace_of("region")

    @property
    def link(self) -> str:
        """Interface of this machine that leads there."""
        return f"gh-{self.key}"

    def note(self, process: int, **known: str) -> None:
        """Note which process is the region now, and what it says of itself."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.directory / "region.json"
        partial = path.with_suffix(".partial")
        own = {"name": self.name, "root": str(self.root), "process": process, "started": started(process)}
        partial.write_text(json.dumps({**own, **known}), encoding="utf-8")
        partial.rename(path)

    def noted(self) -> dict[str, Any]:
        """What was noted last, also by a process that is over."""
        path = self.directory / "region.json"
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return known

    def is_up(self) -> bool:
        """Whether the process that is the region lives."""
        known = self.noted()
        return bool(known) and started(int(known["process"])) == known["started"]

    def namespace_of(self, resource: str) -> str:
        """Network namespace of a VPC, an instance, a NAT gateway, or a load balancer's network interface."""
        return f"{self.prefix}{resource}"


def started(process: int) -> str | None:
    """Start of a process in clock ticks, which tells it from a later one of the same number; None when it is over."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def namespace_file(namespace: str) -> Path:
    return Path("/run/netns") / namespace


def place_key(name: str, root: Path = ROOT) -> str:
    """Six digits that keep regions apart from each other and from labs."""
    return hashlib.sha256(f"{root}\0region\0{name}".encode()).hexdigest()[:6]


def region_beside(lab: str) -> str:
    """Name of the region that a static lab shares names with."""
    return CLOUD if lab == DEMO else lab


def abandoned(prefix: str, root: Path = ROOT) -> list[str]:
    """Names of this checkout's regions that begin so and whose process is over."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in RUN.glob("*/region.json")]
    names = [known["name"] for known in found if known["root"] == str(root) and known["name"].startswith(prefix)]
    return [name for name in names if not Place(name, 0, root).is_up()]
