# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers and listeners that are created twice."""

from __future__ import annotations

from typing import Any

from lab.cloud import ControlPlane
from tests.cloud.account import refused
from tests.cloud.shop import Shop


def test_a_name_has_one_load_balancer_which_is_created_once(cloud: ControlPlane) -> None:
    """CreateLoadBalancer: "If you attempt to create multiple load balancers with the same settings, each call
    succeeds." DuplicateLoadBalancerName: "A load balancer with the specified name already exists."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    """
    shop = Shop(cloud)
    subnets = [one["SubnetId"] for one in cloud.client("ec2").describe_subnets()["Subnets"]]
    given: Any = {"Name": "other", "Subnets": subnets[:2], "Scheme": "internal"}
    first, again = (shop.elbv2.create_load_balancer(**given)["LoadBalancers"] for _time in range(2))
    assert [one["LoadBalancerArn"] for one in again] == [one["LoadBalancerArn"] for one in first]
    with refused("DuplicateLoadBalancerName", "A load balancer with the same name 'other' exists"):
        shop.elbv2.create_load_balancer(**{**given, "Scheme": "internet-facing"})
    found = shop.elbv2.describe_load_balancers()["LoadBalancers"]
    assert len([one for one in found if one["LoadBalancerName"] == "other"]) == 1


def test_a_port_has_one_listener_which_is_created_once(cloud: ControlPlane) -> None:
    """CreateListener: "This operation is idempotent […]. If you attempt to create multiple listeners with the same
    settings, each call succeeds." DuplicateListener: "A listener with the specified port already exists."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
    """
    shop = Shop(cloud)
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    given: Any = {"LoadBalancerArn": shop.balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": [answer]}
    first = shop.elbv2.create_listener(**given)["Listeners"]
    again = shop.elbv2.create_listener(**given)["Listeners"]
    assert [one["ListenerArn"] for one in again] == [one["ListenerArn"] for one in first]
    other = {**answer, "FixedResponseConfig": {"StatusCode": "404"}}
    with refused("DuplicateListener", "A listener already exists on this port"):
        shop.elbv2.create_listener(**{**given, "DefaultActions": [other]})
    shop.elbv2.modify_listener(ListenerArn=first[0]["ListenerArn"], DefaultActions=[other])
    with refused("DuplicateListener", "A listener already exists on this port"):
        shop.elbv2.create_listener(**given)
    assert len(shop.elbv2.describe_listeners(LoadBalancerArn=shop.balancer)["Listeners"]) == 1
