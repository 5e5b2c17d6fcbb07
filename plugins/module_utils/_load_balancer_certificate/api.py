# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls, one function each. They raise AwsError; nothing is asked twice here.

https://docs.aws.amazon.com/acm/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import call
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_certificate.model import (
    Certificate,
    Wanted,
    from_api,
)

# Without them the list has certificates of RSA_2048 alone.
KEY_TYPES = [
    "RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1",
]  # fmt: skip


def list_arns(acm: Any) -> Iterator[str]:
    """Every certificate of the region: the API does not filter by tags."""
    arguments: dict[str, Any] = {"Includes": {"keyTypes": KEY_TYPES}}
    while True:
        page = call(acm.list_certificates, **arguments)
        yield from (told["CertificateArn"] for told in page["CertificateSummaryList"])
        if not page.get("NextToken"):
            return
        arguments["NextToken"] = page["NextToken"]


def list_tags(acm: Any, arn: str) -> dict[str, str]:
    answer = call(acm.list_tags_for_certificate, CertificateArn=arn)
    return {tag["Key"]: tag.get("Value", "") for tag in answer["Tags"]}


def describe(acm: Any, arn: str, tags: Mapping[str, str]) -> Certificate:
    return from_api(call(acm.describe_certificate, CertificateArn=arn)["Certificate"], tags)


def import_certificate(acm: Any, wanted: Wanted) -> str:
    """Returns the ARN. Twice is two certificates."""
    chain = {"CertificateChain": wanted.chain.encode()} if wanted.chain else {}
    pem = {"Certificate": wanted.certificate.encode(), "PrivateKey": wanted.key.encode()}
    return str(call(acm.import_certificate, **pem, **chain, Tags=_pairs(wanted.tags))["CertificateArn"])


def request_certificate(acm: Any, wanted: Wanted, token: str) -> str:
    """Returns the ARN. With the same token twice is one certificate."""
    others: Sequence[str] = wanted.names[1:]
    more = {"SubjectAlternativeNames": list(others)} if others else {}
    answer = call(
        acm.request_certificate,
        DomainName=wanted.names[0],
        ValidationMethod="DNS",
        IdempotencyToken=token,
        Tags=_pairs(wanted.tags),
        **more,
    )
    return str(answer["CertificateArn"])


def delete(acm: Any, arn: str) -> None:
    call(acm.delete_certificate, CertificateArn=arn)


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": str(value)} for key, value in sorted(tags.items())]
