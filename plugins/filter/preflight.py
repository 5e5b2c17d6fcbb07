# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the preflight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.findings import (
    Host,
    host_findings,
    message,
    request,
    service_findings,
)


def preflight_findings(
    hostvars: Mapping[str, Mapping[str, Any]],
    hosts: Sequence[str],
    services: Any,
    domain: str,
    inventories: Iterable[str],
    bastions: Sequence[str] = (),
    ssh_config: str = "ssh_config",
) -> list[str]:
    """See the documentation beside this file."""
    examined = [
        Host(
            name,
            str(hostvars[name].get("ansible_host") or name),
            str(hostvars[name].get("ansible_user") or ""),
            hostvars[name].get("platform_preflight") or {},
        )
        for name in hosts
    ]
    return [*service_findings(services, domain, inventories), *host_findings(examined, bastions, ssh_config)]


class FilterModule:
    """What is known before anything is touched."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "preflight_request": request,
            "preflight_findings": preflight_findings,
            "preflight_message": message,
        }
