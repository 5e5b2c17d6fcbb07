# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of ACM stay pending until somebody issues them; what is not issued cannot be had, what is used stays.

https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
https://docs.aws.amazon.com/acm/latest/APIReference/API_GetCertificate.html
https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.acm.models import acm_backends

from lab.cloud.strict.behavior import Request, refuse, strict

PENDING = "PENDING_VALIDATION"
# What DescribeCertificate cannot know yet.
LATER = ("IssuedAt", "Issuer", "NotAfter", "NotBefore", "Serial", "SignatureAlgorithm")


def bundle(request: Request, arn: str) -> Any:
    """moto's certificate, or nothing."""
    return acm_backends[request.account][request.response.region]._certificates.get(arn)


@strict("acm", "RequestCertificate")
def request_certificate(request: Request) -> Any:
    """moto would issue it by itself after a minute."""
    result = request.proceed()
    found = bundle(request, result["CertificateArn"])
    if found.status == PENDING:
        method = json.loads(request.response.body).get("ValidationMethod", "EMAIL")
        found.check, found.validation_method = (lambda: None), method
    return result


@strict("acm", "GetCertificate")
def get_certificate(request: Request) -> Any:
    found = bundle(request, json.loads(request.response.body).get("CertificateArn"))
    if found and found.status == PENDING:
        text = f"Certificate with arn {found.arn} is still being issued; its request is in progress."
        raise refuse("RequestInProgressException", text)
    return request.proceed()


@strict("acm", "DescribeCertificate")
def describe_certificate(request: Request) -> Any:
    """With records to set for validation by DNS alone."""
    found = bundle(request, json.loads(request.response.body).get("CertificateArn"))
    result = request.proceed()
    told = result["Certificate"]
    method = getattr(found, "validation_method", None)
    for option in told.get("DomainValidationOptions", []) if method else ():
        option["ValidationMethod"] = method
        if method != "DNS":
            option.pop("ResourceRecord", None)
    if told["Status"] == PENDING:
        told = {key: value for key, value in told.items() if key not in LATER}
    return {"Certificate": told}


@strict("acm", "DeleteCertificate")
def delete_certificate(request: Request) -> Any:
    """ "You cannot delete an ACM certificate that is being used by another AWS service." """
    arn = json.loads(request.response.body).get("CertificateArn")
    using = [balancer.arn for balancer in request.elbv2.load_balancers.values() if arn in certificates(balancer)]
    if using:
        raise refuse("ResourceInUseException", f"Certificate {arn} in account {request.account} is in use.")
    return request.proceed()


def certificates(balancer: Any) -> set[str]:
    """The certificates of a load balancer's listeners, by their ARNs."""
    return {arn for listener in balancer.listeners.values() for arn in listener.certificates or ()}
