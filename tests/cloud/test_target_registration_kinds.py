# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of target over HTTP, and what is told back of it."""

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    TargetRegistrationError,
)

from lab.cloud import ControlPlane
from tests.cloud.shop import Shop, after

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:shop"


@pytest.fixture
def shop(cloud: ControlPlane) -> Shop:
    return Shop(cloud)


def test_addresses_inside_and_outside_of_the_vpc(shop: Shop) -> None:
    """The zone ``all`` is said where AWS wants it, and only there: it is the subnets that count."""
    shop.group("ips", kind="ip")
    shop.settle()
    inside = shop.subnets[0]["CidrBlock"].replace(".0/20", ".9")
    in_no_subnet = "172.31.240.9"
    result = shop.run(["ips"], [inside, "10.0.3.7", {"id": in_no_subnet, "port": 8080}])
    assert set(after(result, "ips").values()) == {"healthy"}
    told = {target["id"]: target["availability_zone"] for target in shop.info(["ips"])["ips"]["targets"]}
    assert told == {inside: shop.subnets[0]["AvailabilityZone"], "10.0.3.7": "all", in_no_subnet: "all"}
    shop.run(["ips"], ["10.0.3.7"], state="absent")
    assert "10.0.3.7" not in {target["id"] for target in shop.info(["ips"])["ips"]["targets"]}


def test_subnets_are_asked_for_only_where_addresses_are_registered(shop: Shop) -> None:
    shop.group("ips", kind="ip")
    shop.settle()
    shop.run(["ips"], ["10.0.3.7"], wait=False)
    assert shop.calls()["DescribeSubnets"] == 1
    shop.settle()
    shop.run(["ips"], ["10.0.3.7"])
    assert "DescribeSubnets" not in shop.calls()


def test_addresses_that_aws_does_not_take_are_refused_at_once(shop: Shop) -> None:
    shop.group("ips", kind="ip")
    shop.settle()
    inside = shop.subnets[0]["CidrBlock"].replace(".0/20", ".9")
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["ips"], ["203.0.113.7", {"id": inside, "availability_zone": "all"}])
    assert "203.0.113.7 is in no subnet" in str(caught.value)
    assert f"{inside} is in {shop.subnets[0]['SubnetId']}" in str(caught.value)
    assert "RegisterTargets" not in shop.calls()


def test_a_function_is_done_when_its_health_is_not_checked(shop: Shop) -> None:
    shop.group("fn", kind="lambda", HealthCheckEnabled=False)
    shop.settle()
    assert after(shop.run(["fn"], [FUNCTION], check=True), "fn") == {FUNCTION: "unavailable"}
    result = shop.run(["fn"], [FUNCTION])
    assert after(result, "fn") == {FUNCTION: "unavailable"}
    assert result["waited"] < 3
    assert not shop.run(["fn"], [FUNCTION], exclusive=True)["changed"]
    assert after(shop.run(["fn"], [FUNCTION], state="absent"), "fn") == {FUNCTION: "absent"}


def test_a_function_whose_health_is_checked(shop: Shop) -> None:
    shop.group("fn", kind="lambda", HealthCheckEnabled=True, HealthCheckIntervalSeconds=35)
    assert after(shop.run(["fn"], [FUNCTION]), "fn") == {FUNCTION: "healthy"}


def test_a_load_balancer_as_target(shop: Shop) -> None:
    shop.attach(shop.group("web", attached=False), shop.balancer)
    network = shop.load_balancer("entry", Type="network")
    arn = shop.group("alb", kind="alb", attached=False, Protocol="TCP", Port=shop.next_port)
    shop.attach(arn, network, protocol="TCP")
    shop.settle()
    result = shop.run(["alb"], [shop.balancer])
    assert after(result, "alb") == {shop.balancer: "healthy"}
    assert result["target_groups"]["alb"]["targets"][0]["port"] == shop.next_port - 1


def test_types_are_checked_before_any_change_in_all_groups_at_once(shop: Shop) -> None:
    shop.group("web")
    shop.group("ips", kind="ip")
    ids = shop.instances(1)
    shop.settle()
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web", "ips"], [*ids, "10.0.3.7"])
    assert str(caught.value) == (
        "targets[1]: 10.0.3.7 is not the id of an instance (i-0123…), "
        "as target group web (target type instance) wants\n"
        f"targets[0]: {ids[0]} is not an IP address of version 4, as target group ips (target type ip) wants"
    )
    assert shop.calls() == {"DescribeTargetGroups": 1}


def test_what_is_told_back_is_an_empty_plan(shop: Shop) -> None:
    shop.group("ips", kind="ip")
    inside = shop.subnets[1]["CidrBlock"].replace(".0/20", ".9")
    shop.run(["ips"], [inside, {"id": "10.0.3.7", "port": 8080}])
    found = shop.info(["ips"])["ips"]["registered"]
    assert len(found) == 2
    assert not shop.run(["ips"], found, exclusive=True)["changed"]


