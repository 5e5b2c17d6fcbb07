# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fleets are to be published after a run, and what their hosts said that they run; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _places

Entries = Sequence[Mapping[str, Any]]
FLEET = "gatehouse:fleet"


def publications(
    fleets: Entries,
    hostvars: Any,
    hosts: Sequence[str],
    services: Entries,
    others: Entries = (),
    only: Sequence[str] | str = (),
    without: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """For each fleet with hosts: ``fleet``, its ``services``, the ``hosts`` that count, what is ``running``, and those
    hosts that are ``lacking``.

    ``hosts`` are all hosts that there may be of fleets, ``others`` groups of hosts of their own. What every host of a
    fleet runs is what is published, so one of which nothing is known keeps its fleet from that. With ``only``, which
    are names of services, fleets that run none of them are left out. Hosts ``without`` which a fleet is published do
    not count, unless there are no others.
    """
    wanted = [only] if isinstance(only, str) else list(only)
    places = _places.names(fleets, others)
    found = []
    for name in (str(fleet["name"]) for fleet in fleets):
        here = [service for service in services if _places.of(service, places) == name]
        results = {host: _result(hostvars[host]) for host in hosts if _fleet_of(hostvars[host]) == name}
        if results and (not wanted or any(service["name"] in wanted for service in here)):
            counted = {host: result for host, result in results.items() if host not in without}
            lacking = [host for host, result in counted.items() if not result] if counted else list(results)
            told = {"hosts": list(counted or results), "running": _running(counted), "lacking": lacking}
            found.append({"fleet": name, "services": here, **told})
    return found


def _fleet_of(variables: Mapping[str, Any]) -> str:
    """By its tag, as the dynamic inventory tells it."""
    return str((variables.get("ec2_tags") or {}).get(FLEET) or "")


def _result(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the role web_service left, or web_services_info where the role was not played."""
    for name in ("web_service_result", "publish_running"):
        result = variables.get(name) or {}
        if result.get("failed"):
            return {}
        if result.get("services"):
            return dict(result["services"])
    return {}


def _running(results: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """By service and host, each of the services with each of the hosts."""
    there = {
        host: {name: one for name, one in services.items() if one.get("state") != "absent"}
        for host, services in results.items()
    }
    names = sorted({name for services in there.values() for name in services})
    return {name: {host: _told(services.get(name) or {}) for host, services in there.items()} for name in names}


def _told(one: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(one.get(key) or "") for key in ("release", "fingerprint")}
