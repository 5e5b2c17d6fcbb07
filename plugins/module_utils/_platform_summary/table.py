# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: the table of what now runs where, as aligned lines of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HEADINGS = ("URL", "SERVICE", "RELEASE", "UNIT", "HEALTH", "MS")
HOST_HEADINGS = ("HOST", "ZONE", "SERVICE", "TARGET", "RELEASE", "UNIT")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _text(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)


def _health(endpoint: Mapping[str, Any]) -> str:
    if endpoint.get("status") is None:
        return "no answer"
    return f"{endpoint['status']}, see below" if endpoint.get("findings") else f"{endpoint['status']} ok"


def _unit(service: Mapping[str, Any]) -> str:
    """The live color, and its units' state where one of them does not run."""
    units = service.get("units") or {}
    lame = [f"{name} {state}" for name, state in sorted(units.items()) if not str(state).startswith("active")]
    return ", ".join(str(part) for part in (service.get("color"), *lame) if part) or "-"


def _row(endpoint: Mapping[str, Any], service: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _text(endpoint.get("url")),
        _text(endpoint.get("name")),
        _text(service.get("release")),
        _unit(service),
        _health(endpoint),
        _text(endpoint.get("milliseconds")),
    )


def _served(endpoints: Iterable[Mapping[str, Any]]) -> list[str]:
    """The certificates as served, each once."""
    found = {}
    for endpoint in endpoints:
        certificate = endpoint.get("certificate") or {}
        if certificate:
            found[certificate.get("sha256")] = (
                f"Certificate as served, until {_text(certificate.get('expires'))}"
                f" ({_text(certificate.get('days_left'))} days left): {', '.join(certificate.get('names') or ['-'])}"
            )
    return list(found.values())


def _stored(certificates: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"Certificate {name}, until {_text(entry.get('expires'))}: {', '.join(entry.get('names') or ['-'])}"
        for name, entry in sorted(certificates.items())
    ]


def _host_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    cells = (row.get("host"), row.get("zone"), row.get("service"), row.get("state"), row.get("release"))
    return (*(_text(cell) for cell in cells), _unit(row))


def _common(hosts: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What runs of each service on all hosts of a fleet."""
    releases: dict[str, set[str]] = {}
    for row in hosts:
        if row.get("release"):
            releases.setdefault(str(row["service"]), set()).add(str(row["release"]))
    return {service: {"release": _one_of(found)} for service, found in releases.items()}


def _one_of(releases: set[str]) -> str:
    """The latest where all are of the same code, which hosts that came later got later; else how many there are."""
    codes = {release.rpartition("-")[2] for release in releases}
    return max(releases) if len(codes) == 1 else f"{len(codes)} releases, see below"


def platform_summary(
    endpoints: Iterable[Mapping[str, Any]],
    services: Mapping[str, Mapping[str, Any]] | None = None,
    certificates: Mapping[str, Mapping[str, Any]] | None = None,
    findings: Iterable[str] = (),
    probe: str | None = None,
    hosts: Sequence[Mapping[str, Any]] = (),
) -> list[str]:
    """Lines: a row per endpoint and per service without one, one per host of a fleet, the certificates, the probe, then
    what is wrong.
    """
    shown, known = list(endpoints), {**_common(hosts), **(services or {})}
    rows = [_row(endpoint, known.pop(str(endpoint.get("name")), {})) for endpoint in shown]
    rows += [("-", name, _text(service.get("release")), _unit(service), "-", "-") for name, service in known.items()]
    lines = aligned([HEADINGS, *rows]) if rows else ["Nothing runs here yet."]
    fleet = ["", *aligned([HOST_HEADINGS, *map(_host_row, hosts)])] if hosts else []
    told = _served(shown) or _stored(certificates or {})
    told += [f"While this ran: {probe}"] if probe else []
    found = [finding for service in (services or {}).values() for finding in service.get("findings") or ()]
    wrong = [f"- {finding}" for finding in (*findings, *found)]
    return [*lines, *fleet, *([""] if told else []), *told, *(["", "Not as it should be:"] if wrong else []), *wrong]
