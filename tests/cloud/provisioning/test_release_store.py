# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role release_store against an account: the bucket is made, kept and removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lab.cloud import ControlPlane
from tests.cloud.provisioning.playbook import Run, run

BUCKET = "shop-releases-123456789012-eu-central-1"
ARN = f"arn:aws:s3:::{BUCKET}"
HERE = {"LocationConstraint": "eu-central-1"}


def play(cloud: ControlPlane, folder: Path, *options: str, succeeds: bool = True, **more: Any) -> Run:
    variables = {"release_store_platform": "shop", "release_store_tags": {"Team": "shop"}, **more}
    return run(cloud, folder, "release_store", variables, *options, succeeds=succeeds)


def buckets(s3: Any) -> list[str]:
    return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def tags(s3: Any) -> dict[str, str]:
    try:
        return {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    except ClientError:
        return {}


def test_a_private_bucket_is_made_kept_and_removed_with_its_data_only_when_told(
    cloud: ControlPlane, tmp_path: Path
) -> None:
    s3 = cloud.client("s3")
    empty = play(cloud, tmp_path, "--check")
    assert (empty.changed, empty.words) == (1, [f"bucket {BUCKET}"])
    assert empty.facts["release_store_result"] == {"bucket": BUCKET, "arn": ""}
    assert buckets(s3) == []
    assert play(cloud, tmp_path).facts["release_store_result"] == {"bucket": BUCKET, "arn": ARN}
    assert tags(s3) == {"Name": BUCKET, "Team": "shop", "gatehouse:platform": "shop"}
    assert set(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Deny"}
    encryption = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    owned = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90

    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_policy(Bucket=BUCKET)
    drifted = play(cloud, tmp_path, "--check", release_store_keep_days=30)
    assert drifted.words == [f"{name} of the bucket {BUCKET}" for name in ("versioning", "policy", "life cycle")]
    assert play(cloud, tmp_path, release_store_keep_days=30).changed == 2
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    for options in ((), ("--check",)):
        assert play(cloud, tmp_path, *options, release_store_keep_days=30).changed == 0

    s3.put_object(Bucket=BUCKET, Key="web/current", Body=b"1")
    told = play(cloud, tmp_path, "--check", succeeds=False, release_store_state="absent").stdout
    assert f"the bucket {BUCKET} holds objects (web/current): set release_store_delete_data: true" in told
    s3.delete_object(Bucket=BUCKET, Key="web/current")
    told = play(cloud, tmp_path, succeeds=False, release_store_state="absent").stdout
    assert "holds old versions of objects: set release_store_delete_data: true" in told
    removal = {"release_store_state": "absent", "release_store_delete_data": True}
    assert (play(cloud, tmp_path, "--check", **removal).changed, buckets(s3)) == (1, [BUCKET])
    assert play(cloud, tmp_path, **removal).facts["release_store_result"] == {"bucket": "", "arn": ""}
    assert (play(cloud, tmp_path, **removal).changed, buckets(s3)) == (0, [])


def test_a_bucket_of_somebody_else_is_left_alone(cloud: ControlPlane, tmp_path: Path) -> None:
    other, s3 = cloud.client("s3", account="444455556666"), cloud.client("s3")
    other.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    told = play(cloud, tmp_path, "--check", succeeds=False).stdout
    assert f"the bucket {BUCKET} is another account's" in told
    s3.create_bucket(Bucket="own", CreateBucketConfiguration=HERE)
    told = play(cloud, tmp_path, succeeds=False, release_store_bucket="own").stdout
    assert "the bucket own exists and does not carry the tag gatehouse:platform: shop" in told
    removal = {"release_store_state": "absent", "release_store_delete_data": True, "release_store_bucket": "own"}
    assert play(cloud, tmp_path, **removal).changed == 0
    assert (buckets(other), buckets(s3)) == ([BUCKET], ["own"])


def test_a_run_that_died_before_it_tagged_the_bucket_is_continued(cloud: ControlPlane, tmp_path: Path) -> None:
    s3 = cloud.client("s3")
    cloud.faults.add("refused", number=1, operation="PutBucketTagging")
    assert "not authorized" in play(cloud, tmp_path, succeeds=False).stdout
    assert (buckets(s3), tags(s3)) == ([BUCKET], {})
    assert play(cloud, tmp_path).changed
    assert tags(s3)["gatehouse:platform"] == "shop"
    assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    assert (
        "there is no release_store_platform" in play(cloud, tmp_path, succeeds=False, release_store_platform="").stdout
    )
