# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls with the credentials of a role, which may do what its policies say and nothing else.

"By default, all requests are implicitly denied":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lab.cloud import ControlPlane

BUCKET, HERE = "store", "eu-central-1:123456789012"
TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
PERMITTED: list[dict[str, Any]] = [
    {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/web/*"},
    {"Action": "s3:List*", "Resource": f"arn:aws:s3:::{BUCKET}", "Condition": {"StringLike": {"s3:prefix": "web/*"}}},
    {"Action": ["ssm:GetParameters"], "Resource": [f"arn:aws:ssm:{HERE}:parameter/shop/*"]},
    {"Action": "secretsmanager:GetSecretValue", "Resource": f"arn:aws:secretsmanager:{HERE}:secret:shop/key-??????"},
]


def document(*statements: dict[str, Any]) -> str:
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})


@pytest.fixture
def client(cloud: ControlPlane) -> Callable[[str], Any]:
    """Clients with the credentials of a role that may do what is PERMITTED."""
    cloud.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for key in ("web/current", "db/current"):
        cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"1")
    for name in ("shop/key", "shop/key2"):
        cloud.client("secretsmanager").create_secret(Name=name, SecretString="1")
    for name in ("/shop/token", "/other/token"):
        cloud.client("ssm").put_parameter(Name=name, Value="1", Type="String")
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="web", Path="/shop/", AssumeRolePolicyDocument=document(TRUST))["Role"]
    iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument=document(*PERMITTED))
    found = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="i-1")["Credentials"]
    session = boto3.session.Session(
        found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], "eu-central-1"
    )
    return lambda service: session.client(service, endpoint_url=cloud.endpoint)


def denied(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError, match=r"AccessDenied|UnauthorizedOperation") as error:
        call(**parameters)
    return str(error.value)


def test_a_role_reads_the_objects_that_it_may_read(client: Callable[[str], Any]) -> None:
    s3 = client("s3")
    assert s3.get_object(Bucket=BUCKET, Key="web/current")["Body"].read() == b"1"
    assert s3.head_object(Bucket=BUCKET, Key="web/current")["ETag"]
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="web/")["KeyCount"] == 1
    assert "may not s3:GetObject on arn:aws:s3:::store/db/current" in denied(
        s3.get_object, Bucket=BUCKET, Key="db/current"
    )
    denied(s3.list_objects_v2, Bucket=BUCKET, Prefix="db/")
    denied(s3.list_objects_v2, Bucket=BUCKET)
    denied(s3.put_object, Bucket=BUCKET, Key="web/current", Body=b"2")


def test_a_role_reads_the_secrets_that_it_may_read(client: Callable[[str], Any]) -> None:
    ssm, secrets = client("ssm"), client("secretsmanager")
    assert ssm.get_parameters(Names=["/shop/token"])["Parameters"][0]["Value"] == "1"
    assert "parameter/other/token" in denied(ssm.get_parameters, Names=["/shop/token", "/other/token"])
    denied(ssm.get_parameter, Name="/shop/token")
    assert secrets.get_secret_value(SecretId="shop/key")["SecretString"] == "1"
    denied(secrets.get_secret_value, SecretId="shop/key2")


def test_a_role_loses_what_its_policies_do_not_permit_any_more(
    cloud: ControlPlane, client: Callable[[str], Any]
) -> None:
    group = {"AutoScalingGroupName": "web", "LifecycleHookName": "ready", "LifecycleActionResult": "CONTINUE"}
    denied(client("autoscaling").complete_lifecycle_action, InstanceId="i-1", **group)
    denied(client("ec2").describe_instances)
    assert client("sts").get_caller_identity()["Account"] == "123456789012"
    no = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    client("s3").get_object(Bucket=BUCKET, Key="web/current")
    cloud.client("iam").put_role_policy(RoleName="web", PolicyName="never", PolicyDocument=document(no))
    denied(client("s3").get_object, Bucket=BUCKET, Key="web/current")
    for name in ("never", "own"):
        cloud.client("iam").delete_role_policy(RoleName="web", PolicyName=name)
    denied(client("s3").get_object, Bucket=BUCKET, Key="web/current")
