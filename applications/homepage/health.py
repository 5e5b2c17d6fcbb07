# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health of other services: asked in parallel, each within the same short time."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

LONGEST_BODY = 64 * 1024
_executor = ThreadPoolExecutor(max_workers=16, thread_name_prefix="health")


@dataclass(frozen=True)
class Service:
    """Another service and where it listens."""

    name: str
    url: str
    link: str | None = None


@dataclass(frozen=True)
class Health:
    """What a service answered."""

    name: str
    link: str | None
    healthy: bool
    detail: str
    release: str | None = None
    milliseconds: int | None = None


def parse(text: str, variable: str) -> dict[str, str]:
    """``name=URL,name=URL`` as a dictionary; raises ValueError with every finding."""
    found, entries = [], {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, url = (part.strip() for part in entry.partition("="))
        parts = urlsplit(url)
        if not name or parts.scheme not in ("http", "https") or not parts.hostname:
            found.append(f"{variable}: '{entry}' is not name=http://host:port")
        elif name in entries:
            found.append(f"{variable}: '{name}' is named twice")
        entries[name] = url.rstrip("/")
    if found:
        raise ValueError("; ".join(found))
    return entries


def services(urls: str, links: str = "") -> list[Service]:
    """The services of $SERVICES, with the public addresses of $LINKS where there are any."""
    public = parse(links, "LINKS")
    return [Service(name, url, public.get(name)) for name, url in parse(urls, "SERVICES").items()]


def _get(parts: SplitResult, path: str, deadline: float) -> tuple[int, bytes]:
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=max(0.05, deadline - time.monotonic()))
    try:
        connection.request("GET", path, headers={"Accept": "application/json", "Connection": "close"})
        response = connection.getresponse()
        body = b""
        while len(body) < LONGEST_BODY and time.monotonic() < deadline:
            part = response.read1(LONGEST_BODY)
            if not part:
                return response.status, body
            body += part
        raise TimeoutError("the answer does not end")
    finally:
        connection.close()


def ask(service: Service, seconds: float) -> Health:
    """The health of one service; whatever goes wrong is a finding, never an exception."""
    start = time.monotonic()
    parts = urlsplit(service.url)
    try:
        status, body = _get(parts, f"{parts.path}/health", start + seconds)
    except (OSError, http.client.HTTPException) as error:
        return Health(service.name, service.link, False, str(error) or type(error).__name__)
    milliseconds = round((time.monotonic() - start) * 1000)
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    known = answer if isinstance(answer, dict) else {}
    release = known.get("release") if isinstance(known.get("release"), str) else None
    healthy = status == 200 and known.get("status", "ok") == "ok"
    reason = known.get("findings") or known.get("status") or "no reason given"
    detail = "ok" if healthy else f"status {status}, {reason}"
    return Health(service.name, service.link, healthy, detail, release, milliseconds)


def ask_all(wanted: Iterable[Service], seconds: float = 2.0) -> list[Health]:
    """The health of all services, in their order, after at most ``seconds``."""
    asked = [(service, _executor.submit(ask, service, seconds)) for service in wanted]
    wait([future for _, future in asked], timeout=seconds + 0.2)
    answers = []
    for service, future in asked:
        if future.done() and not future.cancelled():
            answers.append(future.result())
        else:
            future.cancel()
            answers.append(Health(service.name, service.link, False, f"no answer within {seconds:g} seconds"))
    return answers
