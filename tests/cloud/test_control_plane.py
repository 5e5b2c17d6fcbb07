# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control plane itself: what is logged, and what a caller notices of each kind of fault."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from lab.cloud import ControlPlane
from lab.model import ROOT
from tests.cloud.account import refused


def names(cloud: ControlPlane) -> set[str]:
    return {group["GroupName"] for group in cloud.client("ec2").describe_security_groups()["SecurityGroups"]}


def test_an_account_begins_with_a_default_vpc(cloud: ControlPlane) -> None:
    assert [vpc["IsDefault"] for vpc in cloud.client("ec2").describe_vpcs()["Vpcs"]] == [True]
    assert names(cloud) == {"default"}


def test_calls_are_logged_with_their_parameters(cloud: ControlPlane) -> None:
    ec2 = cloud.client("ec2")
    group = ec2.create_security_group(GroupName="a", Description="d")["GroupId"]
    permission = {
        "IpProtocol": "tcp",
        "FromPort": 1,
        "ToPort": 2,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "x"}],
    }
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    cloud.client("elbv2").describe_target_groups(PageSize=3)
    assert cloud.calls.count() == Counter(
        CreateSecurityGroup=1, AuthorizeSecurityGroupIngress=1, DescribeTargetGroups=1
    )
    assert cloud.calls.total == 3
    created, authorized, described = cloud.calls.entries
    assert created.answer["GroupId"] == group
    assert (authorized.service, authorized.status) == ("ec2", 200)
    assert authorized.parameters == {"GroupId": group, "IpPermissions": [permission]}
    assert (described.service, described.parameters) == ("elbv2", {"PageSize": 3})


def test_every_client_has_its_own_handlers(cloud: ControlPlane) -> None:
    seen: list[str] = []
    first, second = cloud.client("ec2"), cloud.client("ec2")
    first.meta.events.register("before-call.*.*", lambda model, **_event: seen.append(model.name))
    second.describe_vpcs()
    first.describe_subnets()
    first.get_paginator("describe_security_groups").paginate().build_full_result()
    assert seen == ["DescribeSubnets", "DescribeSecurityGroups"]


def test_what_moto_cannot_do_is_an_error_of_the_service(cloud: ControlPlane) -> None:
    with refused("InternalError", "NotImplementedError"):
        cloud.client("ec2").describe_spot_datafeed_subscription()
    assert cloud.calls.entries[-1].status == 500


@pytest.mark.parametrize("service", ["", "nope"])
def test_what_no_service_describes_is_logged_by_its_path(cloud: ControlPlane, service: str) -> None:
    """A request without a signature, or for a service that there is not."""
    signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential=A/20260101/eu-central-1/{service}/aws4_request, x"}
    request = urllib.request.Request(f"{cloud.endpoint}/path", headers=signed if service else {})
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=10):
        pass
    (call,) = cloud.calls.entries
    assert (call.service, call.operation) == ("", "GET /path")


def test_answers_have_request_ids_of_their_own(cloud: ControlPlane) -> None:
    ec2 = cloud.client("ec2")
    assert len({ec2.describe_vpcs()["ResponseMetadata"]["RequestId"] for _time in range(3)}) == 3


def test_tags_of_groups_and_rules_are_shown(cloud: ControlPlane) -> None:
    ec2 = cloud.client("ec2")
    tags = [{"Key": "a", "Value": "<1>"}, {"Key": "b", "Value": ""}]

    def tagged(kind: str) -> list[dict[str, object]]:
        return [{"ResourceType": kind, "Tags": tags}]

    group = ec2.create_security_group(GroupName="a", Description="d", TagSpecifications=tagged("security-group"))
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
        TagSpecifications=tagged("security-group-rule"),
    )
    filters = [{"Name": "tag:a", "Values": ["<1>"]}]
    (found,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    (rule,) = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert (found["Tags"], rule["Tags"]) == (tags, tags)
    assert (rule["IpProtocol"], rule["FromPort"], rule["IsEgress"]) == ("-1", -1, False)


def test_calls_at_the_same_time_do_not_disturb_each_other(cloud: ControlPlane) -> None:
    ec2 = cloud.client("ec2")
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda number: ec2.create_security_group(GroupName=f"g{number}", Description="d"), range(24))
        assert len({group["GroupId"] for group in made}) == 24
    assert len(names(cloud)) == 25
    assert cloud.calls.count()["CreateSecurityGroup"] == 24


