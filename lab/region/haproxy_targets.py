# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target groups as backends of HAProxy.

Each is two: one with the targets that pass their health checks, and one with all of them for when there is none
("fail open"). A target that is new stays in forced drain, which its checks do not mind, until somebody has seen it
pass (``lab.region.load_balancer``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lab.region.haproxy_rules import backend, digest, quoted
from lab.region.state_load_balancer import HealthCheck, Node, Target, TargetGroup

# "The load balancer failed to establish a connection to the target before the connection timeout expired (10 seconds)":
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
CONNECT = 10
OPEN = ".open"
COOKIE, APPLICATION_COOKIE = "AWSALB", "AWSALBAPP-0"
ALGORITHMS = {"least_outstanding_requests": "leastconn", "weighted_random": "random"}


def backends(group: TargetGroup, node: Node) -> list[list[str]]:
    """The backend of those that pass their checks, and the one of all."""
    name, mine = backend(group.arn), [target for target in group.targets if is_for(target, group, node)]
    there = [target for target in mine if not target.draining]
    shared = [f"balance {ALGORITHMS.get(group.attributes.get('load_balancing.algorithm.type', ''), 'roundrobin')}"]
    shared += stickiness(group, there)
    fails = "errorfile 503 errors/502.http"
    checked = [
        f"backend {name}",
        "log global",
        f"timeout connect {min(CONNECT, group.check.timeout)}s",
        *health_check(group.check),
        *shared,
        fails,
        *(server(target, group, checked=True) for target in mine),
    ]
    unchecked = [f"backend {name}{OPEN}", *shared, *(server(target, group, checked=False) for target in there)]
    return [checked, [*unchecked, fails] if there else [*unchecked, "http-request deny deny_status 503"]]


def is_for(target: Target, group: TargetGroup, node: Node) -> bool:
    """Whether a node sends requests to a target: with cross-zone load balancing to all, else to those of its zone."""
    across = group.attributes.get("load_balancing.cross_zone.enabled") != "false"
    return across or target.zone in (node.zone, "all")


def health_check(check: HealthCheck) -> list[str]:
    headers = 'hdr Host "%[srv_name,field(2,_)]" hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close'
    return [
        "option log-health-checks",
        "option httpchk",
        f"http-check send meth GET uri {quoted(check.path)} ver HTTP/1.1 {headers}",
        f"http-check expect status {check.matcher}",
        f"timeout check {check.timeout}s",
    ]


def stickiness(group: TargetGroup, targets: Iterable[Target]) -> Iterator[str]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#sticky-sessions"""
    if group.attributes.get("stickiness.enabled") != "true":
        return
    if group.attributes.get("stickiness.type") == "app_cookie":
        seconds = group.attributes.get("stickiness.app_cookie.duration_seconds", "86400")
        name = group.attributes.get("stickiness.app_cookie.cookie_name", "")
        value = f"{APPLICATION_COOKIE}=%[srv_name]; Max-Age={seconds}; Path=/"
        yield f"http-response add-header Set-Cookie {quoted(value)} if {{ res.cook({name}) -m found }}"
        for target in targets:
            named = server_name(target)
            yield f"use-server {named} if {{ req.cook({APPLICATION_COOKIE}) -m str {named} }}"
    else:
        seconds = group.attributes.get("stickiness.lb_cookie.duration_seconds", "86400")
        yield f'cookie {COOKIE} insert indirect maxlife {seconds}s attr "Max-Age={seconds}"'


def server(target: Target, group: TargetGroup, checked: bool) -> str:
    words = [f"server {server_name(target)} {target.address}:{target.port}"]
    words += ["ssl verify none"] if group.protocol == "HTTPS" else []
    words += ["proto h2"] if group.version in ("HTTP2", "GRPC") else []
    if group.attributes.get("stickiness.enabled") == "true":
        words += [f"cookie {digest(server_name(target))}"]
    return " ".join([*words, *(checking(target, group) if checked else [])])


def checking(target: Target, group: TargetGroup) -> Iterator[str]:
    """The server's part of the health check. One that drains gets neither checks nor new requests."""
    check = group.check
    port = target.port if check.port == "traffic-port" else check.port
    tls = "check-ssl verify none" if check.protocol == "HTTPS" else "no-check-ssl"
    yield f"check port {port} {tls} inter {check.interval}s rise {check.healthy} fall {check.unhealthy}"
    if (seconds := group.attributes.get("slow_start.duration_seconds", "0")) != "0":
        yield f"slowstart {seconds}s"
    if target.draining:
        yield "disabled"


def server_name(target: Target) -> str:
    """What HAProxy calls a target; what follows the underscore is the Host that health checks ask for."""
    return f"{target.id}_{target.address}:{target.port}"
