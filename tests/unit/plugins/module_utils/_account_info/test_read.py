# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said when AWS cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._account_info.read import AccountError, read
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

REFUSED = ClientError(
    {"Error": {"Code": "InvalidClientTokenId", "Message": "The token is invalid."}}, "GetCallerIdentity"
)
DENIED = ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "No."}}, "DescribeAvailabilityZones")


class Client:
    """Answers, or raises an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def get_caller_identity(self) -> dict[str, Any]:
        if self.error and self.error is not DENIED:
            raise self.error
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ada"}

    def describe_availability_zones(self) -> dict[str, Any]:
        if self.error:
            raise self.error
        zones = [("eu-central-1b", "available"), ("eu-central-1a", "available"), ("eu-central-1c", "impaired")]
        return {"AvailabilityZones": [{"ZoneName": name, "State": state} for name, state in zones]}


def look(error: Exception | None = None) -> dict[str, Any]:
    return read(
        lambda _service: Client(error), "eu-central-1", Retries(clock=Clock(lambda: 0.0, lambda _seconds: None))
    )


def test_account_and_zones_are_told() -> None:
    found = look()
    assert (found["account"], found["zones"]) == ("123456789012", ["eu-central-1a", "eu-central-1b"])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), "give credentials: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (REFUSED, "look at the credentials, and whether the account has the region eu-central-1 turned on"),
        (EndpointConnectionError(endpoint_url="https://sts"), "is there a region eu-central-1 (platform_region)"),
        (DENIED, "may these credentials do that?"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(error: Exception, words: str) -> None:
    with pytest.raises(AccountError) as told:
        look(error)
    assert str(told.value).startswith("AWS cannot be asked in the region eu-central-1: ")
    assert words in str(told.value)
