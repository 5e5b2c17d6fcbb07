# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what runs of a platform on this host; changes nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import (
    censor,
    describe,
    health,
    host,
    ledger,
    systemd,
    units,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.choice import (
    live_release,
    previous_release,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    COLORS,
    Service,
    State,
    service_from_params,
)

# Seconds.
PATIENCE = 5.0


def run(platform: str, declared: Sequence[Mapping[str, Any]], journal: int = 0) -> dict[str, Any]:
    """The result of the module web_services_info, with the last ``journal`` lines that each live deployment wrote."""
    services = services_of(platform, declared)
    states = host.read(services)
    shown = systemd.show([unit for one in services for unit in unit_names(one.name, states[one.name].live)])
    with ThreadPoolExecutor(max_workers=max(1, min(16, len(services)))) as pool:
        found = pool.map(lambda service: summary(service, states[service.name], shown), services)
        told = dict(zip((one.name for one in services), found, strict=True))
    for one in services if journal else ():
        told[one.name]["journal"] = said(one.name, states[one.name], journal)
    return {"changed": False, "services": told}


def services_of(platform: str, declared: Sequence[Mapping[str, Any]]) -> list[Service]:
    """The platform's services on this host, with the health check that is declared, else as they were deployed."""
    known = {str(entry.get("name")): entry for entry in declared}
    return [_service(name, platform, known.get(name, {})) for name in host.owned_services(platform)]


def unit_names(name: str, live: str | None) -> list[str]:
    """The units that have to run."""
    return [f"{name}.socket", *([f"{name}-{live}.service"] if live in COLORS else [])]


def summary(service: Service, state: State, shown: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """One service as the module returns it; asks the live deployment for its health."""
    found = {name: shown.get(name, {}) for name in unit_names(service.name, state.live)}
    live = state.releases.get(live_release(state) or "")
    return {
        "release": live_release(state),
        "fingerprint": live.fingerprint if live else None,
        "previous": previous_release(state),
        "releases": {name: release.state for name, release in sorted(state.releases.items())},
        "color": state.live,
        "port": state.listening,
        "units": {name: f"{unit.get('ActiveState')} ({unit.get('SubState')})" for name, unit in found.items()},
        "health": ask(service, state),
        "findings": _findings(service, state),
        "lock": ledger.holder(service.name),
        "last": next(iter(ledger.history(service.name, 1)), None),
    }


def said(name: str, state: State, lines: int) -> list[str]:
    """The last lines that the live deployment wrote, without values of secrets and variables."""
    if not state.live:
        return []
    censored = censor.of_files(state.colors[state.live].files)
    text = censored(systemd.journal(f"{name}-{state.live}.service", lines=lines * 5))
    return describe.excerpt(text, f"{units.base(name)}/releases/", lines).splitlines()


def _findings(service: Service, state: State) -> list[str]:
    return [
        f"{service.name}: {color} answers requests as well as {state.live}, the live one;"
        " a deploy goes on, or was interrupted and is finished by the next one"
        for color in COLORS
        if state.live and color != state.live and state.colors[color].active
    ]


def ask(service: Service, state: State) -> dict[str, Any] | None:
    """The health of the live color, asked on its own socket; None when no color is live."""
    if not state.live:
        return None
    path = units.check_socket(service.name, state.live)
    censored = censor.of_files(state.colors[state.live].files)
    answer = health.ask(path, service.health, service.server_name, time.monotonic() + PATIENCE, censored=censored)
    return {"healthy": answer.status == service.health.status, "status": answer.status, "text": answer.text}


def _service(name: str, platform: str, declared: Mapping[str, Any]) -> Service:
    deployed = host.manifest(name).get("health") or {}
    question = declared.get("health") or {key: deployed[key] for key in ("path", "status") if key in deployed}
    params = {"name": name, "health": question, "server_name": deployed.get("host")}
    return service_from_params(params, platform, {})
