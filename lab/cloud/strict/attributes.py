# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that nobody has set are told with their defaults; a protected load balancer is not deleted.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict.behavior import Request, refuse, strict

# Of an Application Load Balancer.
BALANCER = {
    "access_logs.s3.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
# Of a target group of such a load balancer, whose stickiness lasts "1 day (86400 seconds)".
GROUP = {
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.lb_cookie.duration_seconds": "86400",
}


@strict("elbv2", "DescribeLoadBalancerAttributes")
def describe_load_balancer_attributes(request: Request) -> Any:
    result = request.proceed()
    balancer = request.elbv2.load_balancers[request.parameters["LoadBalancerArn"]]
    defaults = BALANCER if balancer.type == "application" else {}
    return {**result, "Attributes": {**defaults, **result["Attributes"]}}


@strict("elbv2", "DescribeTargetGroupAttributes")
def describe_target_group_attributes(request: Request) -> Any:
    result = request.proceed()
    group = request.elbv2.target_groups[request.parameters["TargetGroupArn"]]
    defaults = GROUP if group.protocol in ("HTTP", "HTTPS") else {}
    return {**result, "Attributes": {**defaults, **result["Attributes"]}}


@strict("elbv2", "DeleteLoadBalancer")
def delete_load_balancer(request: Request) -> Any:
    """ "You can't delete a load balancer if deletion protection is enabled."
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html
    """
    balancer = request.elbv2.load_balancers.get(request.parameters["LoadBalancerArn"])
    if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
        text = f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled"
        raise refuse("OperationNotPermitted", text)
    return request.proceed()
