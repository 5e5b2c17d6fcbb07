# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of an endpoint and what it answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Endpoint:
    """A service's public names and what its health path has to answer."""

    name: str
    host: str
    aliases: tuple[str, ...] = ()
    address: str | None = None
    health_path: str = "/health"
    status: int = 200
    https: bool = True

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Endpoint:
        """An endpoint from a module's parameters, its names in lower case and once each."""
        host = params["host"].lower()
        aliases = dict.fromkeys(alias.lower() for alias in params.get("aliases") or ())
        return cls(
            name=params.get("name") or host,
            host=host,
            aliases=tuple(alias for alias in aliases if alias != host),
            address=params.get("address") or None,
            health_path=params.get("health_path") or "/health",
            status=params.get("status") or 200,
            https=params.get("https") is not False,
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        """All public names, the main one first."""
        return (self.host, *self.aliases)

    @property
    def url(self) -> str:
        """Where the service's health is asked for from outside."""
        return self.url_of(self.host)

    def url_of(self, host: str) -> str:
        """The same under another of its names."""
        return f"{'https' if self.https else 'http'}://{host}{self.health_path}"


@dataclass(frozen=True)
class Settings:
    """How to check: ports, trust and patience (seconds)."""

    ca_file: str | None = None
    http_port: int = 80
    https_port: int = 443
    timeout: float = 10.0
    closed_timeout: float = 1.0
    minimum_days: int = 7
    closed_ports: tuple[int, ...] = ()
    closed_addresses: tuple[str, ...] = ()
    wait: float = 0.0


@dataclass(frozen=True)
class Certificate:
    """The certificate that a server shows: its names, its end (UTC) and its SHA-256 fingerprint."""

    names: tuple[str, ...]
    expires: datetime
    sha256: str

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends, negative afterwards."""
        return (self.expires - now).days

    def covers(self, host: str) -> bool:
        """Whether a name of it is the host's, a wildcard standing for one label (RFC 6125)."""
        wildcard = "*." + host.partition(".")[2]
        return any(name.lower() in (host.lower(), wildcard.lower()) for name in self.names)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, or in ``error`` why there is none."""

    status: int | None = None
    location: str | None = None
    body: str = ""
    milliseconds: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Observation:
    """What one public name answered: ``health`` as a visitor asks for it, ``redirect`` over HTTP beside HTTPS."""

    host: str
    uri: str
    health: Answer
    redirect: Answer | None = None
    certificate: Certificate | None = None
    distrust: str | None = None


@dataclass(frozen=True)
class Report:
    """An endpoint with what was seen of it and what is wrong about that."""

    endpoint: Endpoint
    observations: tuple[Observation, ...]
    findings: tuple[str, ...] = field(default=())

    def to_result(self, now: datetime) -> dict[str, Any]:
        """The report as a module returns it."""
        main = self.observations[0]
        certificate = main.certificate
        return {
            "name": self.endpoint.name,
            "url": self.endpoint.url,
            "status": main.health.status,
            "milliseconds": main.health.milliseconds,
            "certificate": certificate
            and {
                "names": list(certificate.names),
                "expires": certificate.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "days_left": certificate.days_left(now),
                "sha256": certificate.sha256,
                "trusted": main.distrust is None,
            },
            "findings": list(self.findings),
        }


def all_findings(reports: Iterable[Report], closed: Iterable[str]) -> list[str]:
    """Every finding once, in order."""
    found = [finding for report in reports for finding in report.findings]
    return list(dict.fromkeys([*found, *closed]))
