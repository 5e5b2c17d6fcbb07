# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleets of a platform: which hosts of the inventory and which services are whose; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _places
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import (
    BATCH,
    MINIMUM,
    Fleet,
    RolloutError,
    Share,
)

Entry = Mapping[str, Any]
Groups = Mapping[str, Sequence[str]]
SHARES = {"batch": BATCH, "minimum_healthy": MINIMUM}
OPTIONS = (*SHARES, "timeout")


def members(groups: Groups, fleet: str) -> list[str]:
    """Hosts of a fleet, from the inventory's group of its tag."""
    return list(groups.get(_places.fleet_group(fleet)) or ())


def fleet_hosts(groups: Groups, fleets: Sequence[Entry]) -> list[str]:
    """Hosts of all fleets."""
    return [host for entry in fleets for host in members(groups, str(entry["name"]))]


def standalone_hosts(groups: Groups, fleets: Sequence[Entry]) -> list[str]:
    """Web hosts of no fleet."""
    return [host for host in groups.get("web") or () if host not in fleet_hosts(groups, fleets)]


def declared(
    services: Sequence[Entry],
    platform: str,
    groups: Groups,
    fleets: Sequence[Entry] = (),
    hosts: Sequence[Entry] = (),
    only: Sequence[str] | str = (),
    empty: bool = False,
) -> list[Fleet]:
    """The fleets that have hosts and services to deploy, all or those named ``only``; raises RolloutError.

    With ``empty`` those that have services and no host.
    """
    names = [only] if isinstance(only, str) else list(only)
    places = _places.names(fleets, hosts)
    findings = [finding for entry in fleets for finding in deploy_findings(entry)]
    known = [str(service["name"]) for service in services]
    findings += [f"there is no service {name}; the list has {', '.join(known)}" for name in names if name not in known]
    if findings:
        raise RolloutError("; ".join(findings))
    found = []
    for entry in fleets:
        name, options = str(entry["name"]), entry.get("deploy") or {}
        runs = [str(service["name"]) for service in services if _places.of(service, places) == name]
        wanted = tuple(service for service in runs if not names or service in names)
        batch, minimum = (Share.parse(options.get(key, usual)) for key, usual in SHARES.items())
        timeout = int(options.get("timeout") or 0)
        found.append(Fleet(name, f"{platform}-{name}", wanted, tuple(members(groups, name)), batch, minimum, timeout))
    return [fleet for fleet in found if fleet.services and bool(fleet.members) != empty]


def deploy_findings(entry: Entry) -> list[str]:
    """What is wrong with how a fleet is deployed to."""
    options = entry.get("deploy") or {}
    where = f"platform_fleets: {entry['name']}: deploy"
    told = [f"{where} has no option '{key}'; known are {', '.join(OPTIONS)}" for key in options if key not in OPTIONS]
    wrong = {key: _wrong(options.get(key, usual)) for key, usual in SHARES.items()}
    if not str(options.get("timeout") or 0).isdigit():
        wrong["timeout"] = f"'{options['timeout']}' is no number of seconds"
    return told + [f"{where}.{key}: {why}" for key, why in wrong.items() if why]


def _wrong(share: object) -> str:
    try:
        Share.parse(share)
    except ValueError as error:
        return str(error)
    return ""
