# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the platform's list of services to the list that the role web_service takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _public
from ansible_collections.gatehouse.platform.plugins.module_utils._names import public_names
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.findings import PLATFORM_KEYS


def role_services(
    services: Sequence[Mapping[str, Any]],
    domain: str = "",
    only: Sequence[str] | str = (),
    load_balancer: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Every entry without what concerns its public names; with ``only``, the entries of those names alone.

    With a domain each gets its main public name as ``server_name``: health checks ask for that one.

    An entry with ``peers: true`` gets the other services in its environment: in SERVICES
    where they listen, in LINKS where they are reached from outside, which for those with
    ``listen`` is at the load balancer. What the entry itself sets there stays. Raises
    ValueError for a name in ``only`` that the list does not have.
    """
    names = [only] if isinstance(only, str) else list(only)
    unknown = sorted(set(names) - {service["name"] for service in services})
    if unknown:
        known = ", ".join(service["name"] for service in services)
        raise ValueError(f"there is no service {', '.join(unknown)}; the list has {known}")
    entry = load_balancer or {}
    return [_role_service(one, services, domain, entry) for one in services if not names or one["name"] in names]


def absent_services(names: Sequence[str], remove_data: bool = False) -> list[dict[str, Any]]:
    """Entries that remove services of these names."""
    return [{"name": name, "state": "absent", "remove_data": remove_data} for name in names]


def result_lines(result: Mapping[str, Any]) -> list[str]:
    """What runs now of each service, from what the module web_services returned."""
    return [_line(name, found) for name, found in result.get("services", {}).items()]


def _line(name: str, found: Mapping[str, Any]) -> str:
    if found.get("state") == "absent":
        return f"{name} is not on this host"
    health = found.get("health") or {}
    status = health.get("status")
    heard = "not asked" if not health else f"status {status}" if status else health.get("text", "")
    before = f", before it {found['previous']}" if found.get("previous") else ""
    runs = f"{name} runs release {found.get('release')} ({found.get('color')}) at {found.get('url')}"
    return f"{runs}, health: {heard}{before}"


def _role_service(
    service: Mapping[str, Any], services: Sequence[Mapping[str, Any]], domain: str, load_balancer: Mapping[str, Any]
) -> dict[str, Any]:
    kept = {key: value for key, value in service.items() if key not in PLATFORM_KEYS}
    if domain:
        kept["server_name"] = public_names(service, domain)[0]
    if service.get("permissions"):
        kept["instance_role"] = True
    if service.get("peers"):
        others = [other for other in services if other["name"] != service["name"]]
        kept["environment"] = {**_peers(others, domain, load_balancer), **(service.get("environment") or {})}
    return kept


def _peers(others: Sequence[Mapping[str, Any]], domain: str, load_balancer: Mapping[str, Any]) -> dict[str, str]:
    peers = {"SERVICES": ",".join(f"{other['name']}=http://127.0.0.1:{other['port']}" for other in others)}
    if domain:
        peers["LINKS"] = ",".join(f"{other['name']}={_link(other, domain, load_balancer)}" for other in others)
    return peers


def _link(service: Mapping[str, Any], domain: str, load_balancer: Mapping[str, Any]) -> str:
    encrypted = (
        _public.https(load_balancer) if service.get("listen") else _public.over_https(service.get("virtual_host") or {})
    )
    return f"{'https' if encrypted else 'http'}://{public_names(service, domain)[0]}"
