# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab consists of: pure data, from a name and a number to every host's addresses and files."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ZONE = "example.test"
# Its names lead to the first web host as well, and the ACME server refuses them.
REFUSED_ZONE = "refused.test"
DEFAULT_HOSTS = ("bastion1", "web1")
_FIRST_ADDRESS = {"acme": 5, "bastion": 10, "web": 20}


@dataclass(frozen=True)
class Host:
    """A host of the lab; its number, when it is 13 or 12, is also its release of Debian."""

    name: str
    group: str
    number: int

    @classmethod
    def named(cls, name: str) -> Host:
        """``web13`` is a Debian 13 of the group web; ``web`` is short for ``web1``, a Debian 12."""
        match = re.fullmatch(r"(acme|bastion|web)(\d{0,2})", name)
        if not match:
            raise ValueError(f"host '{name}': names are bastion or web and a number (web1, web13, bastion1)")
        number = int(match[2] or 1)
        return cls(f"{match[1]}{number}", match[1], number)

    @property
    def distribution(self) -> str:
        return "debian13" if self.number == 13 else "debian12"

    @property
    def offset(self) -> int:
        return _FIRST_ADDRESS[self.group] * (1 if self.group == "acme" else 5) + self.number

    @property
    def interfaces(self) -> tuple[str, ...]:
        return {"acme": ("pub0",), "bastion": ("pub0", "priv0")}.get(self.group, ("priv0",))


@dataclass(frozen=True)
class Lab:
    """A lab of one checkout; ``number`` picks its range 10.<number>.0.0/16."""

    name: str
    number: int
    hosts: tuple[Host, ...]
    root: Path = ROOT
    # Whether this machine reaches port 22 of the private hosts, as it would in a subnet that is not private.
    direct: bool = False

    @property
    def key(self) -> str:
        return lab_key(self.name, self.root)

    @property
    def directory(self) -> Path:
        return lab_directory(self.name, self.root)

    @property
    def range(self) -> str:
        return f"10.{self.number}.0.0/16"

    @property
    def networks(self) -> dict[str, ipaddress.IPv4Network]:
        return {
            "pub0": ipaddress.IPv4Network(f"10.{self.number}.0.0/24"),
            "priv0": ipaddress.IPv4Network(f"10.{self.number}.1.0/24"),
        }

    @property
    def uplink(self) -> tuple[str, str]:
        """Address of the machine and of the lab's router on the link between them, a /30."""
        return f"10.{self.number}.255.1", f"10.{self.number}.255.2"

    def container(self, host: Host) -> str:
        return f"gatehouse-{self.key}-{host.name}"

    def gateway(self, interface: str) -> str:
        return str(self.networks[interface][1])

    def address(self, host: Host, interface: str) -> str:
        return str(self.networks[interface][host.offset])

    def hardware_address(self, host: Host, interface: str) -> str:
        """Always the same one, so that neighbours reach a restarted host at once."""
        network = list(self.networks).index(interface)
        return f"02:67:68:{self.number:02x}:{network:02x}:{host.offset:02x}"

    def router_hardware_address(self, interface: str) -> str:
        """No host has the offset 0."""
        return f"02:67:68:{self.number:02x}:{list(self.networks).index(interface):02x}:00"

    def management_address(self, host: Host) -> str:
        """Address that SSH leads to: the bastion's public one, the others' private one."""
        return self.address(host, host.interfaces[0])

    def elastic_address(self, host: Host) -> str:
        """Public address that leads to ports 80 and 443 of a web host."""
        return self.address(host, "pub0")

    def zones(self) -> dict[str, str]:
        """Zone → address of the web host that its names lead to; the first web host has example.test."""
        webs = [host for host in self.hosts if host.group == "web"]
        zones = {f"{host.name}.test": self.elastic_address(host) for host in webs}
        first = dict.fromkeys((ZONE, REFUSED_ZONE), self.elastic_address(webs[0])) if webs else {}
        return {**first, **zones}


def lab_key(name: str, root: Path = ROOT) -> str:
    """Six digits that keep the labs of several checkouts, and several labs of one, apart."""
    return hashlib.sha256(f"{root}\0{name}".encode()).hexdigest()[:6]


def lab_directory(name: str, root: Path = ROOT) -> Path:
    """State of the demo's lab is in .lab itself, that of any other below its name."""
    return root / ".lab" if name == "demo" else root / ".lab" / name
