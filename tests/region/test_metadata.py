# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data and the metadata service, as an instance meets them."""

from __future__ import annotations

import json

import pytest

from lab.region.place import API_ADDRESS
from tests.region.account import Account, eventually

SCRIPT = """\
#!/bin/sh
echo ran >> /root/runs
"""
CLOUD_CONFIG = """\
#cloud-config
write_files:
- path: /root/written
  content: by cloud-init
runcmd:
- echo ran >> /root/runs
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
METADATA = "http://169.254.169.254/latest"
TOKEN = f"TOKEN=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {METADATA}/api/token);"


def asked(path: str) -> str:
    """A command that asks the metadata service with a token."""
    return f"{TOKEN} curl -sf -H X-aws-ec2-metadata-token:$TOKEN {METADATA}/{path}"


@pytest.mark.parametrize(
    ("release", "user_data"), [(12, CLOUD_CONFIG), (13, SCRIPT)], ids=["cloud-config-12", "script-13"]
)
def test_user_data_runs_once(account: Account, release: int, user_data: str) -> None:
    vpc, key = account.vpc(), account.key_pair()
    image = account.image(release)
    instance = account.launch(vpc.public, vpc.group, public=True, KeyName=key, UserData=user_data, ImageId=image)
    for _start in range(2):
        assert account.becomes(instance, "running")
        address = account.instance(instance)["PublicIpAddress"]
        account.trust(instance, address)
        assert eventually(lambda a=address: "status: done" in account.ssh(a, "cloud-init status --wait").stdout, 60)
        assert account.ssh(address, "sudo cat /root/runs").stdout == "ran\n"
        account.ec2.stop_instances(InstanceIds=[instance])
        assert account.becomes(instance, "stopped")
        account.ec2.start_instances(InstanceIds=[instance])


def test_every_instance_of_a_launch_template_has_its_role_and_options(account: Account) -> None:
    iam = account.cloud.client("iam")
    iam.create_instance_profile(InstanceProfileName="readers")
    profile, options = {"Name": "readers"}, {"HttpTokens": "required"}
    template = {"ImageId": account.image(), "IamInstanceProfile": profile, "MetadataOptions": options}
    account.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=template)
    named = {"LaunchTemplate": {"LaunchTemplateName": "web"}, "MinCount": 2, "MaxCount": 2}
    for found in account.ec2.run_instances(**named)["Instances"]:
        instance = account.instance(found["InstanceId"])
        assert instance["IamInstanceProfile"]["Arn"].endswith(":instance-profile/readers")
        assert instance["MetadataOptions"]["HttpTokens"] == "required"


def test_an_instance_knows_itself_and_calls_the_api_as_its_role(account: Account) -> None:
    iam, s3 = account.cloud.client("iam"), account.cloud.client("s3")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(TRUST))
    one = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::archive/note"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [one]})
    iam.put_role_policy(RoleName="reader", PolicyName="reads", PolicyDocument=policy)
    iam.create_instance_profile(InstanceProfileName="readers")
    iam.add_role_to_instance_profile(InstanceProfileName="readers", RoleName="reader")
    s3.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="archive", Key="note", Body=b"from the archive")
    vpc, key = account.vpc(), account.key_pair()
    instance = account.launch(
        vpc.public,
        vpc.group,
        public=True,
        KeyName=key,
        IamInstanceProfile={"Name": "readers"},
        MetadataOptions={"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "alpha"}]}],
    )
    address = account.instance(instance)["PublicIpAddress"]
    account.trust(instance, address)

    def answer(path: str) -> str:
        return account.ssh(address, asked(path)).stdout

    without = account.ssh(address, f"curl -s -o /dev/null -w '%{{http_code}}' {METADATA}/meta-data/instance-id")
    assert without.stdout == "401"
    document = json.loads(answer("dynamic/instance-identity/document"))
    assert (document["instanceId"], document["region"]) == (instance, "eu-central-1")
    assert answer("meta-data/tags/instance/Name") == "alpha"
    assert answer("meta-data/public-ipv4") == address
    assert answer("meta-data/iam/security-credentials/") == "reader"
    credentials = json.loads(answer("meta-data/iam/security-credentials/reader"))

    signed = f"--user {credentials['AccessKeyId']}:{credentials['SecretAccessKey']}"
    session = f"-H 'x-amz-security-token: {credentials['Token']}'"
    read = f"curl -s --aws-sigv4 aws:amz:eu-central-1:s3 {signed} {session} $AWS_ENDPOINT_URL/archive/note"
    assert account.ssh(address, read).stdout == "from the archive"
    assert "AccessDenied" in account.ssh(address, read.replace("/note", "/other")).stdout
    who = f"-d 'Action=GetCallerIdentity&Version=2011-06-15' http://{API_ADDRESS}/"
    told = account.ssh(address, f"curl -s --aws-sigv4 aws:amz:eu-central-1:sts {signed} {session} {who}").stdout
    assert f"assumed-role/reader/{instance}" in told
