# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ACM: a certificate that was requested with validation by DNS is issued once its records are in a public zone.

"ACM provides you one or more CNAME records to insert into your DNS database. [...] ACM automatically validates":
https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.cloud import certificates
from lab.region.authority import Authority
from lab.region.state import Client, State, pages
from lab.region.state_names import Names, Zone


@dataclass(frozen=True)
class Pending:
    """A certificate that is not issued; ``proofs`` are names of CNAME records with what they have to say."""

    arn: str
    names: tuple[str, ...]
    proofs: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class PendingCertificates:
    certificates: tuple[Pending, ...] = ()


def read(client: Client) -> PendingCertificates:
    """``client`` gives a boto3 client for the name of a service."""
    acm = client("acm")
    told = pages(acm, "list_certificates", "CertificateSummaryList", CertificateStatuses=["PENDING_VALIDATION"])
    return PendingCertificates(tuple(read_pending(acm, one["CertificateArn"]) for one in told))


def read_pending(acm: Any, arn: str) -> Pending:
    told = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    records = [one["ResourceRecord"] for one in told["DomainValidationOptions"] if "ResourceRecord" in one]
    names = dict.fromkeys((told["DomainName"], *told["SubjectAlternativeNames"]))
    proofs = frozenset((one["Name"].rstrip(".").lower(), one["Value"].rstrip(".").lower()) for one in records)
    return Pending(arn, tuple(names), proofs)


def issuable(pending: tuple[Pending, ...], zones: tuple[Zone, ...]) -> tuple[Pending, ...]:
    """The certificates whose every proof is in a public zone."""
    there = {
        (record.name, value.rstrip(".").lower())
        for zone in zones
        if not zone.vpcs
        for record in zone.records
        if record.type == "CNAME"
        for value in record.values
    }
    return tuple(one for one in pending if one.proofs and one.proofs <= there)


class Certificates:
    """Issues what can be issued; ``changed`` is told when something was."""

    needed = False

    def __init__(self, authority: Authority, changed: Callable[[], None]) -> None:
        self._authority, self._changed = authority, changed

    def wanted(self, state: State) -> tuple[Pending, ...]:
        return issuable(state.part(PendingCertificates).certificates, state.part(Names).zones)

    def apply(self, wanted: tuple[Pending, ...]) -> None:
        for one in wanted:
            made = self._authority.issue(one.names)
            certificates.issued(one.arn, made.certificate, made.key, made.chain)
        if wanted:
            self._changed()

    def close(self) -> None:
        """Nothing goes on here between two calls."""
