# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a platform's declaration to its whole set of security groups, as the module security_groups takes it; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security.declaration import (
    ANYWHERE,
    SSH,
    WEB,
    Declaration,
)


def groups(declared: Declaration) -> list[dict[str, Any]]:
    """The load balancer's group, the bastion's, and one for each fleet and each group of hosts.

    Which way traffic goes out is not declared, and so stays as AWS makes it: open.
    """
    found: list[dict[str, Any]] = []
    if declared.access is not None:
        found.append(_group(declared.group("alb"), [_rule(declared.balancer_ports, declared.access, "visitors")]))
    if declared.topology == "bastion":
        found.append(_group(declared.group("bastion"), [_rule([SSH], declared.operators, "operators")]))
    return found + [_group(declared.group(place), _of_hosts(declared, place)) for place in declared.places]


def protect(declared: Declaration, own: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The operators' way in, as paths that no run may close. ``own`` is where this operator comes from, if known."""
    doors = ["bastion"] if declared.topology == "bastion" else declared.places
    return [
        {"group": declared.group(door), "port": SSH, "source": source}
        for door in doors
        for source in own or declared.operators
    ]


def health_checks(declared: Declaration) -> list[dict[str, Any]]:
    """What the load balancer's checks need: a port of a group, from the load balancer's. None without one."""
    if declared.access is None:
        return []
    return [
        {
            "service": service.name,
            "group": declared.group(service.place),
            "port": service.checked,
            "source": declared.group("alb"),
        }
        for service in declared.services
        if service.checked
    ]


def tagged(groups: Sequence[Mapping[str, Any]], tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """The same groups with further tags; what a group says itself comes first."""
    return [{**group, "tags": {"Name": group["name"], **tags, **(group.get("tags") or {})}} for group in groups]


def _of_hosts(declared: Declaration, place: str) -> list[dict[str, Any]]:
    services = [service for service in declared.services if service.place == place]
    balanced = {port for service in services if service.checked for port in service.ports}
    public = {port for service in services if not service.checked for port in service.ports}
    rules = []
    if declared.access is None or not all(service.checked for service in services):
        rules.append(_rule({*WEB, *public}, ANYWHERE, "visitors"))
    if balanced:
        rules.append(_rule(balanced, [declared.group("alb")], "load balancer"))
    if declared.topology == "bastion":
        return [*rules, _rule([SSH], [declared.group("bastion")], "bastion")]
    return [*rules, _rule([SSH], declared.operators, "operators")]


def _group(name: str, ingress: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "tags": {"Name": name}, "ingress": ingress}


def _rule(ports: Any, sources: Sequence[str], description: str) -> dict[str, Any]:
    return {"ports": sorted(ports), "sources": list(sources), "description": description}
