# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before anything is changed."""

from __future__ import annotations

import datetime
import functools
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.findings import findings
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.pem import covered
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
TO_SHOP = {"forward": [{"target_group": "shop", "weight": 1}]}
RULE = {"hosts": ["shop.example"], "paths": [], "action": TO_SHOP}
GIVEN: dict[str, Any] = {
    "platform": "shop",
    "scheme": "internet-facing",
    "vpc_id": "vpc-1",
    "subnets": ["subnet-a", "subnet-b"],
    "security_groups": ["sg-1"],
    "target_groups": [{"name": "shop", "port": 8000}],
    "listeners": [{"port": 443, "protocol": "HTTPS", "default": TO_SHOP, "rules": [RULE]}],
    "certificate": {"arn": "arn:aws:acm:eu-central-1:123456789012:certificate/1"},
    "tls_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "pem": {},
}
SUBNETS = [
    {"subnet_id": f"subnet-{letter}", "availability_zone": f"eu-central-1{letter}", "vpc_id": "vpc-1"}
    for letter in "ab"
]


@functools.cache
def pair(name: str, days: int = 30) -> tuple[str, str]:
    """A certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - datetime.timedelta(days=60))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return made.public_bytes(Encoding.PEM).decode(), text


def told(account: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    return findings({**GIVEN, **changes}, account or {"subnets": SUBNETS}, NOW)


def imported(certificate: str, key: str, chain: str = "") -> list[str]:
    pem = {"certificate": certificate, "private_key": key, "chain": chain}
    return told(certificate={"import": {"certificate": "a", "private_key": "b"}}, pem=pem)


def test_nothing_is_wrong_with_what_is_right() -> None:
    assert told() == []
    assert told({}, vpc_id="", subnets=["", ""]) == []
    assert imported(*pair("shop.example")) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"platform": ""}, "load_balancer_platform is missing"),
        ({"platform": "internal"}, "the load balancer would be called internal-lb"),
        ({"subnets": ["subnet-a"]}, "subnets has 1, and a load balancer needs two at least"),
        ({"subnets": ["subnet-a", "subnet-x"]}, "there is no subnet subnet-x in this region"),
        ({"vpc_id": "vpc-2"}, "subnets: subnet-a is in vpc-1, and vpc_id says vpc-2"),
        ({"certificate": {}}, "listener 443: HTTPS needs load_balancer_certificate"),
        ({"certificate": {"arn": "a", "request": {"names": []}}}, "one of arn, import and request is needed"),
        ({"certificate": {"arn": "shop"}}, "certificate.arn 'shop' is no ARN"),
        ({"certificate": {"request": {"names": ["a.example"]}}}, "certificate.request.names lacks shop.example"),
        ({"tls_policy": "ELBSecurityPolicy-2016-08"}, "allows TLS 1.0 or 1.1"),
        ({"target_groups": []}, "there is no target group shop among load_balancer_target_groups"),
        ({"target_groups": [{"name": "shop"}] * 2}, "target_groups: shop is there 2 times"),
        ({"listeners": GIVEN["listeners"] * 2}, "listeners: there are 2 on port 443"),
    ],
)
def test_refusals(changes: dict[str, Any], words: str) -> None:
    assert any(words in finding for finding in told(**changes)), told(**changes)


def test_refusals_of_rules() -> None:
    many = [{**RULE, "hosts": [f"{number}.shop.example"]} for number in range(101)]
    same = [RULE, {**RULE, "hosts": ["SHOP.example"]}, {**RULE, "action": {}}]
    listener = GIVEN["listeners"][0]
    assert "101 rules" in told(listeners=[{**listener, "rules": many}])[0]
    found = told(listeners=[{**listener, "rules": same}])
    assert "listener 443: 3 rules are for shop.example /*" in found[-1]
    assert "one of forward, redirect and respond is needed" in found[0]


def test_what_is_in_the_way() -> None:
    there = {"tags": {}, "scheme": "internal", "vpc_id": "vpc-0"}
    [found] = told({"subnets": SUBNETS, "load_balancers": [there]})
    assert "there is a load balancer shop-lb that does not carry the tag gatehouse:platform: shop" in found
    found = " ".join(told({"subnets": SUBNETS, "load_balancers": [{**there, "tags": {"gatehouse:platform": "shop"}}]}))
    assert "scheme is internet-facing, and the load balancer shop-lb has internal, which AWS cannot change" in found
    assert "vpc_id is vpc-1" in found
    same_zone = [{**subnet, "availability_zone": "eu-central-1a"} for subnet in SUBNETS]
    assert "2 subnets of the zone eu-central-1a" in told({"subnets": same_zone})[0]


def test_certificates_that_cannot_be_imported() -> None:
    certificate, key = pair("shop.example")
    other, other_key = pair("elsewhere.example")
    old, old_key = pair("shop.example", -1)
    for texts, words in (
        ((certificate, other_key), "private_key does not belong to certificate"),
        ((other, other_key), "certificate is not for shop.example, but for elsewhere.example"),
        ((old, old_key), "certificate has expired on 2025-12-31"),
        (("text", key), "certificate is no certificate in PEM form"),
        ((certificate, "text"), "private_key is no private key in PEM form"),
        ((certificate, key, other), "chain does not begin with the certificate that has issued"),
        ((certificate, key, "text"), "chain has no certificates in PEM form"),
    ):
        found = imported(*texts)
        assert [finding for finding in found if words in finding], found
        assert not [finding for finding in found if "BEGIN" in finding]


def test_a_wildcard_is_for_one_label() -> None:
    assert covered("a.shop.example", ["*.shop.example"])
    assert not covered("a.b.shop.example", ["*.shop.example"])
    assert not covered("shop.example", ["*.shop.example"])