def test_another_account_has_groups_of_its_own(cloud: ControlPlane) -> None:
    """A rule may name a group of another account, over a peering."""
    mine, theirs = cloud.client("ec2"), cloud.client("ec2", account="444455556666")
    home = mine.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    away = theirs.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    here = mine.create_security_group(GroupName="here", Description="d", VpcId=home)["GroupId"]
    there = theirs.create_security_group(GroupName="there", Description="d", VpcId=away)["GroupId"]
    assert "there" not in names(cloud)
    pair = {"GroupId": there, "UserId": "444455556666"}
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [pair]}
    with refused("InvalidGroup.NotFound", "different networks"):
        mine.authorize_security_group_ingress(GroupId=here, IpPermissions=[permission])
    peering = mine.create_vpc_peering_connection(VpcId=home, PeerVpcId=away, PeerOwnerId="444455556666")
    peering_id = peering["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    theirs.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    mine.authorize_security_group_ingress(GroupId=here, IpPermissions=[permission])
    (found,) = mine.describe_security_groups(GroupIds=[here])["SecurityGroups"]
    assert found["IpPermissions"][0]["UserIdGroupPairs"] == [pair]
    references = theirs.describe_security_group_references(GroupId=[there])["SecurityGroupReferenceSet"]
    assert [reference["ReferencingVpcId"] for reference in references] == [home]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("refused", "UnauthorizedOperation"),
        ("throttled", "RequestLimitExceeded"),
        ("limited", "VcpuLimitExceeded"),
        ("error", "InternalError"),
        ("expired", "RequestExpired"),
    ],
)
def test_an_answered_fault_has_a_code_and_no_effect(cloud: ControlPlane, kind: str, code: str) -> None:
    ec2 = cloud.client("ec2")
    cloud.faults.add(kind, number=2)
    ec2.create_security_group(GroupName="first", Description="d")
    with pytest.raises(ClientError) as error:
        ec2.create_security_group(GroupName="second", Description="d")
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["RequestId"]
    assert not cloud.calls.entries[-1].took_effect
    assert names(cloud) == {"default", "first"}


@pytest.mark.parametrize(("kind", "took_effect"), [("timeout", False), ("lost", True)])
def test_an_unanswered_call_took_effect_or_not(cloud: ControlPlane, kind: str, took_effect: bool) -> None:
    cloud.faults.add(kind, number=2, operation="CreateSecurityGroup")
    ec2 = cloud.client("ec2")
    ec2.create_security_group(GroupName="first", Description="d")
    ec2.describe_vpcs()
    with pytest.raises(ConnectionClosedError):
        ec2.create_security_group(GroupName="second", Description="d")
    assert ("second" in names(cloud)) is took_effect
    assert cloud.calls.count()["CreateSecurityGroup"] == 2
    assert cloud.calls.entries[2].took_effect is took_effect


def test_faults_speak_each_services_language(cloud: ControlPlane) -> None:
    cloud.faults.add("throttled", number=None)
    for client, call, code in (
        (cloud.client("elbv2"), "describe_target_groups", "Throttling"),
        (cloud.client("service-quotas"), "list_services", "ThrottlingException"),
        (cloud.client("ec2"), "describe_vpcs", "RequestLimitExceeded"),
    ):
        with pytest.raises(ClientError) as error:
            getattr(client, call)()
        assert error.value.response["Error"]["Code"] == code


def test_latency_is_added_to_each_call(cloud: ControlPlane) -> None:
    ec2 = cloud.client("ec2")
    ec2.describe_vpcs()
    cloud.latency = 0.2
    start = time.monotonic()
    ec2.describe_vpcs()
    assert time.monotonic() - start >= 0.2


def test_time_can_be_advanced(cloud: ControlPlane) -> None:
    cloud.clock.advance(300)
    assert 300 <= cloud.clock.now() < 310
    cloud.reset()
    assert cloud.clock.now() < 10


def test_the_command_serves_what_its_output_leads_to() -> None:
    command = [sys.executable, "-m", "lab.cloud"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            lines = [server.stdout.readline() for _variable in range(8)]
            told = dict(shlex.split(line)[1].split("=", 1) for line in lines)
            ec2 = boto3.client(
                "ec2",
                endpoint_url=told["AWS_ENDPOINT_URL"],
                region_name=told["AWS_DEFAULT_REGION"],
                aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
            )
            with refused("InvalidParameterValue"):
                ec2.create_security_group(GroupName="sg-a", Description="d")
        finally:
            server.terminate()
    assert server.returncode == 0
