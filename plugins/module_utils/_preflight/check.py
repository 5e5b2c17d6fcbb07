# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: from what was asked and what the host is like to what stands in the way, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.model import Facts, Holder, Request

# The units of a service: its socket, the alias, its two colors and the candidate on trial.
OWN_UNIT = re.compile(r"^(?P<service>.+?)(?:-blue|-green|-candidate|-check)?\.(?:service|socket)$")
LOOPBACK = ("127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1")
FEWEST_FILES = 10_000


def _system(request: Request, facts: Facts) -> Iterator[str]:
    if facts.system not in request.systems:
        yield f"the system is {facts.system or 'not known'}; supported are {', '.join(request.systems)}"
    if not facts.systemd:
        yield "systemd does not run here; services cannot be supervised"
    if not facts.root:
        yield "the tasks do not run as root; set become: true for this host"


def _names(request: Request, facts: Facts) -> Iterator[str]:
    if request.public_address is None:
        return
    for name in request.names:
        found = facts.addresses.get(name, ())
        if not found:
            yield f"{name} does not resolve; it has to lead to {request.public_address}"
        elif request.public_address not in found:
            yield f"{name} leads to {', '.join(found)}, not to {request.public_address}"


def _who(holder: Holder) -> str:
    number = "" if holder.pid is None else f", process {holder.pid}"
    units = f", unit {', '.join(holder.units)}" if holder.units else ""
    return f"{holder.process}{number}{units}"


def _is_own(holder: Holder, own: frozenset[str]) -> bool:
    matches = [OWN_UNIT.match(unit) for unit in holder.units]
    return bool(matches) and all(match is not None and match["service"] in own for match in matches)


def _ports(request: Request, facts: Facts) -> Iterator[str]:
    """Each foreign holder of a port once, however many sockets and processes it has."""
    own = facts.own_services | set(request.service_ports)
    services = {port: name for name, port in request.service_ports.items()}
    told = set()
    for holder in facts.holders:
        public = holder.port in request.public_ports
        if public and holder.process in request.proxy:
            continue
        if not public and (holder.address not in LOOPBACK or _is_own(holder, own)):
            continue
        key = (holder.port, holder.process, holder.units)
        if key not in told:
            told.add(key)
            wanted = "Apache" if public else f"the service {services.get(holder.port, '?')}"
            yield f"port {holder.port}, wanted by {wanted}, is held by {_who(holder)}"


def _space(request: Request, facts: Facts) -> Iterator[str]:
    for path, wanted in request.free_space.items():
        space = facts.space[path]
        if space.megabytes < wanted:
            yield f"{path} has {space.megabytes} MB free; {wanted} MB are needed"
        if space.files is not None and space.files < FEWEST_FILES:
            yield f"{path} has room for {space.files} more files only (inodes)"


def _clock(request: Request, facts: Facts) -> Iterator[str]:
    if request.time is None:
        return
    off = facts.now - request.time
    if abs(off) > request.time_tolerance:
        direction = "ahead of" if off > 0 else "behind"
        yield (
            f"the clock is {abs(off):.0f} seconds {direction} the controller's; "
            "certificates would not be valid, set the time first"
        )


def findings(request: Request, facts: Facts) -> list[str]:
    """Everything that stands in the way."""
    checks = (_system, _names, _ports, _space, _clock)
    return [finding for check in checks for finding in check(request, facts)]
