# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS answers when it does not do what it was asked, as one kind of error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

try:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
    )
    from botocore.parsers import ResponseParserError
except ImportError:  # told by the module class, which wants botocore as well
    BotoCoreError = ClientError = HTTPClientError = ResponseParserError = Exception
    ConnectTimeoutError = EndpointConnectionError = Exception

# Error codes that say "not now", whatever the service:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html,
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
# Server errors: nobody knows whether the call took effect.
UNCERTAIN = frozenset({"InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable", "Unavailable"})
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html,
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


class AwsError(Exception):
    """A call failed. ``code`` and ``request_id`` are AWS's own, empty where no answer came.

    ``throttled``: AWS did nothing and wants to be asked later. ``uncertain``: no answer or a server error,
    so that the call may have taken effect. ``unreachable``: there was nobody to ask, which is an error at once
    unless somebody has answered before, so that it is ``passing``.
    """

    def __init__(
        self,
        operation: str,
        message: str,
        *,
        code: str = "",
        request_id: str = "",
        throttled: bool = False,
        uncertain: bool = False,
        unreachable: bool = False,
        passing: bool = False,
    ) -> None:
        self.operation, self.message, self.code, self.request_id = operation, message, code, request_id
        self.throttled, self.uncertain, self.unreachable, self.passing = throttled, uncertain, unreachable, passing
        named = f"{operation}: {code}: {message}" if code else f"{operation}: {message}"
        super().__init__(f"{named} (request {request_id})" if request_id else named)

    @property
    def transient(self) -> bool:
        """Whether asking again later can help."""
        return self.throttled or self.uncertain or self.passing

    def but(self, **told: Any) -> AwsError:
        """The same error, apart from what is told by the names of the constructor's arguments."""
        return AwsError(**{**vars(self), **told})


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Raise AwsError for what boto3 raises inside the block."""
    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        if isinstance(error, ClientError):
            raise from_client_error(error, operation) from error
        raise _from_core_error(error, operation) from error


def from_client_error(error: Any, operation: str) -> AwsError:
    """What an answer with an error status means."""
    told = error.response.get("Error", {})
    meta = error.response.get("ResponseMetadata", {})
    code, status = str(told.get("Code", "")), int(meta.get("HTTPStatusCode") or 0)
    message = str(told.get("Message", "")) or str(error)
    if code in CREDENTIALS:
        message = f"{message} Look at the credentials: AWS does not accept them, or no longer."
    throttled = code in THROTTLED or status == 429
    return AwsError(
        operation,
        message,
        code=code,
        request_id=str(meta.get("RequestId", "")),
        throttled=throttled,
        uncertain=not throttled and (code in UNCERTAIN or status >= 500),
    )


def _from_core_error(error: Any, operation: str) -> AwsError:
    """What boto3 found out by itself; only what happened on the way to AWS may be gone tomorrow.

    An answer that is not of AWS's form is a proxy's, say, and tells nothing of what was done.
    """
    return AwsError(
        operation,
        str(error),
        uncertain=isinstance(error, (HTTPClientError, ResponseParserError)),
        unreachable=isinstance(error, (ConnectTimeoutError, EndpointConnectionError)),
    )


def call(method: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    """Call one method of a boto3 client; raises AwsError."""
    with translated(operation_of(method)):
        answer: dict[str, Any] = method(**arguments)
        return answer


def operation_of(method: Callable[..., Any]) -> str:
    """Name of an operation as the API's reference has it: DescribeSecurityGroups."""
    return "".join(part.capitalize() for part in method.__name__.split("_"))
