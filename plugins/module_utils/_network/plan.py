# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a declaration and what there is to what is wrong, what changes, what goes, and what comes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._network import findings, result, zones
from ansible_collections.gatehouse.platform.plugins.module_utils._network.entries import Entry, Network, entries
from ansible_collections.gatehouse.platform.plugins.module_utils._network.found import Found, read
from ansible_collections.gatehouse.platform.plugins.module_utils._network.layout import (
    LayoutError,
    Place,
    network,
    subnet_layout,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._network.removal import KINDS, obstacles, removal


def network_plan(declared: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The plan of the role network; ``declared`` are its variables without their prefix, ``told`` see found.read.

    ``findings`` are sentences; with any of them nothing may be changed. ``sentences`` say what changes. ``make`` has by
    kind what can be made now, ``waiting`` in words what cannot because of something that is not there yet.
    ``remove`` has by kind what goes, ``surplus`` in words what would go if that were asked for. ``pending`` are ids of
    NAT gateways to wait for.
    """
    found = read(told)
    if declared["state"] == "absent":
        return _of_absence(declared, found)
    if declared["vpc_id"] or declared["use_default"]:
        return _of_use(declared, found)
    return _of_presence(declared, found)


def _of_presence(declared: Mapping[str, Any], found: Found) -> dict[str, Any]:
    chosen, wrong = zones.choose(declared["zones"], declared["zone_count"], found.zones)
    wrong += [*findings.of_declaration(declared), *findings.of_given_subnets(declared, chosen)]
    bare = Network(declared, found, chosen, [])
    places = _places(bare, wrong)
    whole = Network(declared, found, chosen, places)
    listed = list(entries(whole))
    wrong += findings.of_account(whole, listed)
    gone = removal(found, whole.platform, {(entry["kind"], entry["name"]) for entry in listed} | _own_vpc(whole))
    surplus = [entry["words"] for kind in gone.values() for entry in kind]
    purged = bool(declared["purge"])
    if purged:
        wrong += obstacles(found, whole.platform, (), {entry["id"] for entry in gone["subnet"]})
    return {
        **_nothing(),
        "findings": list(dict.fromkeys(wrong)),
        "sentences": [*map(_sentence, filter(_changes, listed)), *(f"remove {words}" for words in surplus if purged)],
        "make": {kind: [e for e in listed if e["kind"] == kind and e["change"] and e["ready"]] for kind in KINDS},
        "waiting": [entry["words"] for entry in listed if entry["change"] and not entry["ready"]],
        "remove": gone if purged else _nothing()["remove"],
        "surplus": [] if purged else surplus,
        "pending": _pending(whole),
        "result": result.of_made(whole, listed),
    }


def _own_vpc(whole: Network) -> set[tuple[str, str]]:
    """The VPC is found by its tag and stays, whatever its name."""
    return {("vpc", whole.vpc.name)} if whole.vpc else set()


def _places(bare: Network, wrong: list[str]) -> list[Place]:
    """The subnets: those that are there keep their blocks. Adds to the findings."""
    tiers, found = [str(tier) for tier in bare.declared["tiers"]], bare.found
    given = {(str(item["tier"]), str(item["zone"])): str(item["cidr"]) for item in bare.declared["subnets"]}
    wanted = {bare.named(tier, bare.suffix(zone)): (tier, zone) for tier in tiers for zone in bare.zones}
    there = {name: resource for name in wanted if (resource := bare.resource("subnet", name))}
    given.update({wanted[name]: str(resource.told["cidr_block"]) for name, resource in there.items()})
    kept = {resource.id for resource in there.values()}
    reserved = [str(item.told["cidr_block"]) for item in found.of("subnet") if item.id not in kept]
    asked = {key: cidr for key, cidr in given.items() if key in wanted.values()}
    try:
        return subnet_layout(
            str(bare.declared["cidr"]), bare.zones, tiers, int(bare.declared["subnet_prefix"]), asked, reserved
        )
    except LayoutError as error:
        wrong += [f"network_cidr: {finding}" for finding in error.findings]
        return []


def _pending(whole: Network) -> list[str]:
    """Ids of NAT gateways that may not work yet."""
    gateways = [whole.resource("nat_gateway", whole.nat_name(zone)) for zone in whole.nat_zones]
    return [gateway.id for gateway in gateways if gateway and gateway.told.get("state") != "available"]


def _changes(entry: Entry) -> bool:
    return bool(entry["change"])


def _sentence(entry: Entry) -> str:
    return f"change {entry['words']} ({entry['id']})" if entry["id"] else f"create {entry['words']}"


def _of_use(declared: Mapping[str, Any], found: Found) -> dict[str, Any]:
    _chosen, wrong = zones.choose(declared["zones"], 1, found.zones)
    there = result.subnets_of_used(found, declared)
    used = result.of_used(found, declared, there)
    wrong += [*findings.of_declaration(declared), *findings.of_used_vpc(declared, found, there)]
    return {**_nothing(), "findings": wrong, "result": used}


def _of_absence(declared: Mapping[str, Any], found: Found) -> dict[str, Any]:
    platform = str(declared["platform"])
    gone = removal(found, platform, ())
    vpcs = {entry["id"] for entry in gone["vpc"]}
    wrong = [finding for finding in findings.of_declaration(declared) if finding.startswith("network_platform")]
    subnets = {entry["id"] for entry in gone["subnet"]}
    wrong += obstacles(found, platform, vpcs, () if declared["check_mode"] else subnets)
    words = [entry["words"] for kind in gone.values() for entry in kind]
    return {**_nothing(), "findings": wrong, "sentences": [f"remove {word}" for word in words], "remove": gone}


def _nothing() -> dict[str, Any]:
    return {
        "findings": [],
        "sentences": [],
        "make": {kind: [] for kind in KINDS},
        "waiting": [],
        "remove": {kind: [] for kind in KINDS},
        "surplus": [],
        "pending": [],
        "result": result.NOTHING,
    }


__all__ = ["network", "network_plan"]
