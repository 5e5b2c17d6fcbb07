# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances behind security groups and a load balancer, in a region: made through the API, asked from outside."""

from __future__ import annotations

import http.client
import os
import signal
import time

from tests.region.account import Account, Vpc, eventually

SERVER = """#!/bin/sh
mkdir /srv/www && cd /srv/www && hostname > index.html && echo ok > health
exec systemd-run --working-directory=/srv/www python3 -m http.server 8080
"""
SECONDS = 2.0


def group(account: Account, vpc: Vpc, name: str) -> str:
    return str(account.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc.id)["GroupId"])


def tcp(port: int, **source: object) -> list[dict[str, object]]:
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}]


def everyone() -> dict[str, object]:
    return {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def ask(address: str, port: int, timeout: float = 0.5) -> str | None:
    """What a web server says; None when there is no answer."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.read().decode().strip() if answer.status == 200 else str(answer.status)
    except OSError:
        return None
    finally:
        connection.close()


def test_a_rule_opens_and_closes_a_port_within_two_seconds(account: Account) -> None:
    vpc = account.vpc()
    web = group(account, vpc, "web")
    instance = account.launch(vpc.public, web, public=True, UserData=SERVER)
    address = account.instance(instance)["PublicIpAddress"]
    account.ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=tcp(8080, **everyone()))
    assert eventually(lambda: ask(address, 8080), 60)
    account.ec2.revoke_security_group_ingress(GroupId=web, IpPermissions=tcp(8080, **everyone()))
    start = time.monotonic()
    assert eventually(lambda: ask(address, 8080) is None, 10)
    assert time.monotonic() - start < SECONDS + 0.5
    account.ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=tcp(8080, **everyone()))
    start = time.monotonic()
    assert eventually(lambda: ask(address, 8080), 10)
    assert time.monotonic() - start < SECONDS


def test_a_load_balancer_leads_to_instances_that_only_it_reaches(account: Account) -> None:
    vpc, elbv2 = account.vpc(), account.cloud.client("elbv2")
    front, back = group(account, vpc, "front"), group(account, vpc, "back")
    account.ec2.authorize_security_group_ingress(GroupId=front, IpPermissions=tcp(80, **everyone()))
    pairs = {"UserIdGroupPairs": [{"GroupId": front}]}
    account.ec2.authorize_security_group_ingress(GroupId=back, IpPermissions=tcp(8080, **pairs))
    instances = [account.launch(vpc.public, back, public=True, UserData=SERVER) for _instance in range(2)]
    made = elbv2.create_load_balancer(Name="shop", Subnets=[vpc.public], SecurityGroups=[front])["LoadBalancers"][0]
    arn = elbv2.create_target_group(
        Name="web", Protocol="HTTP", Port=8080, VpcId=vpc.id, HealthCheckPath="/health", HealthCheckIntervalSeconds=5
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    assert all(account.becomes(instance, "running") for instance in instances)
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance} for instance in instances])

    def states() -> set[str]:
        told = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {entry["TargetHealth"]["State"] for entry in told}

    assert eventually(lambda: states() == {"healthy"}, 90), states()
    filters = [{"Name": "description", "Values": ["ELB app/shop/*"]}]
    node = account.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"][0]
    address = node["Association"]["PublicIp"]
    names = {account.instance(instance)["PrivateDnsName"].partition(".")[0] for instance in instances}
    assert {ask(address, 80) for _request in range(4)} == names
    assert all(ask(account.instance(instance)["PublicIpAddress"], 8080) is None for instance in instances)
    for node_folder in (account.region.place.directory / "nodes").glob("*-subnet-*"):
        os.kill(int((node_folder / "pid").read_text(encoding="ascii")), signal.SIGKILL)
    assert eventually(lambda: ask(address, 80) in names, 10)
    account.ec2.revoke_security_group_ingress(GroupId=back, IpPermissions=tcp(8080, **pairs))
    assert eventually(lambda: states() == {"unhealthy"}, 40), states()
    told = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert {entry["TargetHealth"]["Reason"] for entry in told} == {"Target.Timeout"}
