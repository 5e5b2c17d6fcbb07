# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which targets fit into which kind of target group; pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Request,
    TargetGroup,
    Wish,
)

INSTANCE = re.compile(r"^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$")
FUNCTION = re.compile(r"^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_.-]+(?::[A-Za-z0-9$_-]+)?$")
LOAD_BALANCER = re.compile(r"^arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/[^/]+/[0-9a-z]+$")
NAMES = {
    "instance": "the id of an instance (i-0123…)",
    "ip": "an IP address",
    "lambda": "the ARN of a Lambda function",
    "alb": "the ARN of an Application Load Balancer",
}
# The one port of the protocol of Gateway Load Balancers.
GENEVE_PORT = 6081


def misfits(request: Request, groups: Sequence[TargetGroup]) -> list[str]:
    """Everything that does not fit into its group, in words."""
    return [finding for group in groups for finding in _problems(request, group)]


def _problems(request: Request, group: TargetGroup) -> Iterator[str]:
    for wish in request.wishes:
        problem = _problem(wish, group)
        if problem:
            yield f"{wish.place}: {problem}"
    number = len({wish.id for wish in request.wishes})
    if request.present and group.single and number > 1:
        yield f"targets: target group {group.name} (target type {group.kind}) takes one target, not {number}"


def _problem(wish: Wish, group: TargetGroup) -> str:
    asks = f"target group {group.name} (target type {group.kind})"
    if not _fits(wish.id, group):
        return f"{wish.id} is not {NAMES[group.kind]}{_version(group)}, as {asks} wants"
    if wish.port is not None and group.kind == "lambda":
        return f"{wish.id} has a port, which {asks} does not know"
    if wish.port is not None and wish.port != group.port and group.kind == "alb":
        return f"port {wish.port} is not {group.port}, the port of {asks}, with which its target has to be registered"
    if wish.port not in (None, GENEVE_PORT) and group.protocol == "GENEVE":
        return f"port {wish.port} is not {GENEVE_PORT}, the only one of {asks} with the protocol GENEVE"
    if wish.zone and (group.kind in ("instance", "alb") or (group.kind == "lambda" and wish.zone != "all")):
        return f"{wish.id} has the availability zone {wish.zone}, which {asks} does not take"
    return ""


def _fits(identifier: str, group: TargetGroup) -> bool:
    if group.kind == "ip":
        try:
            version = ipaddress.ip_address(identifier).version
        except ValueError:
            return False
        return version == (6 if group.address_type == "ipv6" else 4)
    forms = {"instance": INSTANCE, "lambda": FUNCTION, "alb": LOAD_BALANCER}
    return bool(forms[group.kind].match(identifier))


def _version(group: TargetGroup) -> str:
    if group.kind != "ip":
        return ""
    return " of version 6" if group.address_type == "ipv6" else " of version 4"
