# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes with their defaults, and what deletion protection and use protect."""

from __future__ import annotations

from typing import Any

from lab.cloud import ControlPlane
from tests.cloud.account import refused
from tests.cloud.shop import Shop


def attributes(answer: dict[str, Any]) -> dict[str, str]:
    return {told["Key"]: told["Value"] for told in answer["Attributes"]}


def test_a_load_balancer_tells_the_defaults_of_its_attributes(cloud: ControlPlane) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html"""
    shop = Shop(cloud)
    found = attributes(shop.elbv2.describe_load_balancer_attributes(LoadBalancerArn=shop.balancer))
    # "idle_timeout.timeout_seconds - The idle timeout value, in seconds. [...] The default is 60 seconds."
    assert found.get("idle_timeout.timeout_seconds") == "60"
    # "routing.http.drop_invalid_header_fields.enabled [...] The default is false."
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "false"
    # "routing.http2.enabled [...] The default is true."
    assert found["routing.http2.enabled"] == "true"
    # "routing.http.desync_mitigation_mode [...] The default is defensive."
    assert found["routing.http.desync_mitigation_mode"] == "defensive"
    assert found["access_logs.s3.enabled"] == "false"


def test_attributes_that_were_set_are_told(cloud: ControlPlane) -> None:
    """Beside the others."""
    shop = Shop(cloud)
    told = [{"Key": "idle_timeout.timeout_seconds", "Value": "30"}]
    shop.elbv2.modify_load_balancer_attributes(LoadBalancerArn=shop.balancer, Attributes=told)
    found = attributes(shop.elbv2.describe_load_balancer_attributes(LoadBalancerArn=shop.balancer))
    assert (found["idle_timeout.timeout_seconds"], found.get("waf.fail_open.enabled")) == ("30", "false")


def test_a_target_group_tells_the_defaults_of_its_attributes(cloud: ControlPlane) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html"""
    shop = Shop(cloud)
    found = attributes(shop.elbv2.describe_target_group_attributes(TargetGroupArn=shop.group("web")))
    # "stickiness.lb_cookie.duration_seconds [...] The default value is 1 day (86400 seconds)."
    assert found.get("stickiness.lb_cookie.duration_seconds") == "86400"
    assert found["deregistration_delay.timeout_seconds"] == "20"


def test_a_protected_load_balancer_is_not_deleted(cloud: ControlPlane) -> None:
    """ "OperationNotPermitted: This operation is not allowed." """
    shop = Shop(cloud)
    told = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    shop.elbv2.modify_load_balancer_attributes(LoadBalancerArn=shop.balancer, Attributes=told)
    with refused("OperationNotPermitted", "deletion protection is enabled"):
        shop.elbv2.delete_load_balancer(LoadBalancerArn=shop.balancer)


def test_a_certificate_in_use_is_not_deleted(cloud: ControlPlane) -> None:
    """ "You cannot delete an ACM certificate that is being used by another AWS service."
    https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html
    """
    shop = Shop(cloud)
    acm = cloud.client("acm")
    arn = acm.request_certificate(DomainName="shop.example", ValidationMethod="DNS")["CertificateArn"]
    action = {"Type": "forward", "TargetGroupArn": shop.group("web", attached=False)}
    made = shop.elbv2.create_listener(
        LoadBalancerArn=shop.balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[action],
    )
    with refused("ResourceInUseException"):
        acm.delete_certificate(CertificateArn=arn)
    shop.elbv2.delete_listener(ListenerArn=made["Listeners"][0]["ListenerArn"])
    acm.delete_certificate(CertificateArn=arn)
