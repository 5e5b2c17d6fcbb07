# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a platform's declaration to where its public names lead; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _places
from ansible_collections.gatehouse.platform.plugins.module_utils._names import public_names

Told = Mapping[str, Any]


def records(
    services: Sequence[Told],
    domain: str,
    hosts: Sequence[Told] = (),
    fleets: Sequence[Told] = (),
    load_balancer: Told | None = None,
    instances: Mapping[str, Told] | None = None,
) -> list[dict[str, Any]]:
    """Names of services behind the load balancer lead to it, those of services on hosts of their own to these.

    ``load_balancer`` and ``instances`` are what the roles load_balancer and compute have told. A fleet without a load
    balancer has no address that stays, so that nothing leads there. Raises PublicNameError.
    """
    places = _places.names(fleets, hosts)
    own = {str(entry["name"]) for entry in hosts}
    found: dict[str, dict[str, Any]] = {}
    for service in services:
        place = _places.of(service, places)
        for name in public_names(service, domain):
            if service.get("listen") and load_balancer:
                balancer = {key: str(load_balancer.get(key) or "") for key in ("dns_name", "zone_id")}
                found[name] = {"name": name, "load_balancer": balancer}
            elif place in own:
                address = str(((instances or {}).get(place) or {}).get("public_address") or "")
                found[name] = {"name": name, "addresses": [address]}
    return list(found.values())
