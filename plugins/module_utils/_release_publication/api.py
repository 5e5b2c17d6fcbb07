# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thin function per call of S3."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError, call, translated
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.model import Content

# "This action enables you to delete multiple objects … up to 1000 keys":
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
MOST = 1000
# HeadObject has no body to tell a code in; the others say which of both is missing.
MISSING = ("404", "NoSuchKey")


def account(client: Any) -> str:
    """Number of the account that the credentials belong to."""
    return str(call(client.get_caller_identity)["Account"])


def content(client: Any, bucket: str, key: str) -> bytes | None:
    """What an object holds; None where there is none."""
    try:
        answer = call(client.get_object, Bucket=bucket, Key=key)
    except AwsError as error:
        if error.code in MISSING:
            return None
        raise
    try:
        with translated("GetObject"):
            return bytes(answer["Body"].read())
    except AwsError as error:
        # Reading may be repeated, whatever broke off.
        raise error.but(uncertain=True) from error


def digest(client: Any, bucket: str, key: str) -> str:
    """The SHA-256 that S3 computed when the object was put, as hexadecimal digits; empty without one."""
    try:
        answer = call(client.head_object, Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except AwsError as error:
        if error.code in MISSING:
            return ""
        raise
    return base64.b64decode(answer.get("ChecksumSHA256") or "").hex()


def put(client: Any, bucket: str, content: Content) -> None:
    """Put an object with its SHA-256; S3 refuses it when what arrives has another."""
    call(client.put_object, Bucket=bucket, Key=content.key, Body=content.data, ChecksumAlgorithm="SHA256")


def listed(client: Any, bucket: str, prefix: str) -> list[tuple[str, Any]]:
    """Keys below a prefix, with the time at which each was put."""
    found: list[tuple[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = call(client.list_objects_v2, Bucket=bucket, Prefix=prefix, **token)
        found += [(str(one["Key"]), one["LastModified"]) for one in answer.get("Contents") or []]
        if not answer.get("IsTruncated"):
            return found
        token = {"ContinuationToken": answer["NextContinuationToken"]}


def delete(client: Any, bucket: str, keys: Sequence[str]) -> None:
    """Delete objects; the bucket keeps them as old versions for a while."""
    for start in range(0, len(keys), MOST):
        entries = [{"Key": key} for key in keys[start : start + MOST]]
        call(client.delete_objects, Bucket=bucket, Delete={"Objects": entries, "Quiet": True})
