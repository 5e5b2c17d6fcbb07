# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters from the list of services to what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints import derive
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError


def endpoints(services: Sequence[Mapping[str, Any]], domain: str, address: str | None = None) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return derive.endpoints(services, domain, address)
    except VirtualHostsError as error:
        raise AnsibleFilterError(f"The endpoints cannot be derived: {error}") from error


def load_balancer_endpoints(
    services: Sequence[Mapping[str, Any]],
    domain: str,
    load_balancer: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return derive.behind(services, domain, load_balancer or {}, address)
    except VirtualHostsError as error:
        raise AnsibleFilterError(f"The endpoints cannot be derived: {error}") from error


def endpoint_urls(
    services: Sequence[Mapping[str, Any]], domain: str, load_balancer: Mapping[str, Any] | None = None
) -> list[str]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return derive.urls(services, domain, load_balancer)
    except VirtualHostsError as error:
        raise AnsibleFilterError(f"The endpoints cannot be derived: {error}") from error


def service_health_checks(services: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """See the documentation beside this file."""
    return [{key: service[key] for key in ("name", "health") if service.get(key)} for service in services]


class FilterModule:
    """What the platform shows to the outside."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "closed_ports": derive.closed_ports,
            "endpoints": endpoints,
            "load_balancer_endpoints": load_balancer_endpoints,
            "endpoint_urls": endpoint_urls,
            "service_health_checks": service_health_checks,
        }
