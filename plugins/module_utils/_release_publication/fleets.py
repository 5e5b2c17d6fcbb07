# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fleets are to be published after a run, and what their hosts said that they run; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FLEET = "gatehouse:fleet"


def publications(fleets: Sequence[Mapping[str, Any]], hostvars: Any, hosts: Sequence[str]) -> list[dict[str, Any]]:
    """For each fleet with hosts: ``fleet``, ``running`` by service and host, and ``lacking``, hosts without a result.

    ``hosts`` are all hosts that there may be of them. A host has a result when this run has brought its services to
    their state. What every host of a fleet runs is what is published, so one that lacks it keeps its fleet from that.
    """
    found = []
    for fleet in fleets:
        own = [host for host in hosts if _fleet_of(hostvars[host]) == fleet["name"]]
        results = {host: _result(hostvars[host]) for host in own}
        if own:
            lacking = [host for host in own if not results[host]]
            found.append({"fleet": str(fleet["name"]), "running": _running(results), "lacking": lacking})
    return found


def _fleet_of(variables: Mapping[str, Any]) -> str:
    """By its tag, as the dynamic inventory tells it."""
    return str((variables.get("ec2_tags") or {}).get(FLEET) or "")


def _result(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    result = variables.get("web_service_result") or {}
    return {} if result.get("failed") else result.get("services") or {}


def _running(results: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for host, services in results.items():
        for name, one in services.items():
            if one.get("state") != "absent":
                told = {key: str(one.get(key) or "") for key in ("release", "fingerprint")}
                found.setdefault(str(name), {})[host] = told
    return found
