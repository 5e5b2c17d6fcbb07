# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application Load Balancers, their listeners, rules and target groups: what the API says, as data.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Types.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Id and port: what tells a target of a group from the others.


@dataclass(frozen=True)
class Node:
    """A load balancer's place in one zone, with the id and the private address of its network interface."""

    zone: str
    subnet: str
    interface: str
    address: str


@dataclass(frozen=True)
class Forward:
    """Target groups by ARN, with their weights. sticky: seconds that a client stays with its group, or none."""

    groups: tuple[tuple[str, int], ...]
    sticky: int | None = None


@dataclass(frozen=True)
class Redirect:
    """Parts of the location, with AWS's placeholders in them."""

    protocol: str
    host: str
    port: str
    path: str
    query: str
    status: int


@dataclass(frozen=True)
class FixedResponse:
    status: int
    content_type: str
    body: str


@dataclass(frozen=True)
class Unsupported:
    """An action that the lab has not: the request is answered with 501."""

    kind: str


Action = Forward | Redirect | FixedResponse | Unsupported


@dataclass(frozen=True)
class Condition:
    """One of ``values`` has to match. Each has a key: the name of the header, or of a part of the query, or ''."""

    field: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rule:
    """All conditions have to match. priority: a number, or default."""

    priority: str
    conditions: tuple[Condition, ...]
    action: Action


@dataclass(frozen=True)
class TlsPolicy:
    """Names as OpenSSL has them: TLSv1.2; ECDHE-RSA-AES128-GCM-SHA256."""

    protocols: tuple[str, ...]
    ciphers: tuple[str, ...]


@dataclass(frozen=True)
class Listener:
    """rules: by priority, the default one last. certificates: ARNs, the default one first."""

    arn: str
    protocol: str
    port: int
    rules: tuple[Rule, ...]
    certificates: tuple[str, ...] = ()
    policy: TlsPolicy | None = None


@dataclass(frozen=True)
class LoadBalancer:
    arn: str
    name: str
    vpc: str
    nodes: tuple[Node, ...]
    listeners: tuple[Listener, ...]
    attributes: Mapping[str, str]
    security_groups: tuple[str, ...] = ()
    dns_name: str = ""


@dataclass(frozen=True)
class HealthCheck:
    """port: traffic-port, or a number. matcher: status codes as 200,202 or 200-299. Times are in seconds."""

    protocol: str
    port: str
    path: str
    matcher: str
    interval: int
    timeout: int
    healthy: int
    unhealthy: int


@dataclass(frozen=True)
class Target:
    """A registered target that the load balancer can reach, or one that drains."""

    id: str
    port: int
    address: str
    zone: str
    draining: bool = False


@dataclass(frozen=True)
class TargetGroup:
    arn: str
    name: str
    protocol: str
    version: str
    check: HealthCheck
    attributes: Mapping[str, str]
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class LoadBalancers:
    """What the API says. groups: those that a listener uses, by ARN. certificates: PEM chains by ARN, without keys."""

    balancers: tuple[LoadBalancer, ...]
    groups: Mapping[str, TargetGroup]
    certificates: Mapping[str, str]
