# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates in ACM: issued in Amazon's place, and their private keys, which AWS gives to its own load balancers."""

from __future__ import annotations

from typing import Any

from moto.acm.models import CertBundle, acm_backends


def private_key(arn: str) -> str:
    """The key of an imported or issued certificate, as PEM."""
    return bytes(_find(arn).key).decode()


def issued(arn: str, certificate: str, key: str, chain: str) -> None:
    """A certificate that was requested is there, as PEM."""
    found = _find(arn)
    _arn, _partition, _service, region, account, _resource = arn.split(":", 5)
    made = CertBundle(account, certificate.encode(), key.encode(), region=region, arn=arn, cert_type=found.type)
    made.chain = chain.encode()
    made.tags, made.cert_options, made.created_at = found.tags, found.cert_options, found.created_at
    made.validation_method = getattr(found, "validation_method", "DNS")
    acm_backends[account][region]._certificates[arn] = made


def _find(arn: str) -> Any:
    _arn, _partition, _service, region, account, _resource = arn.split(":", 5)
    return acm_backends[account][region].get_certificate(arn)
