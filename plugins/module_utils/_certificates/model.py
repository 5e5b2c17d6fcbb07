# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What certificates a host should have, as declared: parsing, canonical form and all findings at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PRODUCTION = "https://acme-v02.api.letsencrypt.org/directory"
STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?")
_CERTIFICATE = re.compile(r"[a-z0-9][a-z0-9._-]{0,120}")


class CertificatesError(Exception):
    """Something keeps the certificates from the declared state; ``str()`` is the whole message."""


@dataclass(frozen=True)
class Certificate:
    """One declared certificate. ``names`` are canonical and in the declared order, which means nothing."""

    name: str
    names: tuple[str, ...]
    server: str
    authenticator: str = "webroot"
    challenge_directory: str = ""
    key_type: str = "ecdsa"


@dataclass(frozen=True)
class ExternalAccount:
    """External account binding (RFC 8555, 7.3.4); the key is a secret."""

    key_id: str
    hmac_key: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything that is declared for one host."""

    certificates: tuple[Certificate, ...]
    server: str
    challenge_directory: str
    email: str = ""
    external_account: ExternalAccount | None = None
    ca_file: str = ""
    deploy_hook: str = ""
    self_check: bool = True
    purge: bool = True
    revoke: bool = False


def settings_from_params(params: Mapping[str, Any]) -> Settings:
    """Settings of the module's parameters. Raises CertificatesError with every finding."""
    server = params["directory_url"] or (STAGING if params["staging"] else PRODUCTION)
    certificates = tuple(
        Certificate(
            name=entry["name"].lower(),
            names=tuple(canonical(name) for name in entry["names"]),
            server=server,
            authenticator=entry.get("authenticator") or params["authenticator"],
            challenge_directory=params["challenge_directory"].rstrip("/"),
            key_type=entry.get("key_type") or params["key_type"],
        )
        for entry in params["certificates"]
    )
    findings = [*_setting_findings(params, server), *certificate_findings(certificates)]
    if findings:
        raise CertificatesError(
            "\n".join(["The certificates cannot be made as declared:", *(f"- {f}" for f in findings)])
        )
    account = params.get("external_account")
    return Settings(
        certificates=certificates,
        server=server,
        challenge_directory=params["challenge_directory"].rstrip("/"),
        email=params.get("email") or "",
        external_account=ExternalAccount(account["key_id"], account["hmac_key"]) if account else None,
        ca_file=params.get("ca_file") or "",
        deploy_hook=params.get("deploy_hook") or "",
        self_check=params["self_check"],
        purge=params["purge"],
        revoke=params["revoke"],
    )


def canonical(name: str) -> str:
    """A DNS name as compared here: lower case, ASCII, no final dot."""
    name = name.strip().lower().rstrip(".")
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def _setting_findings(params: Mapping[str, Any], server: str) -> Iterator[str]:
    url = urlsplit(server)
    if url.scheme != "https" or not url.hostname:
        yield f"the ACME directory '{server}' is not an https URL"
    if params["directory_url"] and params["staging"]:
        yield "staging is a choice of Let's Encrypt and cannot be combined with another ACME directory URL"
    if not params["challenge_directory"].startswith("/"):
        yield f"the challenge directory '{params['challenge_directory']}' is not an absolute path"
    email = params.get("email") or ""
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        yield f"'{email}' is not an e-mail address"


def certificate_findings(certificates: Sequence[Certificate]) -> Iterator[str]:
    """What is wrong with the declared certificates, in words."""
    seen: set[str] = set()
    for certificate in certificates:
        if not _CERTIFICATE.fullmatch(certificate.name):
            yield f"'{certificate.name}' cannot name a certificate: letters, digits, '.', '_' and '-' only"
        if certificate.name in seen:
            yield f"the certificate '{certificate.name}' is declared twice"
        seen.add(certificate.name)
        yield from (f"{certificate.name}: {finding}" for finding in _name_findings(certificate))


def _name_findings(certificate: Certificate) -> Iterator[str]:
    names = certificate.names
    if not names:
        yield "has no names"
    if len(names) > 100:
        yield f"has {len(names)} names; a certificate holds at most 100"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the name '{name}' is listed twice"
    for name in dict.fromkeys(names):
        labels = name.removeprefix("*.").split(".")
        if len(name) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
            yield f"'{name}' is not a public host name"
        elif name.startswith("*.") and certificate.authenticator == "webroot":
            yield f"'{name}' is a wildcard, which only a challenge in DNS can prove: authenticator dns-route53"
        elif name.split(".", 1)[0] != "*" and f"*.{name.split('.', 1)[1]}" in names:
            yield f"'{name}' is listed beside the wildcard that covers it"
