# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load balancer and its targets, read with a scripted client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_info.read import read, waits_for
from botocore.exceptions import ClientError

ARN = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/shop-lb/1"
GROUP = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/shop-web/1"
PARAMS = {"platform": "shop", "healthy": [], "wait": 0}


@dataclass
class Client:
    """One load balancer with one target, which is healthy at its last look."""

    states: list[str] = field(default_factory=lambda: ["healthy"])
    owner: str = "shop"
    exists: bool = True

    def describe_load_balancers(self, **asked: Any) -> dict[str, Any]:
        if not self.exists:
            raise ClientError({"Error": {"Code": "LoadBalancerNotFound", "Message": "none"}}, "DescribeLoadBalancers")
        assert asked == {"Names": ["shop-lb"]}
        told = {"LoadBalancerArn": ARN, "DNSName": "shop-lb-1.elb.example", "Scheme": "internet-facing"}
        zones = [{"ZoneName": "eu-central-1a", "SubnetId": "subnet-1"}]
        return {"LoadBalancers": [{**told, "CanonicalHostedZoneId": "Z1", "AvailabilityZones": zones}]}

    def describe_subnets(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"SubnetIds": ["subnet-1"]}
        return {"Subnets": [{"CidrBlock": "10.0.0.0/20"}]}

    def describe_tags(self, **asked: Any) -> dict[str, Any]:
        (arn,) = asked["ResourceArns"]
        tags = {"gatehouse:platform": self.owner, **({"gatehouse:service": "web"} if arn == GROUP else {})}
        return {
            "TagDescriptions": [
                {"ResourceArn": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            ]
        }

    def describe_target_groups(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"LoadBalancerArn": ARN}
        return {"TargetGroups": [{"TargetGroupName": "shop-web", "TargetGroupArn": GROUP, "Port": 8000}]}

    def describe_target_health(self, **_asked: Any) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        health = {"State": state, **({"Description": "[502]"} if state == "unhealthy" else {})}
        return {"TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": 8000}, "TargetHealth": health}]}


@dataclass
class Time:
    """Passes when it is slept through."""

    seconds: float = 0.0

    def retries(self) -> Retries:
        return Retries(clock=Clock(lambda: self.seconds, self.sleep, lambda: 0.5))

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_the_load_balancer_is_told_with_its_targets_by_service() -> None:
    client = Client(["unhealthy"])
    found = read(client, client, PARAMS, Time().retries())
    assert found["networks"] == ["10.0.0.0/20"]
    assert (found["name"], found["dns_name"], found["zone_id"]) == ("shop-lb", "shop-lb-1.elb.example", "Z1")
    assert found["services"] == {
        "web": [
            {
                "id": "i-1",
                "port": 8000,
                "availability_zone": "",
                "state": "unhealthy",
                "reason": "",
                "description": "[502]",
            }
        ]
    }


@pytest.mark.parametrize("client", [Client(exists=False), Client(owner="other")])
def test_one_that_is_not_there_or_not_the_platforms_is_none(client: Client) -> None:
    time = Time()
    found = read(client, client, {**PARAMS, "healthy": ["i-1"], "wait": 60}, time.retries())
    assert (found["arn"], found["dns_name"], found["services"], time.seconds) == ("", "", {}, 0)
    assert found["networks"] == []


def test_it_looks_again_until_the_targets_are_healthy_or_the_time_is_over() -> None:
    time = Time()
    client = Client(["initial", "unhealthy", "healthy"])
    found = read(client, client, {**PARAMS, "healthy": ["i-1"], "wait": 60}, time.retries())
    assert (found["waiting"], time.seconds) == ([], 4)
    time = Time()
    client = Client(["unhealthy"])
    found = read(client, client, {**PARAMS, "healthy": ["i-1"], "wait": 5}, time.retries())
    assert (found["waiting"], time.seconds) == (["i-1"], 5)


def test_a_target_has_to_be_healthy_wherever_it_is_registered() -> None:
    found = {
        "web": [{"id": "i-1", "state": "healthy"}, {"id": "i-2", "state": "healthy"}],
        "api": [{"id": "i-1", "state": "draining"}],
    }
    assert waits_for(found, ["i-1", "i-2", "i-3", "i-3"]) == ["i-1", "i-3"]
