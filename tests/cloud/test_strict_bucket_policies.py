# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies of buckets, whose conditions hold or do not."""

from __future__ import annotations

import json

from lab.cloud import ControlPlane

BUCKET = "store"


def test_what_is_denied_without_tls_is_open_to_callers_of_the_api(cloud: ControlPlane) -> None:
    """Condition: "Use the Condition element … to test for … a match", and a statement without a match has no effect.
    The API is called over TLS on AWS; aws:SecureTransport is then true.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html
    """
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=document)
    s3.put_object(Bucket=BUCKET, Key="web/current", Body=b"1")
    assert s3.get_object(Bucket=BUCKET, Key="web/current")["Body"].read() == b"1"
    deleted = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "web/current"}]})
    assert "Errors" not in deleted
    assert s3.get_bucket_policy(Bucket=BUCKET)["Policy"] == document
