# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive from the list of services what is asked of them from outside; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _public
from ansible_collections.gatehouse.platform.plugins.module_utils._names import public_names
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.services import virtual_hosts

Service = Mapping[str, Any]
# What a load balancer that visitors cannot reach is declared as.
INTERNAL = "internal"
# Where a load balancer listens.
LISTENERS = (80, 443)


def endpoints(services: Sequence[Service], domain: str, address: str | None = None) -> list[dict[str, Any]]:
    """One endpoint per virtual host that visitors reach without a load balancer, in the form that the module takes.

    A plain HTTP one stands behind a load balancer, and one in maintenance serves nobody: both are left out. Raises
    VirtualHostsError with all findings of the list at once.
    """
    return [
        _endpoint(service, [host["server_name"], *host["aliases"]], address, True)
        for service, host in _served(services, domain)
        if _public.over_https(host)
    ]


def behind(
    services: Sequence[Service], domain: str, load_balancer: Mapping[str, Any], address: str | None = None
) -> list[dict[str, Any]]:
    """One endpoint per service behind the load balancer, which is asked under its own name, ``address``.

    Without those whose health it does not lead to by their paths, and none at all of an internal load balancer. Raises
    VirtualHostsError.
    """
    if not load_balancer or load_balancer.get("scheme") == INTERNAL:
        return []
    https = _public.https(load_balancer)
    return [
        _endpoint(service, public_names(service, domain), address, https)
        for service, _host in _served(services, domain)
        if service.get("listen") and _leads_to_health(service)
    ]


def closed_ports(services: Sequence[Service], load_balancer: Mapping[str, Any] | None = None) -> list[int]:
    """The ports that nobody reaches from outside: those of services, and with a load balancer its way to them."""
    own = [service.get("port") for service in services]
    inner = [service.get("listen") for service in services] if load_balancer else []
    ports = sorted({int(port) for port in (*own, *inner) if port})
    return [port for port in ports if not load_balancer or port not in LISTENERS]


def urls(services: Sequence[Service], domain: str, load_balancer: Mapping[str, Any] | None = None) -> list[str]:
    """Where the health of each service is asked for: through the load balancer, if there is one."""
    found = behind(services, domain, load_balancer) if load_balancer else endpoints(services, domain)
    return [f"{'https' if entry['https'] else 'http'}://{entry['host']}{entry['health_path']}" for entry in found]


def _served(services: Sequence[Service], domain: str) -> list[tuple[Service, Mapping[str, Any]]]:
    pairs = zip(services, virtual_hosts(services, domain), strict=True)
    return [(service, host) for service, host in pairs if not host.get("maintenance")]


def _endpoint(service: Service, names: Sequence[str], address: str | None, https: bool) -> dict[str, Any]:
    path, status = _public.health(service)
    return {
        "name": service["name"],
        "host": names[0],
        "aliases": list(dict.fromkeys(names[1:])),
        "address": address or None,
        "health_path": path,
        "status": status,
        "https": https,
    }


def _leads_to_health(service: Service) -> bool:
    """Whether a visitor who asks for the health gets to this service: a path stands for itself and all below it."""
    path = _public.health(service)[0].partition("?")[0]
    told = [str(one) for one in service.get("paths") or ["/"]]
    return any(
        fnmatchcase(path, one) if set(one) & set("*?") else f"{path}/".startswith(f"{one.rstrip('/')}/") for one in told
    )
