# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a certificate that is to be imported: sentences. Nothing of the key is ever told."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import Any

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
except ImportError:  # ansible-core brings it to the controller, where this is used
    x509 = None  # type: ignore[assignment]


def findings(certificate: str, key: str, chain: str, hosts: Iterable[str], now: datetime.datetime) -> Iterator[str]:
    """``hosts`` are the names that visitors ask for; ``now`` has a time zone."""
    if x509 is None:
        return
    try:
        found = x509.load_pem_x509_certificate(certificate.encode())
    except ValueError:
        yield "certificate is no certificate in PEM form"
        return
    yield from _key(found, key)
    yield from _chain(found, chain)
    if found.not_valid_after_utc <= now:
        yield f"certificate has expired on {found.not_valid_after_utc:%Y-%m-%d}"
    names = _names(found)
    missing = [host for host in dict.fromkeys(hosts) if not covered(host, names)]
    if missing:
        yield f"certificate is not for {', '.join(missing)}, but for {', '.join(names) or 'no name'}"


def _key(found: Any, text: str) -> Iterator[str]:
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (TypeError, ValueError):
        yield "private_key is no private key in PEM form without a passphrase"
        return
    if _public(key.public_key()) != _public(found.public_key()):
        yield "private_key does not belong to certificate: their public keys differ"


def _public(key: Any) -> bytes:
    told: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return told


def _chain(found: Any, text: str) -> Iterator[str]:
    try:
        chain = x509.load_pem_x509_certificates(text.encode()) if text.strip() else []
    except ValueError:
        yield "chain has no certificates in PEM form"
        return
    if chain and chain[0].subject != found.issuer:
        yield "chain does not begin with the certificate that has issued certificate"


def _names(found: Any) -> list[str]:
    try:
        told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in told.get_values_for_type(x509.DNSName)]


def covered(host: str, names: Iterable[str]) -> bool:
    """Whether a certificate with these names is for the host; a wildcard stands for one label (RFC 6125, 6.4.3)."""
    host = host.lower()
    return host in names or f"*.{host.partition('.')[2]}" in names
