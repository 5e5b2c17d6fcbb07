# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the certificates that are there to those declared: pure, in words."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import Certificate

RENEW_SECONDS = 30 * 86400

Kind = Literal["request", "reissue", "renew", "remove"]


@dataclass(frozen=True)
class Present:
    """A certificate on disk. Times are seconds since the epoch; empty settings mean that they are not known."""

    name: str
    names: frozenset[str]
    not_before: float
    expires: float
    issuer: str
    serial: str
    fingerprint: str
    key_type: str
    server: str = ""
    authenticator: str = ""
    challenge_directories: frozenset[str] = frozenset()

    @property
    def due(self) -> float:
        """When to renew: 30 days before the end, or a third of the lifetime when that is less."""
        return self.expires - min(RENEW_SECONDS, (self.expires - self.not_before) / 3)


@dataclass(frozen=True)
class Step:
    """One thing to do about one certificate."""

    kind: Kind
    name: str
    sentence: str
    certificate: Certificate | None = None


@dataclass(frozen=True)
class Plan:
    """All steps, and what the certificates' names are before and after them."""

    steps: tuple[Step, ...]
    adopted: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return bool(self.steps or self.adopted)

    @property
    def issuing(self) -> list[Certificate]:
        """What the ACME server will be asked for."""
        return [step.certificate for step in self.steps if step.certificate]

    def removing(self) -> list[str]:
        return [step.name for step in self.steps if step.kind == "remove"]

    def sentences(self) -> list[str]:
        return [
            *(f"{name}: takes over the certificate that is there" for name in self.adopted),
            *(f"{step.name}: {step.sentence}" for step in self.steps),
        ]

    def after(self, current: Iterable[Present]) -> dict[str, list[str]]:
        """Names of every certificate once the steps are done."""
        names = describe(current)
        for step in self.steps:
            if step.certificate:
                names[step.name] = sorted(step.certificate.names)
            else:
                names.pop(step.name, None)
        return names


def describe(current: Iterable[Present]) -> dict[str, list[str]]:
    """Sorted names of each certificate."""
    return {present.name: sorted(present.names) for present in current}


def make_plan(
    current: Mapping[str, Present],
    desired: Sequence[Certificate],
    owned: Iterable[str],
    now: float,
    purge: bool = True,
) -> Plan:
    """What brings ``current`` to ``desired``; only ``owned`` certificates that left the list are removed."""
    owned = set(owned)
    wanted = {certificate.name for certificate in desired}
    steps = [step for certificate in desired if (step := _step(current.get(certificate.name), certificate, now))]
    gone = sorted(owned - wanted) if purge else []
    steps += [Step("remove", name, "removes the certificate, which is not declared any more") for name in gone]
    adopted = tuple(sorted(name for name in wanted - owned if name in current))
    return Plan(tuple(steps), adopted)


def _step(present: Present | None, certificate: Certificate, now: float) -> Step | None:
    count = len(certificate.names)
    if present is None:
        names = f"{count} name{'' if count == 1 else 's'} ({', '.join(certificate.names)})"
        return Step("request", certificate.name, f"requests a certificate for {names}", certificate)
    reasons = differences(present, certificate)
    if reasons:
        return Step("reissue", certificate.name, f"re-issues the certificate: {'; '.join(reasons)}", certificate)
    if present.expires <= now:
        return Step(
            "renew", certificate.name, f"renews the certificate, which expired on {day(present.expires)}", certificate
        )
    if present.due <= now:
        return Step(
            "renew", certificate.name, f"renews the certificate, valid until {day(present.expires)}", certificate
        )
    return None


def differences(present: Present, certificate: Certificate) -> list[str]:
    """In which respects a certificate is not the declared one, in words."""
    reasons = []
    names = set(certificate.names)
    if added := sorted(names - present.names):
        reasons.append(f"adds {', '.join(added)}")
    if dropped := sorted(present.names - names):
        reasons.append(f"drops {', '.join(dropped)}")
    reasons += [
        f"{what} {is_now or 'unknown'} becomes {declared}"
        for what, is_now, declared in (
            ("key type", present.key_type, certificate.key_type),
            ("ACME server", present.server, certificate.server),
            ("authenticator", present.authenticator, certificate.authenticator),
        )
        if is_now != declared
    ]
    directories = {certificate.challenge_directory} if certificate.authenticator == "webroot" else set()
    if present.authenticator == certificate.authenticator and present.challenge_directories != directories:
        is_now = ", ".join(sorted(present.challenge_directories)) or "none"
        reasons.append(f"challenge directory {is_now} becomes {certificate.challenge_directory}")
    return reasons


def day(time: float) -> str:
    """A date as people read it, in UTC."""
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%d")
