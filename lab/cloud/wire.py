# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as AWS puts them on the wire, by service."""

from __future__ import annotations

import json
import uuid
from xml.sax.saxutils import escape

from lab.cloud.calls import botocore_model

REFUSED = "You are not authorized to perform this operation."
THROTTLED = "Rate exceeded"
EXPIRED = "The security token included in the request is expired"
BROKEN = "An internal error has occurred"
LIMITED = "The limit of this account has been reached."

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
EC2 = {
    "refused": (403, "UnauthorizedOperation", REFUSED),
    "expired": (400, "RequestExpired", "Request has expired."),
    "throttled": (503, "RequestLimitExceeded", "Request limit exceeded."),
    "limited": (400, "VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit allows."),
    "error": (500, "InternalError", BROKEN),
}
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html
QUERY = {
    "refused": (403, "AccessDenied", REFUSED),
    "expired": (403, "ExpiredToken", EXPIRED),
    "throttled": (400, "Throttling", THROTTLED),
    "limited": (400, "LimitExceeded", LIMITED),
    "error": (500, "InternalFailure", BROKEN),
}
# https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/CommonErrors.html
JSON = {
    "refused": (400, "AccessDeniedException", REFUSED),
    "expired": (400, "ExpiredTokenException", EXPIRED),
    "throttled": (400, "ThrottlingException", THROTTLED),
    "limited": (400, "ServiceQuotaExceededException", LIMITED),
    "error": (500, "InternalFailure", BROKEN),
}


def error(service: str, kind: str, detail: str = "") -> tuple[int, str, bytes]:
    """Status, content type and body of an answer that is a fault; ``detail`` goes into its message."""
    protocol = botocore_model(service).metadata["protocol"] if service else "query"
    table = {"ec2": EC2, "query": QUERY, "rest-xml": QUERY}.get(protocol, JSON)
    status, code, message = table[kind]
    message = f"{message} {detail}".strip()
    if table is JSON:
        return status, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message}).encode()
    return status, "text/xml", xml(table is EC2, code, escape(message)).encode()


def xml(of_ec2: bool, code: str, message: str) -> str:
    """An error of EC2, or of the other services that answer in XML."""
    request, said = uuid.uuid4(), f"<Code>{code}</Code><Message>{message}</Message>"
    if of_ec2:
        return f"<Response><Errors><Error>{said}</Error></Errors><RequestID>{request}</RequestID></Response>"
    error_type = "<Type>Sender</Type>"
    return f"<ErrorResponse><Error>{error_type}{said}</Error><RequestId>{request}</RequestId></ErrorResponse>"
