# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the services of a platform run: the fleets and groups of hosts that it declares, and which of them is whose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

# Where services run when nothing is declared; the group that the playbooks know.
DEFAULT = "web"


def names(fleets: Sequence[Mapping[str, Any]], hosts: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """All fleets and groups of hosts by name, in the order of their declaration; one where none is declared."""
    found = [str(entry["name"]) for entry in (*fleets, *hosts) if entry.get("name")]
    return found or [DEFAULT]


def of(service: Mapping[str, Any], places: Sequence[str]) -> str:
    """Where a service runs: what it says itself, else on the hosts named web, else on the only place that there is.

    Empty where that is not said.
    """
    if service.get("fleet"):
        return str(service["fleet"])
    if DEFAULT in places:
        return DEFAULT
    return places[0] if len(places) == 1 else ""


def fleet_group(fleet: str) -> str:
    """The inventory's group of a fleet, as Ansible makes it of the tag."""
    return _group("fleet", fleet)


def service_group(service: str) -> str:
    """The inventory's group of the hosts that a service runs on, as Ansible makes it of the tag."""
    return _group("service", service)


def _group(prefix: str, name: str) -> str:
    return f"{prefix}_{re.sub('[^A-Za-z0-9_]', '_', name)}"


def here(
    services: Sequence[Mapping[str, Any]],
    group_names: Sequence[str],
    fleets: Sequence[Mapping[str, Any]] = (),
    hosts: Sequence[Mapping[str, Any]] = (),
) -> list[Mapping[str, Any]]:
    """The services of a host, which is in these groups of the inventory: its fleet's, or those of no fleet.

    Of several groups of hosts each has its own: which one that is, the groups of the services tell.
    """
    places = names(fleets, hosts)
    declared = [str(entry["name"]) for entry in fleets if entry.get("name")]
    mine = [name for name in declared if fleet_group(name) in group_names]
    if mine:
        return [service for service in services if of(service, places) in mine]
    own = [service for service in services if of(service, places) not in declared]
    if len(hosts) < 2:
        return own
    return [service for service in own if service_group(str(service["name"])) in group_names]


def findings(
    services: Sequence[Mapping[str, Any]],
    fleets: Sequence[Mapping[str, Any]],
    hosts: Sequence[Mapping[str, Any]] = (),
    reserved: Sequence[str] = (),
) -> list[str]:
    """What is wrong with the places, and with what the services say of them."""
    told = [
        f"platform_{kind}[{index}] has no name"
        for kind, entries in (("fleets", fleets), ("hosts", hosts))
        for index, entry in enumerate(entries)
        if not entry.get("name")
    ]
    places = names(fleets, hosts)
    seen: set[str] = set()
    for place in places:
        if place.lower() in seen:
            told.append(f"the name {place} is given to two fleets or groups of hosts: give one of them another")
        if place.lower() in reserved:
            told.append(f"no fleet or group of hosts can be named {place}: the platform's own {place} has that name")
        seen.add(place.lower())
    for index, service in enumerate(services):
        place = of(service, places)
        if place not in places:
            said = f"runs on '{place}', which is not declared" if place else "does not say on which fleet it runs"
            name = service.get("name") or f"number {index + 1}"
            told.append(f"service {name} {said}: give fleet one of {', '.join(places)}")
    return told
