# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a behavior is put around an operation of moto."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore import xform_name
from moto.acm.responses import AWSCertificateManagerResponse
from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.core.utils import convert_to_flask_response
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response
from moto.elb.responses import ELBResponse
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import elbv2_backends
from moto.elbv2.responses import ELBV2Response
from moto.route53.exceptions import Route53ClientError
from moto.route53.responses import Route53
from moto.servicequotas.responses import ServiceQuotasResponse

from lab.cloud.calls import ELBV2
from lab.cloud.strict import bucket_policies, xml


@dataclass
class Request:
    """One call on its way through the behaviors. ``parameters`` may be changed before ``proceed()``."""

    cloud: Any
    response: Any
    operation: str
    parameters: dict[str, Any]
    proceed: Callable[[], Any]

    @property
    def account(self) -> str:
        return str(self.response.current_account)

    @property
    def ec2(self) -> Any:
        """moto's model of EC2 in the caller's account and region."""
        return ec2_backends[self.account][self.response.region]

    @property
    def elbv2(self) -> Any:
        """moto's model of the load balancers in the caller's account and region."""
        return elbv2_backends[self.account][self.response.region]

    def ec2_of(self, account: str) -> Any:
        """moto's model of EC2 in another account."""
        return ec2_backends[account][self.response.region]


# A behavior gets the request and gives the result as plain data. It calls proceed() for what is further inside.
Behavior = Callable[[Request], Any]
BEHAVIORS: dict[str, dict[str, list[Behavior]]] = defaultdict(lambda: defaultdict(list))
RESPONSES: dict[str, Any] = {
    "acm": AWSCertificateManagerResponse,
    "autoscaling": AutoScalingResponse,
    "ec2": EC2Response,
    "elbv2": ELBV2Response,
    "route53": Route53,
    "service-quotas": ServiceQuotasResponse,
}
# Operations whose results are plain data and large.
PLAIN = ("DescribeSecurityGroups", "DescribeSecurityGroupRules")
ERRORS: dict[str, Any] = {
    "acm": JsonRESTError,
    "autoscaling": AutoscalingClientError,
    "ec2": EC2ClientError,
    "elbv2": ELBClientError,
    "route53": Route53ClientError,
    "service-quotas": JsonRESTError,
}


def strict(service: str, *operations: str, outermost: bool = False) -> Callable[[Behavior], Behavior]:
    """Put a behavior around operations of a service; an outermost one sees the call before the others."""

    def register(behavior: Behavior) -> Behavior:
        for operation in operations:
            layers = BEHAVIORS[service][operation]
            layers.insert(0 if outermost else len(layers), behavior)
        return behavior

    return register


class RefusalError(Exception):
    """The error that AWS answers."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def refuse(code: str, message: str) -> RefusalError:
    """The error that AWS answers, to be raised."""
    return RefusalError(code, message)


def install(cloud: Any, application: Any, service: str) -> None:
    """Let one of moto's applications answer strictly. ``service`` is moto's name of it."""
    if service in ("elb", "elbv2"):
        view = convert_to_flask_response(partial(by_version, strict_class(cloud, "elbv2").dispatch))
    elif (name := {"servicequotas": "service-quotas"}.get(service, service)) in RESPONSES:
        view = convert_to_flask_response(strict_class(cloud, name).dispatch)
    elif service == "s3":
        bucket_policies.leave_unevaluated(application)
        return
    else:
        return
    for endpoint in application.view_functions:
        application.view_functions[endpoint] = view


def by_version(elbv2: Any, request: Any, *arguments: Any, **named: Any) -> Any:
    """The two services named elasticloadbalancing share an application."""
    answer = elbv2 if request.values.get("Version") == ELBV2 else ELBResponse.dispatch
    return answer(request, *arguments, **named)


def strict_class(cloud: Any, service: str) -> Any:
    """moto's response class with the behaviors of a service around its operations."""
    base = RESPONSES[service]
    methods = {
        xform_name(operation): layered(cloud, service, operation, behaviors)
        for operation, behaviors in BEHAVIORS[service].items()
    }
    return type(f"Strict{base.__name__}", (base,), methods)


def layered(cloud: Any, service: str, operation: str, behaviors: list[Behavior]) -> Callable[[Any], Any]:
    """A method of a response class: the behaviors, and inside of them moto's own method if there is one."""
    own = getattr(RESPONSES[service], xform_name(operation), None)

    def answer(self: Any) -> Any:
        if getattr(self, "params", {}).get("DryRun"):
            self.error_on_dryrun()

        def layer(depth: int) -> Any:
            if depth == len(behaviors):
                return plain(own(self)) if own else None
            request = Request(cloud, self, operation, parameters(self), partial(layer, depth + 1))
            return behaviors[depth](request)

        try:
            result = layer(0)
        except RefusalError as refused:
            # Each service of moto has its own kind of error.
            raise ERRORS[service](refused.code, refused.message) from None
        if operation in PLAIN:
            return xml.answer(operation, result)
        return result if isinstance(result, str) else ActionResult(result)

    return answer


def parameters(response: Any) -> dict[str, Any]:
    """What was asked; the same dictionary that moto reads."""
    if not response.automated_parameter_parsing:
        return dict(response._get_params()) or {}
    found: dict[str, Any] = response.params
    return found


def plain(result: Any) -> Any:
    """What an operation of moto gave, without its wrapping."""
    return result.result if isinstance(result, ActionResult) else result
