# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate that is wanted in ACM, and those that there are.

https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

OWNER, DIGEST, NAME = "gatehouse:platform", "gatehouse:digest", "Name"
ISSUED, PENDING = "ISSUED", "PENDING_VALIDATION"
# "SubjectAlternativeNames: Maximum number of 100 items"; a quota says 10 unless it is raised. The first name is at
# most 64 characters: https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
LONGEST_FIRST_NAME = 64


class CertificateError(Exception):
    """Something that the user has to know; ``str()`` is the whole message."""


@dataclass(frozen=True)
class Record:
    """A CNAME record that proves a name; ``proven`` once ACM has seen it."""

    domain: str
    name: str
    value: str
    proven: bool

    def sentence(self) -> str:
        return f"{self.domain} is proven by the record {self.name} CNAME {self.value}"


@dataclass(frozen=True)
class Certificate:
    """One in ACM."""

    arn: str
    status: str
    digest: str
    names: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    reason: str = ""

    @property
    def usable(self) -> bool:
        return self.status in (ISSUED, PENDING)


@dataclass(frozen=True)
class Wanted:
    """Either ``names`` to be requested or PEM texts to be imported; never shown, as the key is a secret."""

    platform: str
    names: tuple[str, ...]
    certificate: str = field(repr=False)
    key: str = field(repr=False)
    chain: str = field(repr=False)
    more_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Says whether a certificate is this one; of what is public alone."""
        told = [self.certificate, self.chain] if self.certificate else sorted(self.names)
        return hashlib.sha256("\n".join(part.strip() for part in told).encode()).hexdigest()[:32]

    @property
    def tags(self) -> dict[str, str]:
        mine = {OWNER: self.platform, DIGEST: self.digest, NAME: f"{self.platform}-load-balancer"}
        return {**self.more_tags, **mine}

    def sentence(self) -> str:
        if self.certificate:
            return "imports a certificate"
        return f"requests a certificate for {', '.join(self.names)}"


def from_params(params: Mapping[str, Any]) -> Wanted:
    names = tuple(dict.fromkeys(name.lower().rstrip(".") for name in params["names"]))
    texts = (params["certificate"] or "", params["private_key"] or "", params["chain"] or "")
    return Wanted(params["platform"], names, *texts, more_tags=params["tags"] or {})


def from_api(told: Mapping[str, Any], tags: Mapping[str, str]) -> Certificate:
    """``told`` as DescribeCertificate has it; a record is there a few seconds after the request."""
    options = told.get("DomainValidationOptions") or []
    records = [
        Record(
            option["DomainName"],
            option["ResourceRecord"]["Name"].rstrip("."),
            option["ResourceRecord"]["Value"].rstrip("."),
            option.get("ValidationStatus") == "SUCCESS",
        )
        for option in options
        if "ResourceRecord" in option
    ]
    names = tuple(option["DomainName"] for option in options) or tuple(told.get("SubjectAlternativeNames") or ())
    reason = told.get("FailureReason", "")
    return Certificate(told["CertificateArn"], told["Status"], tags.get(DIGEST, ""), names, tuple(records), reason)


def findings(params: Mapping[str, Any], _check_mode: bool = False) -> Iterator[str]:
    """What an argument spec cannot say."""
    if params.get("state") == "absent":
        return
    names, imported = params.get("names"), bool(params.get("certificate"))
    if bool(names) == imported:
        yield "either names (to request a certificate) or certificate (to import one) is needed, and not both"
    if imported and not params.get("private_key"):
        yield "private_key is missing: it is needed to import a certificate"
    if names and len(names[0]) > LONGEST_FIRST_NAME:
        yield f"names[0] '{names[0]}' is longer than {LONGEST_FIRST_NAME} characters: name a shorter one first"
