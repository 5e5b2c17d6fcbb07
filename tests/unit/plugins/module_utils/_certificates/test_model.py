# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be declared, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import (
    PRODUCTION,
    STAGING,
    CertificatesError,
    ExternalAccount,
    canonical,
    settings_from_params,
)

PARAMS: dict[str, Any] = {
    "certificates": [{"name": "example.test", "names": ["Example.test.", "shop.example.test"]}],
    "directory_url": "",
    "staging": False,
    "email": "",
    "external_account": None,
    "ca_file": "",
    "key_type": "ecdsa",
    "authenticator": "webroot",
    "challenge_directory": "/var/www/acme-challenge/",
    "deploy_hook": "",
    "self_check": True,
    "purge": True,
    "revoke": False,
}


def one(*names: str, **options: str) -> dict[str, Any]:
    return {"certificates": [{"name": "c", "names": list(names), **options}]}


def test_names_and_paths_become_canonical() -> None:
    certificate = settings_from_params(PARAMS).certificates[0]
    assert certificate.names == ("example.test", "shop.example.test")
    assert certificate.challenge_directory == "/var/www/acme-challenge"


@pytest.mark.parametrize(
    ("params", "server"),
    [
        ({}, PRODUCTION),
        ({"staging": True}, STAGING),
        ({"directory_url": "https://acme.test/dir"}, "https://acme.test/dir"),
    ],
)
def test_the_server_is_lets_encrypt_unless_another_is_declared(params: dict[str, Any], server: str) -> None:
    assert settings_from_params({**PARAMS, **params}).certificates[0].server == server


def test_a_certificate_may_differ_from_the_others() -> None:
    params = {**PARAMS, **one("*.example.test", key_type="rsa", authenticator="dns-route53")}
    certificate = settings_from_params(params).certificates[0]
    assert (certificate.key_type, certificate.authenticator) == ("rsa", "dns-route53")


def test_the_key_of_an_external_account_is_not_shown() -> None:
    assert "secret" not in repr(ExternalAccount("kid", "secret"))


@pytest.mark.parametrize(
    ("name", "expected"), [("EXAMPLE.Test.", "example.test"), ("bücher.test", "xn--bcher-kva.test")]
)
def test_canonical_names(name: str, expected: str) -> None:
    assert canonical(name) == expected


@pytest.mark.parametrize(
    ("params", "finding"),
    [
        (one(), "c: has no names"),
        (one("a.test", "A.test"), "c: the name 'a.test' is listed twice"),
        (one("*.a.test"), "'*.a.test' is a wildcard, which only a challenge in DNS can prove"),
        (one("localhost"), "'localhost' is not a public host name"),
        (one("a b.test"), "'a b.test' is not a public host name"),
        (one("-d.test"), "'-d.test' is not a public host name"),
        (one("*.*.a.test", authenticator="dns-route53"), "'*.*.a.test' is not a public host name"),
        (one("*.a.test", "b.a.test", authenticator="dns-route53"), "'b.a.test' is listed beside the wildcard"),
        (one(*(f"n{i}.test" for i in range(101))), "has 101 names; a certificate holds at most 100"),
        ({"certificates": [{"name": "../etc", "names": ["a.test"]}]}, "'../etc' cannot name a certificate"),
        ({"certificates": [{"name": "a", "names": ["a.test"]}] * 2}, "the certificate 'a' is declared twice"),
        ({"directory_url": "http://acme.test/dir"}, "'http://acme.test/dir' is not an https URL"),
        ({"directory_url": "https://acme.test/dir", "staging": True}, "cannot be combined"),
        ({"challenge_directory": "www"}, "'www' is not an absolute path"),
        ({"email": "nobody"}, "'nobody' is not an e-mail address"),
    ],
)
def test_findings(params: dict[str, Any], finding: str) -> None:
    with pytest.raises(CertificatesError) as error:
        settings_from_params({**PARAMS, **params})
    assert finding in str(error.value)


def test_all_findings_are_told_at_once() -> None:
    with pytest.raises(CertificatesError) as error:
        settings_from_params({**PARAMS, **one("a.test", "a.test", "localhost"), "email": "nobody"})
    assert str(error.value).count("\n- ") == 3
