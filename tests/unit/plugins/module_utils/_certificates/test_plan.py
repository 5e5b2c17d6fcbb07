# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From present to declared certificates, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import Certificate
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.plan import Present, make_plan
from hypothesis import given
from hypothesis import strategies as st

DAY = 86400
NOW = 1_800_000_000.0
CERTIFICATE = Certificate("a.test", ("a.test", "b.a.test"), "https://acme.test/dir", challenge_directory="/www")


def present_of(certificate: Certificate, expires: float = NOW + 60 * DAY, lifetime: float = 90 * DAY) -> Present:
    return Present(
        name=certificate.name,
        names=frozenset(certificate.names),
        not_before=expires - lifetime,
        expires=expires,
        issuer="CN=test",
        serial="01",
        fingerprint="00",
        key_type=certificate.key_type,
        server=certificate.server,
        authenticator=certificate.authenticator,
        challenge_directories=frozenset({certificate.challenge_directory}),
    )


def sentences(present: Present | None, certificate: Certificate = CERTIFICATE) -> list[str]:
    current = {present.name: present} if present else {}
    return make_plan(current, [certificate], ["a.test"], NOW).sentences()


def test_a_missing_certificate_is_requested() -> None:
    assert sentences(None) == ["a.test: requests a certificate for 2 names (a.test, b.a.test)"]


def test_order_of_names_does_not_matter() -> None:
    assert sentences(present_of(CERTIFICATE), replace(CERTIFICATE, names=("b.a.test", "a.test"))) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": ("a.test", "c.a.test")}, "adds c.a.test; drops b.a.test"),
        ({"key_type": "rsa"}, "key type ecdsa becomes rsa"),
        ({"server": "https://other.test/dir"}, "ACME server https://acme.test/dir becomes https://other.test/dir"),
        ({"authenticator": "dns-route53"}, "authenticator webroot becomes dns-route53"),
        ({"challenge_directory": "/srv"}, "challenge directory /www becomes /srv"),
    ],
)
def test_a_difference_reissues(change: dict[str, str], words: str) -> None:
    assert sentences(present_of(CERTIFICATE), replace(CERTIFICATE, **change)) == [  # type: ignore[arg-type]
        f"a.test: re-issues the certificate: {words}"
    ]


@pytest.mark.parametrize(
    ("left", "lifetime", "expected"),
    [
        (31, 90, []),
        (29, 90, ["a.test: renews the certificate, valid until 2027-02-13"]),
        (3, 6, []),
        (1.9, 6, ["a.test: renews the certificate, valid until 2027-01-17"]),
        (-1, 90, ["a.test: renews the certificate, which expired on 2027-01-14"]),
    ],
)
def test_renewal_is_due_30_days_or_a_third_of_the_lifetime_before_the_end(
    left: float, lifetime: float, expected: list[str]
) -> None:
    assert sentences(present_of(CERTIFICATE, NOW + left * DAY, lifetime * DAY)) == expected


def test_only_owned_certificates_are_removed() -> None:
    mine, foreign = (present_of(replace(CERTIFICATE, name=name)) for name in ("mine", "foreign"))
    plan = make_plan({"mine": mine, "foreign": foreign}, [], ["mine"], NOW)
    assert plan.sentences() == ["mine: removes the certificate, which is not declared any more"]
    assert plan.after([mine, foreign]) == {"foreign": ["a.test", "b.a.test"]}
    assert not make_plan({"mine": mine}, [], ["mine"], NOW, purge=False).changed


def test_a_certificate_made_by_hand_is_taken_over() -> None:
    plan = make_plan({"a.test": present_of(CERTIFICATE)}, [CERTIFICATE], [], NOW)
    assert plan.sentences() == ["a.test: takes over the certificate that is there"]


LABELS = st.sampled_from([f"{letter}.test" for letter in "abcdef"])
CERTIFICATES = st.lists(
    st.builds(
        Certificate,
        name=LABELS,
        names=st.lists(LABELS, min_size=1, unique=True).map(tuple),
        server=st.sampled_from(["https://x.test", "https://y.test"]),
        challenge_directory=st.just("/www"),
        key_type=st.sampled_from(["ecdsa", "rsa"]),
    ),
    unique_by=lambda certificate: certificate.name,
)


@given(CERTIFICATES)
def test_nothing_is_to_do_for_what_is_there(certificates: list[Certificate]) -> None:
    current = {certificate.name: present_of(certificate) for certificate in certificates}
    assert not make_plan(current, certificates, current, NOW).changed


@given(CERTIFICATES, CERTIFICATES)
def test_with_purge_the_declared_names_are_there_afterwards(old: list[Certificate], new: list[Certificate]) -> None:
    current = {certificate.name: present_of(certificate) for certificate in old}
    after = make_plan(current, new, current, NOW).after(current.values())
    assert after == {certificate.name: sorted(certificate.names) for certificate in new}


@given(CERTIFICATES, CERTIFICATES)
def test_without_purge_no_certificate_goes(old: list[Certificate], new: list[Certificate]) -> None:
    current = {certificate.name: present_of(certificate) for certificate in old}
    assert set(make_plan(current, new, current, NOW, purge=False).after(current.values())) >= set(current)
