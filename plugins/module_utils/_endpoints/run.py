# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check all endpoints at once, again and again while there is time and something to find."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints import api, check
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.model import (
    Endpoint,
    Observation,
    Report,
    Settings,
    all_findings,
)


def observe(endpoint: Endpoint, host: str, settings: Settings, context: ssl.SSLContext) -> Observation:
    """Ask one public name for its health, and over HTTP for its redirect."""
    address = endpoint.address or host
    if not endpoint.https:
        answer = api.get(address, settings.http_port, host, endpoint.health_path, settings.timeout)
        return Observation(host, endpoint.health_path, answer)
    uri = f"{endpoint.health_path}{'&' if '?' in endpoint.health_path else '?'}from=gatehouse"
    redirect = api.get(address, settings.http_port, host, uri, settings.timeout)
    health, certificate, distrust = api.get_secure(
        address, settings.https_port, host, endpoint.health_path, settings.timeout, context
    )
    return Observation(host, uri, health, redirect, certificate, distrust)


def _closed(pool: ThreadPoolExecutor, endpoints: Sequence[Endpoint], settings: Settings) -> list[str]:
    asked = (endpoint.address or endpoint.host for endpoint in endpoints)
    addresses = dict.fromkeys((*asked, *settings.closed_addresses))
    wanted = [(address, port) for address in addresses for port in settings.closed_ports]
    answers = pool.map(lambda place: api.accepts(place[0], place[1], settings.closed_timeout), wanted)
    found = (check.port_finding(*place, answer) for place, answer in zip(wanted, answers, strict=True))
    return [finding for finding in found if finding]


def reports(endpoints: Sequence[Endpoint], settings: Settings) -> tuple[list[Report], list[str]]:
    """Check everything once, in parallel: a report per endpoint, and the ports that should be closed."""
    context = api.trust(settings.ca_file)
    places = len(endpoints) + len(settings.closed_addresses)
    jobs = sum(len(endpoint.hosts) for endpoint in endpoints) + len(settings.closed_ports) * places
    with ThreadPoolExecutor(max_workers=max(1, min(64, jobs))) as pool:
        asked = [
            (endpoint, [pool.submit(observe, endpoint, host, settings, context) for host in endpoint.hosts])
            for endpoint in endpoints
        ]
        closed = _closed(pool, endpoints, settings)
        seen = [(endpoint, tuple(future.result() for future in futures)) for endpoint, futures in asked]
    now = datetime.now(timezone.utc)
    results = [
        Report(endpoint, found, tuple(text for one in found for text in check.findings(endpoint, one, settings, now)))
        for endpoint, found in seen
    ]
    return results, closed


def run(endpoints: Sequence[Endpoint], settings: Settings) -> dict[str, Any]:
    """The module's result; raises api.CaFileError."""
    deadline = time.monotonic() + settings.wait
    while True:
        results, closed = reports(endpoints, settings)
        found = all_findings(results, closed)
        if not found or time.monotonic() >= deadline:
            break
        time.sleep(min(0.5, max(0.0, deadline - time.monotonic())))
    now = datetime.now(timezone.utc)
    return {"changed": False, "endpoints": [report.to_result(now) for report in results], "findings": found}
