# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of a region, and this machine's link to them.

The machine is outside: it has a route to the public addresses alone. The ranges of VPCs are refused here, so that
nothing meant for them leaves by the default route, except where the machine itself has a network of such addresses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from lab.machine import run
from lab.region import vpc
from lab.region.namespaces import Namespaces, Wiring
from lab.region.place import API_ADDRESS, Place, namespace_file
from lab.region.state import State

# So that regions refuse the same range each for itself.
METRIC = 5000
# 10.0.0.0/8 is the largest private network (RFC 1918).
LARGEST = 8


@dataclass(frozen=True)
class Wanted:
    namespaces: Mapping[str, Wiring]
    refused: tuple[IPv4Network, ...]


class Network:
    """The adapter. Before it applies for the first time, and after anything was removed, the link is made."""

    needed = True

    def __init__(self, place: Place) -> None:
        self._place = place
        self._namespaces = Namespaces(place.prefix, place.directory / "namespaces")
        self._refused: tuple[IPv4Network, ...] | None = None

    def wanted(self, state: State) -> Wanted:
        ranges = sorted({network for found in state.vpcs for network in found.ranges})
        return Wanted(vpc.wanted(self._place, state), tuple(ranges))

    def apply(self, wanted: Wanted) -> None:
        if wanted.refused != self._refused:
            refuse(self._place, wanted.refused)
            self._refused = wanted.refused
        self.ensure_link()
        self._namespaces.apply(wanted.namespaces)

    def close(self) -> None:
        pass

    def ensure_link(self) -> None:
        """The region's namespace and the link to it; one that was made in part is made anew."""
        self._namespaces.ensure(self._place.namespace)
        made = self._place.directory / "link"
        inode = str(namespace_file(self._place.namespace).stat().st_ino)
        if not made.exists() or made.read_text(encoding="ascii") != inode:
            self._make_link()
            made.write_text(inode, encoding="ascii")

    def _make_link(self) -> None:
        place = self._place
        machine, router = place.uplink
        run("ip", "route", "replace", "unreachable", place.range, "metric", "4096")
        run("ip", "link", "delete", place.link, check=False)
        run("ip", "link", "add", place.link, "type", "veth", "peer", "name", "uplink", "netns", place.namespace)
        inside = [f"address replace {router}/30 dev uplink", "link set uplink up"]
        inside += [f"route replace default via {machine}", f"route replace unreachable {place.public}"]
        inside.append(f"address replace {API_ADDRESS}/32 dev lo")
        run("ip", "-netns", place.namespace, "-batch", "-", text="\n".join(inside) + "\n")
        outside = [f"address replace {machine}/30 dev {place.link}", f"link set {place.link} up"]
        outside.append(f"route replace {place.public} via {router}")
        run("ip", "-batch", "-", text="\n".join(outside) + "\n")
        run("nft", "-f", "-", text=machine_rules(place))

    def remove(self) -> None:
        """Every namespace, the link, the routes and the rules."""
        place = self._place
        (place.directory / "link").unlink(missing_ok=True)
        self._namespaces.remove_all()
        run("ip", "link", "delete", place.link, check=False)
        run("nft", "delete", "table", "ip", place.table, check=False)
        refuse(place, ())
        run("ip", "route", "delete", "unreachable", place.range, "metric", "4096", check=False)


def machine_rules(place: Place) -> str:
    """Rules of this machine: its address for what the region sends out; in from labs and other regions, no others."""
    _machine, router = place.uplink
    return f"""\
table ip {place.table} {{}}
delete table ip {place.table}
table ip {place.table} {{
  chain outgoing {{
    type nat hook postrouting priority srcnat;
    ip saddr {router} oifname != "{place.link}" masquerade
  }}
  chain forwarding {{
    type filter hook forward priority filter;
    iifname != "gh-*" oifname "{place.link}" ct state new drop
  }}
}}
"""


def refuse(place: Place, ranges: Iterable[IPv4Network]) -> None:
    """Refuse these ranges on this machine, and no others any more."""
    routes: list[dict[str, Any]] = json.loads(run("ip", "-json", "-4", "route", "show", "table", "main") or "[]")
    metric = METRIC + place.number
    own = {entry["dst"] for entry in routes if entry.get("metric") == metric}
    foreign = [IPv4Network(entry["dst"]) for entry in routes if is_foreign(entry)]
    wanted = {str(network) for network in refused(ranges, foreign)}
    for network in own - wanted:
        run("ip", "route", "delete", "unreachable", network, "metric", str(metric))
    for network in wanted - own:
        run("ip", "route", "add", "unreachable", network, "metric", str(metric))


def refused(ranges: Iterable[IPv4Network], foreign: Sequence[IPv4Network]) -> list[IPv4Network]:
    """All but those that lie within a network of this machine's; a smaller one of it inside of a range stays reachable,
    because the longest prefix decides. What is larger than a private network can be is the way to everywhere.
    """
    own = [network for network in foreign if network.prefixlen >= LARGEST]
    return [network for network in ranges if not any(network.subnet_of(other) for other in own)]


def is_foreign(entry: Mapping[str, Any]) -> bool:
    """Whether a route of this machine leads to a network that is not a lab's or a region's."""
    refused = entry.get("type") == "unreachable"
    return entry["dst"] != "default" and not refused and not str(entry.get("dev", "")).startswith("gh-")
