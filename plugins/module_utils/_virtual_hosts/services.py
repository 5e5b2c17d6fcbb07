# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the platform's list of services to the virtual hosts of the role apache_proxy; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._names import PublicNameError, full_name
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError

CERTIFICATES = "/etc/letsencrypt/live"
# A load balancer checks the health of a host under its address.
ANY_NAME = "*"

# What an entry's ``virtual_host`` may hold: the options of apache_proxy_virtual_hosts.
OPTIONS = frozenset(
    {
        "aliases", "backends", "body_limit", "certificate", "certificate_key", "compression", "connection_timeout",
        "extra_directives", "headers", "health_path", "hsts", "hsts_max_age", "hsts_subdomains", "https", "log_name",
        "maintenance", "maintenance_message", "name", "port", "retry_after", "serve_before_certificate", "server_name",
        "static", "timeout", "websocket",
    }
)  # fmt: skip


def virtual_hosts(
    services: Sequence[Mapping[str, Any]], domain: str, certificate_name: str | None = None
) -> list[dict[str, Any]]:
    """One virtual host per service; raises VirtualHostsError with all findings at once.

    A service that ``listen`` on a port stands behind a load balancer: it has that port for itself, without TLS.
    """
    findings: list[str] = []
    hosts: list[dict[str, Any]] = []
    for number, service in enumerate(services, 1):
        made, wrong = _virtual_host(service, domain.lower().rstrip("."), certificate_name)
        hosts += made
        findings += [f"service {service.get('name', f'number {number}')}: {finding}" for finding in wrong]
    findings += _shared_names(hosts)
    if findings:
        raise VirtualHostsError("; ".join(findings))
    return hosts


def _virtual_host(
    service: Mapping[str, Any], domain: str, certificate_name: str | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The service's virtual host, or none and what is wrong with the entry."""
    options = service.get("virtual_host") or {}
    findings = [f"virtual_host has no option '{key}'" for key in sorted(set(options) - OPTIONS)]
    findings += [f"'{key}' is missing" for key in ("name", "port") if not service.get(key)]
    names: list[str] = []
    for host in [service.get("host") or service.get("name") or "@", *(service.get("aliases") or [])]:
        _add_name(host, domain, names, findings)
    if findings:
        return [], findings
    live = f"{CERTIFICATES}/{certificate_name or domain}"
    behind: dict[str, Any] = {}
    if service.get("listen"):
        behind = {"https": False, "port": service["listen"], "aliases": [*names[1:], ANY_NAME]}
    host = {
        "name": service["name"],
        "server_name": names[0],
        "aliases": names[1:],
        "backends": [f"http://127.0.0.1:{service['port']}"],
        "log_name": service.get("log_name") or service["name"],
        "certificate": f"{live}/fullchain.pem",
        "certificate_key": f"{live}/privkey.pem",
        **behind,
        **options,
    }
    return [host], []


def _add_name(host: str, domain: str, names: list[str], findings: list[str]) -> None:
    try:
        names.append(full_name(host, domain))
    except PublicNameError as error:
        findings.append(str(error))


def _shared_names(hosts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Public names that several virtual hosts claim, and ports of their own that are not."""
    owners: dict[str, list[str]] = {}
    for host in hosts:
        names = [host["server_name"], *host["aliases"]]
        # On a port of its own a host may have the names of others: paths lead to it.
        for name in [ANY_NAME] if ANY_NAME in names else names:
            owner = f"port {host['port']} for itself" if name == ANY_NAME else f"the name {name}"
            owners.setdefault(owner, []).append(host["name"])
    for name, claimed in owners.items():
        if len(claimed) > 1:
            yield f"{name} belongs to {' and to '.join(claimed)}"
