# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError, call
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError


def test_an_answer_that_is_not_of_aws_says_nothing_about_what_was_done() -> None:
    def register_targets() -> None:
        raise ResponseParserError("invalid XML received: <html>")

    with pytest.raises(AwsError, match="RegisterTargets: invalid XML received") as caught:
        call(register_targets)
    assert caught.value.uncertain
    assert caught.value.transient


@pytest.mark.parametrize(
    "code",
    [
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "OptInRequired",
        "SignatureDoesNotMatch",
    ],
)
def test_credentials_that_are_not_accepted_are_told_as_such(code: str) -> None:
    def register_targets() -> None:
        raise ClientError({"Error": {"Code": code, "Message": "No."}}, "RegisterTargets")

    with pytest.raises(AwsError, match=r"No\. Look at the credentials") as caught:
        call(register_targets)
    assert not caught.value.transient
