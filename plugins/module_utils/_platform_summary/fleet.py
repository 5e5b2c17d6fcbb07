# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: what runs on each host behind the load balancer, and what the load balancer says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Told = Mapping[str, Any]
HEALTHY, ABSENT = "healthy", "not registered"


def fleet_states(
    hostvars: Mapping[str, Told],
    hosts: Iterable[str],
    services: Iterable[Told],
    targets: Mapping[str, Sequence[Told]],
    running: str = "web_service_result",
) -> list[dict[str, Any]]:
    """A row per host and service behind the load balancer, then one per target that is no host of this run.

    ``targets`` are the ``services`` of the module load_balancer_info; ``running`` is the variable of each host that has
    what runs there.
    """
    behind = [str(service["name"]) for service in services if service.get("listen")]
    rows = [row for host in hosts for row in _rows(host, hostvars[host], behind, targets, running)]
    known = {(row["service"], row["target"]) for row in rows}
    others = ((service, target) for service, told in targets.items() for target in told)
    rows += [
        _row(str(target["id"]), service, target, {}, str(target.get("availability_zone") or ""), known=False)
        for service, target in others
        if (service, str(target["id"])) not in known
    ]
    return sorted(rows, key=lambda row: (row["service"], row["zone"], row["host"]))


def _rows(
    host: str, variables: Told, behind: Sequence[str], targets: Mapping[str, Sequence[Told]], running: str
) -> Iterator[dict[str, Any]]:
    tags = variables.get("ec2_tags") or {}
    declared = str(tags.get("gatehouse:services") or "").split(",") if "gatehouse:services" in tags else behind
    names = {str(name) for name in (host, variables.get("ec2_instance_id"), variables.get("ansible_host")) if name}
    zone = str((variables.get("ec2_placement") or {}).get("availability_zone") or "")
    runs = (variables.get(running) or {}).get("services") or {}
    unknown = {"id": variables.get("ec2_instance_id") or host}
    for service in behind:
        if service in declared:
            target = next((one for one in targets.get(service) or () if one["id"] in names), unknown)
            yield _row(
                host, service, target, runs.get(service) or {}, zone or str(target.get("availability_zone") or "")
            )


def _row(host: str, service: str, target: Told, runs: Told, zone: str, known: bool = True) -> dict[str, Any]:
    return {
        "host": host,
        "zone": zone,
        "service": service,
        "target": str(target["id"]),
        "state": str(target.get("state") or ABSENT),
        "reason": str(target.get("description") or target.get("reason") or ""),
        "release": str(runs.get("release") or ""),
        "color": str(runs.get("color") or ""),
        "units": dict(runs.get("units") or {}),
        "findings": [str(finding) for finding in runs.get("findings") or ()],
        "known": known,
    }


def fleet_findings(rows: Iterable[Told], load_balancer: str = "") -> list[str]:
    """What is wrong with hosts of this run, in words; others may just have been launched, or be on their way out.

    ``load_balancer`` is the name of one that does not exist, if it does not.
    """
    found = [f"there is no load balancer {load_balancer} of this platform: run site.yml"] if load_balancer else []
    for row in rows:
        where = f"{row['host']} ({row['zone'] or 'zone unknown'})"
        if row["known"] and row["state"] != HEALTHY and not load_balancer:
            words = f", as the load balancer says: {row['reason']}" if row["reason"] else ""
            found.append(f"{where} is {row['state']} for {row['service']}{words}")
        found += [f"{where}: {finding}" for finding in row["findings"]]
    return found
