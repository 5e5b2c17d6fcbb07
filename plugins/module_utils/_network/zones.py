# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which availability zones a network is in. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def choose(wanted: Sequence[str], count: int, told: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """The names of the zones, and findings. ``told`` is what aws_az_info says; without ``wanted`` the first ones."""
    usable = sorted(str(zone["zone_name"]) for zone in told if _usable(zone))
    if wanted:
        return list(dict.fromkeys(wanted)), list(_about(wanted, usable, told))
    ordinary = [name for name in usable if _ordinary(name, told)]
    if count < 1:
        return [], [f"network_zone_count is {count}; one zone at least is needed"]
    if len(ordinary) < count:
        return ordinary, [f"network_zone_count is {count}, and the region has {len(ordinary)}: {_list(ordinary)}"]
    return ordinary[:count], []


def suffix(zone: str, told: Sequence[Mapping[str, Any]]) -> str:
    """What tells the zone apart in names: "a" for eu-central-1a, "lax-1a" for us-west-2-lax-1a."""
    region = next((str(entry["region_name"]) for entry in told if entry["zone_name"] == zone), "")
    return zone.removeprefix(region).lstrip("-")


def _usable(zone: Mapping[str, Any]) -> bool:
    return zone.get("state", "available") == "available" and zone.get("opt_in_status") != "not-opted-in"


def _ordinary(name: str, told: Sequence[Mapping[str, Any]]) -> bool:
    kinds = [zone.get("zone_type") or "availability-zone" for zone in told if zone["zone_name"] == name]
    return kinds == ["availability-zone"]


def _about(wanted: Sequence[str], usable: Sequence[str], told: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    known = {str(zone["zone_name"]): zone for zone in told}
    regions = _list(sorted({str(zone["region_name"]) for zone in told}))
    for index, name in enumerate(wanted):
        place = f"network_zones[{index}] '{name}'"
        if name not in known:
            yield f"{place}: the region {regions} has no such zone; it has {_list(usable)}"
        elif name not in usable:
            yield f"{place}: the zone cannot be used by this account now; there are {_list(usable)}"
        elif name in wanted[:index]:
            yield f"{place}: is there twice"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
