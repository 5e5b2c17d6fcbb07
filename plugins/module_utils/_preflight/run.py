# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the host and tell what stands in the way."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._preflight import api, check, ports
from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.model import Facts, Request


def look(request: Request) -> Facts:
    """The facts that the request needs."""
    now = time.time()  # first, because the rest takes time
    return Facts(
        system=api.system(),
        systemd=api.has_systemd(),
        root=api.is_root(),
        now=now,
        addresses=api.resolve(request.names) if request.public_address and request.names else {},
        holders=ports.holders({*request.public_ports, *request.service_ports.values()}),
        own_services=api.own_services(),
        space={path: api.space(path) for path in request.free_space},
    )


def run(request: Request) -> dict[str, Any]:
    """The module's result."""
    facts = look(request)
    return {
        "changed": False,
        "system": facts.system,
        "addresses": {name: list(found) for name, found in facts.addresses.items()},
        "findings": check.findings(request, facts),
    }
