# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive endpoints from the list of services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.services import virtual_hosts


def endpoints(services: Sequence[Mapping[str, Any]], domain: str, address: str | None = None) -> list[dict[str, Any]]:
    """One endpoint per virtual host that serves visitors, in the form that the module of this name takes.

    A plain HTTP one stands behind a load balancer, and one in maintenance serves nobody: both are left out. Raises
    VirtualHostsError with all findings of the list at once.
    """
    pairs = zip(services, virtual_hosts(services, domain), strict=True)
    return [
        _endpoint(service, host, address)
        for service, host in pairs
        if host.get("https", True) and not host.get("maintenance")
    ]


def _endpoint(service: Mapping[str, Any], host: Mapping[str, Any], address: str | None) -> dict[str, Any]:
    health = service.get("health") or {}
    return {
        "name": service["name"],
        "host": host["server_name"],
        "aliases": host["aliases"],
        "address": address or None,
        "health_path": health.get("path") or "/health",
        "status": health.get("status") or 200,
    }


def urls(services: Sequence[Mapping[str, Any]], domain: str) -> list[str]:
    """Where the health of each service is asked for from outside."""
    return [f"https://{entry['host']}{entry['health_path']}" for entry in endpoints(services, domain)]
