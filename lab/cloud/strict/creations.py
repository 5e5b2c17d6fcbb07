# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name has one load balancer, and a port of it one listener: each is created once, however often it is asked for.

"This operation is idempotent, which means that it completes at most one time. If you attempt to create multiple load
balancers with the same settings, each call succeeds."
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from lab.cloud.strict.behavior import RefusalError, Request, refuse, strict

# What a resource was created with, and what was answered, until its settings change.
CREATION = "creation"


@strict("elbv2", "CreateLoadBalancer")
def create_load_balancer(request: Request) -> Any:
    """moto makes another one of the same name."""
    name = request.parameters["Name"]
    text = f"A load balancer with the same name '{name}' exists, but with different settings"
    return _once(
        request,
        lambda: (one for one in request.elbv2.load_balancers.values() if one.name == name),
        refuse("DuplicateLoadBalancerName", text),
    )


@strict("elbv2", "CreateListener")
def create_listener(request: Request) -> Any:
    """moto makes another one on the same port."""
    balancer = request.elbv2.load_balancers.get(request.parameters["LoadBalancerArn"])
    listeners = balancer.listeners if balancer else {}
    port = int(request.parameters["Port"])
    text = f"A listener already exists on this port for this load balancer '{request.parameters['LoadBalancerArn']}'"
    return _once(
        request,
        lambda: (one for one in listeners.values() if int(one.port) == port),
        refuse("DuplicateListener", text),
    )


def _once(request: Request, twins: Callable[[], Iterable[Any]], refusal: RefusalError) -> Any:
    asked = copy.deepcopy(request.parameters)
    for twin in twins():
        before, answer = vars(twin).get(CREATION, (None, None))
        if before == asked:
            return answer
        raise refusal
    result = request.proceed()
    for made in twins():
        setattr(made, CREATION, (asked, result))
    return result


@strict("elbv2", "ModifyListener", "SetSubnets", "SetSecurityGroups", "SetIpAddressType")
def change(request: Request) -> Any:
    """It may have other settings from then on than those that it was created with."""
    result = request.proceed()
    balancers = list(request.elbv2.load_balancers.values())
    arn = request.parameters.get("ListenerArn") or request.parameters.get("LoadBalancerArn")
    for one in [*balancers, *(listener for balancer in balancers for listener in balancer.listeners.values())]:
        if one.arn == arn:
            vars(one).pop(CREATION, None)
    return result
