# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: from what was seen to what is wrong about it, in words."""

from __future__ import annotations

from datetime import datetime

from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.model import (
    Endpoint,
    Observation,
    Settings,
)

PERMANENT = (301, 308)


def redirect_targets(observation: Observation, settings: Settings) -> tuple[str, ...]:
    """The addresses that the HTTP request may be sent on to."""
    plain = f"https://{observation.host}{observation.uri}"
    return (plain, f"https://{observation.host}:{settings.https_port}{observation.uri}")


def redirect_findings(observation: Observation, settings: Settings) -> list[str]:
    """HTTP has to redirect permanently to the same host and URI over HTTPS, where there is HTTPS."""
    url = f"http://{observation.host}{observation.uri}"
    answer = observation.redirect
    if answer is None:
        return []
    if answer.error:
        return [f"{url}: {answer.error}"]
    if answer.status not in PERMANENT:
        return [f"{url} answers {answer.status}; it has to redirect permanently (301) to HTTPS"]
    targets = redirect_targets(observation, settings)
    if answer.location not in targets:
        return [f"{url} redirects to {answer.location or 'nowhere'}; it has to lead to {targets[0]}"]
    return []


def certificate_findings(observation: Observation, settings: Settings, now: datetime) -> list[str]:
    """The chain has to be trusted, the name covered, the end far enough away."""
    host, certificate = observation.host, observation.certificate
    found = []
    if observation.distrust:
        against = settings.ca_file or "the system's certificate authorities"
        found.append(f"{host}: the certificate is not trusted by {against}: {observation.distrust}")
    if certificate is None:
        return found
    if not certificate.covers(host):
        names = ", ".join(certificate.names) or "no name at all"
        found.append(f"{host}: the certificate does not cover this name; it is for {names}")
    days = certificate.days_left(now)
    if days < settings.minimum_days:
        word = (
            f"ended {certificate.expires:%Y-%m-%d}"
            if days < 0
            else f"ends in {days} days ({certificate.expires:%Y-%m-%d})"
        )
        found.append(f"{host}: the certificate {word}; is the renewal working?")
    return found


def health_findings(endpoint: Endpoint, observation: Observation) -> list[str]:
    """The health path has to answer the expected status."""
    url = endpoint.url_of(observation.host)
    answer = observation.health
    if answer.error:
        return [f"{url}: {answer.error}"]
    if answer.status != endpoint.status:
        said = f": {answer.body}" if answer.body else ""
        return [f"{url} answers {answer.status} instead of {endpoint.status}{said}"]
    return []


def findings(endpoint: Endpoint, observation: Observation, settings: Settings, now: datetime) -> list[str]:
    """Everything that is wrong about one public name."""
    return [
        *redirect_findings(observation, settings),
        *certificate_findings(observation, settings, now),
        *health_findings(endpoint, observation),
    ]


def port_finding(address: str, port: int, accepts: bool) -> str | None:
    """A port that has to be closed from outside."""
    if not accepts:
        return None
    return f"port {port} of {address} accepts connections from outside; only the proxy may reach it"
