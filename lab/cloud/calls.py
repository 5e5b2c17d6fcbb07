# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was called: every request as service, operation and decoded parameters, in the order of arrival."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model

Environment = MutableMapping[str, Any]

# The version that tells the two services apart that share the name elasticloadbalancing.
ELBV2 = "2015-12-01"
# A service that nobody knows, an operation or a path that it does not have, a protocol that it does not speak (moto's
# NotImplementedError), a body that is none: moto answers such a request, and the log has its method and path.
UNDESCRIBED = (UnknownServiceError, LookupError, NotFound, NotImplementedError, ValueError)


@dataclass
class Call:
    """One request, and the access key of who sent it.

    ``status`` is None while it was not carried out; ``fault`` is what was done to it on demand.
    """

    service: str
    operation: str
    parameters: dict[str, Any]
    status: int | None = None
    fault: str | None = None
    body: bytes = field(default=b"", repr=False)
    access_key: str = field(default="", repr=False)

    @property
    def took_effect(self) -> bool:
        """Whether the control plane did what was asked, answered or not."""
        return self.status is not None and self.status < 300

    @property
    def answer(self) -> Any:
        """What the control plane said, decoded; of a lost answer as well."""
        model = botocore_model(self.service)
        shape = model.operation_model(self.operation).output_shape
        parser = create_parser(model.metadata["protocol"])
        return parser.parse({"status_code": self.status, "headers": {}, "body": self.body}, shape)


class CallLog:
    """All calls since the start, the last reset or the last ``clear()``."""

    def __init__(self) -> None:
        self.entries: list[Call] = []
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        with self._lock:
            self.entries.append(call)

    def clear(self) -> None:
        with self._lock:
            self.entries.clear()

    def count(self) -> Counter[str]:
        """Number of calls by operation."""
        return Counter(call.operation for call in list(self.entries))

    @property
    def total(self) -> int:
        return len(self.entries)


@cache
def botocore_model(service: str) -> Any:
    """botocore's description of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def known_services() -> frozenset[str]:
    """botocore's names of all services."""
    return frozenset(Loader().list_available_services("service-2"))


def read(environment: Environment) -> Call:
    """The call that a WSGI request makes. Its body can be read again afterwards."""
    length = int(environment.get("CONTENT_LENGTH") or 0)
    body = environment["wsgi.input"].read(length) if length else b""
    if length:
        environment["wsgi.input"] = io.BytesIO(body)
    request = Request({**environment, "wsgi.input": io.BytesIO(body)})
    scope = scope_of(request)
    service = service_of(request, scope)
    try:
        operation, uri_parameters = operation_of(request, service)
        parameters = parameters_of(request, service, operation, uri_parameters)
        return Call(service, operation, parameters, access_key=scope[0])
    except UNDESCRIBED:
        return Call(service, f"{request.method} {request.path}", {}, access_key=scope[0])


def scope_of(request: Any) -> list[str]:
    """Of the signature: access key, date, region and name of the service; with an empty key where there is none.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    _, _, told = request.headers.get("Authorization", "").partition("Credential=")
    return str(told).split(",")[0].split("/")


def service_of(request: Any, scope: list[str]) -> str:
    """botocore's name of the service, from the scope of the signature; empty where that names none."""
    try:
        name = scope[3]
    except LookupError:
        return ""
    if name == "elasticloadbalancing":
        return "elbv2" if request.values.get("Version") == ELBV2 else "elb"
    name = {"servicequotas": "service-quotas"}.get(name, name)
    return name if name in known_services() else ""


def operation_of(request: Any, service: str) -> tuple[str, dict[str, Any]]:
    """Name of the operation and what the path says of its parameters."""
    if action := request.values.get("Action"):
        return str(action), {}
    if target := request.headers.get("X-Amz-Target"):
        return str(target).rsplit(".", 1)[-1], {}
    operation, uri_parameters = get_service_router(service).match(request)
    return str(operation.name), dict(uri_parameters)


def parameters_of(request: Any, service: str, operation: str, uri_parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters as boto3 takes them."""
    model = get_service_model(service)
    protocol = determine_request_protocol(model, request.content_type)
    parser = PROTOCOL_PARSERS[protocol](model.operation_model(operation))
    parsed = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": uri_parameters,
        }
    )
    return dict(parsed)
