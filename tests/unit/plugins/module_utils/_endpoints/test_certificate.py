# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader of certificates, compared with the one of the cryptography package."""

from __future__ import annotations

import ssl
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.certificate import parse
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.model import Certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st


def der_of(path: str) -> bytes:
    pem = Path(path).read_text()
    return ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :])


@pytest.mark.parametrize("days", [-300, 10, 3650 * 4])
def test_names_end_and_fingerprint_are_read(authority: Any, days: int) -> None:
    names = ["a.example", "*.b.example", *(f"n{number}.c.example" for number in range(90))]
    der = der_of(authority.issue(names, days=days))
    known = x509.load_der_x509_certificate(der)
    assert parse(der) == Certificate(
        (*names, "127.0.0.1"), known.not_valid_after_utc, known.fingerprint(hashes.SHA256()).hex()
    )


def test_a_certificate_without_names_has_none(authority: Any) -> None:
    assert parse(der_of(authority.ca_file)).names == ()


@given(st.binary(max_size=200))
def test_what_is_no_certificate_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(data)


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("a.example", "A.example", True),
        ("*.example", "a.example", True),
        ("*.example", "b.a.example", False),
        ("*.example", "example", False),
        ("a.example", "b.example", False),
    ],
)
def test_a_wildcard_stands_for_one_label(name: str, host: str, covered: bool) -> None:
    assert Certificate((name,), datetime.now(timezone.utc), "").covers(host) is covered
