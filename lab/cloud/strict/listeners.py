# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners have a TLS policy that exists, and a port of their load balancer for themselves.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html
"""

from __future__ import annotations

import copy
from typing import Any

from moto.elbv2.ssl_policies import SSL_POLICIES

from lab.cloud.strict.behavior import Request, refuse, strict

SECURE = ("HTTPS", "TLS")


@strict("elbv2", "CreateListener", "ModifyListener")
def check_policy(request: Request) -> Any:
    """ "[HTTPS and TLS listeners] … You must provide exactly one certificate." """
    policy = request.parameters.get("SslPolicy")
    if policy and policy not in SSL_POLICIES:
        raise refuse("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    created = request.operation == "CreateListener" and request.parameters.get("Protocol") in SECURE
    if created and not request.parameters.get("Certificates"):
        raise refuse("ValidationError", "A certificate must be specified for HTTPS listeners")
    return request.proceed()


@strict("elbv2", "CreateListener")
def create(request: Request) -> Any:
    """ "If you attempt to create multiple listeners with the same settings, each call succeeds." One is made."""
    balancer = request.elbv2.load_balancers.get(request.parameters["LoadBalancerArn"])
    port = int(request.parameters["Port"])
    asked = copy.deepcopy(request.parameters)
    for listener in balancer.listeners.values() if balancer else ():
        if int(listener.port) == port:
            before, answer = vars(listener).get("creation", (None, None))
            if before == asked:
                return answer
            text = f"A listener already exists on this port for this load balancer '{balancer.arn}'"
            raise refuse("DuplicateListener", text)
    result = request.proceed()
    (made,) = [listener for listener in balancer.listeners.values() if int(listener.port) == port]
    made.creation = (asked, result)
    return result


@strict("elbv2", "ModifyListener")
def modify(request: Request) -> Any:
    """It may have other settings from then on than those that it was created with."""
    result = request.proceed()
    arn = request.parameters["ListenerArn"]
    for balancer in request.elbv2.load_balancers.values():
        if arn in balancer.listeners:
            vars(balancer.listeners[arn]).pop("creation", None)
    return result