def test_info_tells_all_groups_and_where_a_target_is(shop: Shop) -> None:
    ids = shop.instances(2)
    shop.serving("web", ids)
    shop.serving("api", ids[:1])
    shop.group("empty")
    shop.settle()
    assert set(shop.info()) == {"web", "api", "empty"}
    assert shop.calls() == {"DescribeTargetGroups": 1, "DescribeTargetHealth": 3}
    assert set(shop.info(targets=ids[1:])) == {"web"}
    told = shop.info(["api"])["api"]
    assert told["target_type"] == "instance"
    assert told["load_balancers"] == [shop.balancer]
    assert [target["state"] for target in told["targets"]] == ["healthy"]


def security_groups(shop: Shop) -> tuple[str, str]:
    """An empty one for targets, and one that the load balancer has."""
    target_group, balancer_group = (
        str(shop.ec2.create_security_group(GroupName=name, Description=name, VpcId=shop.vpc)["GroupId"])
        for name in ("app", "alb")
    )
    shop.elbv2.set_security_groups(LoadBalancerArn=shop.balancer, SecurityGroups=[balancer_group])
    return target_group, balancer_group


def test_the_security_groups_of_an_address_and_what_the_load_balancer_lets_out(shop: Shop) -> None:
    arn = shop.group("ips", kind="ip", Port=8000, HealthCheckPort="9000")
    target_group, balancer_group = security_groups(shop)
    made = shop.ec2.create_network_interface(SubnetId=shop.subnets[1]["SubnetId"], Groups=[target_group])
    address = made["NetworkInterface"]["PrivateIpAddress"]
    near = {"IpProtocol": "tcp", "FromPort": 9000, "ToPort": 9000, "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}
    shop.ec2.authorize_security_group_ingress(GroupId=target_group, IpPermissions=[near])
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    shop.ec2.revoke_security_group_egress(GroupId=balancer_group, IpPermissions=[everything])
    shop.cloud.health.answers(arn, address, ok="timeout")
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["ips"], [address])
    assert f"of the load balancer ({balancer_group}) does not let the health-check port 9000 out to {address}" in str(
        caught.value
    )
    assert f"of {address} ({target_group}) does not admit" not in str(caught.value)


def test_the_security_group_that_keeps_health_checks_away_is_named(shop: Shop) -> None:
    arn = shop.group("web", Port=8000)
    target_group, balancer_group = security_groups(shop)
    ids = shop.instances(1, SecurityGroupIds=[target_group])
    shop.cloud.health.answers(arn, ids[0], ok="timeout")
    shop.settle()
    expected = (
        f"the security group of {ids[0]} ({target_group}) does not admit the health-check port 8000 "
        f"from the load balancer ({balancer_group})"
    )
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web"], ids)
    assert expected in str(caught.value)
    rule = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "UserIdGroupPairs": [{"GroupId": balancer_group}]}
    shop.ec2.authorize_security_group_ingress(GroupId=target_group, IpPermissions=[rule])
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web"], ids)
    assert "Target.Timeout" in str(caught.value)
    assert target_group not in str(caught.value)


def test_a_load_balancer_without_security_groups_is_known_by_its_subnets(shop: Shop) -> None:
    network = shop.load_balancer("entry", Type="network")
    arn = shop.group("tcp", attached=False, Protocol="TCP", Port=8000)
    shop.attach(arn, network, protocol="TCP")
    target_group, _balancer_group = security_groups(shop)
    ids = shop.instances(1, SecurityGroupIds=[target_group])
    shop.cloud.health.answers(arn, ids[0], ok="timeout")
    shop.settle()
    places = ", ".join(sorted(subnet["CidrBlock"] for subnet in shop.subnets[:2]))
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["tcp"], ids)
    assert (
        f"the security group of {ids[0]} ({target_group}) does not admit the health-check port 8000 "
        f"from the load balancer ({places})"
    ) in str(caught.value)
    near = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}
    shop.ec2.authorize_security_group_ingress(GroupId=target_group, IpPermissions=[near])
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["tcp"], ids)
    assert target_group not in str(caught.value)


def test_who_may_not_look_at_security_groups_still_gets_the_message(shop: Shop) -> None:
    ids = shop.instances(1)
    arn = shop.group("web")
    shop.cloud.health.answers(arn, ids[0], ok="timeout")
    shop.settle()
    shop.cloud.faults.add("refused", number=None, operation="DescribeLoadBalancers")
    with pytest.raises(
        TargetRegistrationError, match=r"(?s)Target.Timeout.*could not be looked at: DescribeLoadBalancers"
    ):
        shop.run(["web"], ids)
