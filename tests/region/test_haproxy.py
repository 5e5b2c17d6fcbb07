# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that load balancers become: HAProxy itself says whether it is valid; some lines by what they must say."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.cloud import ControlPlane
from lab.cloud.strict import lifecycle
from lab.region import haproxy_servers, load_balancer
from lab.region.haproxy_process import write
from lab.region.haproxy_rules import matches, redirect, wildcards
from lab.region.read_load_balancer import tls_policy
from lab.region.state_load_balancer import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    LoadBalancers,
    Node,
    Redirect,
    Rule,
    Target,
    TargetGroup,
    TlsPolicy,
    Unsupported,
)

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:"
WEB, API = f"{ARN}targetgroup/web/73e2d6bc24d8a067", f"{ARN}targetgroup/api/83e2d6bc24d8a068"
CHECK = HealthCheck("HTTP", "traffic-port", "/health?a=$b", "200-299,301", 10, 5, 3, 2)
NODE = Node("eu-central-1a", "subnet-1", "eni-1", "10.0.0.10")
CHECKED = "web.73e2d6bc24d8a067"


def group(arn: str = WEB, *targets: Target, **attributes: str) -> TargetGroup:
    return TargetGroup(arn, "web", "HTTP", "HTTP1", CHECK, attributes, targets)


def target(number: int, draining: bool = False, zone: str = "eu-central-1a") -> Target:
    return Target(f"i-{number}", 8080, f"10.0.1.{number}", zone, draining)


def state(*rules: Rule, groups: list[TargetGroup] | None = None, **balancer: Any) -> LoadBalancers:
    default = Rule("default", (), Forward(((WEB, 1),)))
    made = LoadBalancer(
        f"{ARN}loadbalancer/app/shop/50dc6c495c0c9188",
        "shop",
        "vpc-1",
        (NODE,),
        (Listener(f"{ARN}listener/1", "HTTP", 80, (*rules, default)),),
        {},
    )
    listed = groups or [group(WEB, target(1), target(2))]
    return LoadBalancers((dataclasses.replace(made, **balancer),), {found.arn: found for found in listed}, {})


def text(found: LoadBalancers) -> str:
    return load_balancer.wanted(found)[0].files["haproxy.cfg"]


def of_backend(found: LoadBalancers, name: str) -> list[str]:
    """The lines of a backend."""
    section = text(found).partition(f"backend {name}\n")[2].partition("\n\n")[0]
    return [line.strip() for line in section.partition("\nbackend")[0].splitlines()]


ACTIONS: list[Action] = [
    Forward(((WEB, 1),)),
    Forward(((WEB, 30), (API, 70)), sticky=60),
    Forward(((WEB, 0), (API, 1))),
    Redirect("HTTPS", "#{host}", "443", "/#{path}", "#{query}", 301),
    Redirect("#{protocol}", "new.#{host}", "#{port}", "/100%/#{path}", "a=b&#{query}", 302),
    FixedResponse(503, "text/html", '<p class="x">it\'s $5, 100% \\\nlater</p>'),
    FixedResponse(204, "text/plain", ""),
    Unsupported("authenticate-oidc"),
]
CONDITIONS = [
    Condition("host-header", (("", "*.example.com"), ("", "example.com"))),
    Condition("path-pattern", (("", "/img/*"), ("", "/a'b\"c$d~@:+&?"))),
    Condition("http-header", (("User-Agent", "*Chrome*"), ("User-Agent", "curl (*)"))),
    Condition("http-request-method", (("", "GET"), ("", "HEAD"))),
    Condition("source-ip", (("", "10.0.0.0/8"), ("", "2001:db8::/32"))),
    Condition("query-string", (("version", "v?"), ("", "*beta*"))),
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
def test_every_action_is_valid_behind_every_condition(action: Action, tmp_path: Path) -> None:
    rules = [Rule(str(number + 1), (found,), action) for number, found in enumerate(CONDITIONS)]
    found = state(*rules, Rule("50", tuple(CONDITIONS[:5]), action), groups=[group(WEB, target(1)), group(API)])
    write(tmp_path / "node", load_balancer.wanted(found)[0].files)


@pytest.mark.parametrize(
    "attributes",
    [
        {"stickiness.enabled": "true", "stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": "90"},
        {"stickiness.enabled": "true", "stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "session"},
        {"load_balancing.algorithm.type": "least_outstanding_requests", "slow_start.duration_seconds": "30"},
        {"load_balancing.algorithm.type": "weighted_random"},
    ],
)
@pytest.mark.parametrize(("protocol", "version"), [("HTTP", "HTTP1"), ("HTTP", "HTTP2"), ("HTTPS", "HTTP1")])
def test_every_attribute_of_a_target_group_is_valid(
    attributes: dict[str, str], protocol: str, version: str, tmp_path: Path
) -> None:
    made = group(WEB, target(1), target(2, draining=True), **attributes)
    check = dataclasses.replace(CHECK, protocol="HTTPS", port="9000")
    found = state(groups=[dataclasses.replace(made, protocol=protocol, version=version, check=check)])
    write(tmp_path / "node", load_balancer.wanted(found)[0].files)


@pytest.mark.parametrize(
    "attributes",
    [
        {"routing.http.xff_header_processing.mode": "remove"},
        {"routing.http.xff_header_processing.mode": "preserve", "idle_timeout.timeout_seconds": "4000"},
        {
            "routing.http.xff_client_port.enabled": "true",
            "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "true",
        },
    ],
)
def test_every_attribute_of_a_load_balancer_is_valid(attributes: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "node", load_balancer.wanted(state(attributes=attributes))[0].files)


def test_what_haproxy_refuses_never_takes_the_place_of_what_it_has(tmp_path: Path) -> None:
    files = dict(load_balancer.wanted(state())[0].files)
    write(tmp_path / "node", files)
    with pytest.raises(Exception, match="haproxy"):
        write(tmp_path / "node", {**files, "haproxy.cfg": f"{files['haproxy.cfg']}\nbackend web\n  nonsense\n"})
    assert (tmp_path / "node" / "haproxy.cfg").read_text(encoding="utf-8") == files["haproxy.cfg"]
    assert [path.name for path in tmp_path.iterdir()] == ["node"]


def test_a_draining_target_gets_nothing_and_is_not_opened_to_either() -> None:
    found = state(groups=[group(WEB, target(1), target(2, draining=True))])
    servers = [line for line in of_backend(found, CHECKED) if line.startswith("server ")]
    assert [line.endswith(" disabled") for line in servers] == [False, True]
    assert [line.split()[1] for line in of_backend(found, f"{CHECKED}.open") if line.startswith("server ")] == [
        "i-1_10.0.1.1:8080"
    ]


def test_without_cross_zone_balancing_a_node_keeps_to_its_zone() -> None:
    targets = [target(1), target(2, zone="eu-central-1b"), target(3, zone="all")]
    attributes = {"load_balancing.cross_zone.enabled": "false"}
    made = load_balancer.wanted(state(groups=[group(WEB, *targets, **attributes)]))[0]
    assert sorted(name for _arn, name, _port in made.servers.values()) == ["i-1", "i-3"]


def test_a_listener_without_its_certificate_is_left_out() -> None:
    policy = TlsPolicy(("TLSv1.2",), ("ECDHE-RSA-AES128-GCM-SHA256",))
    rules = (Rule("default", (), FixedResponse(200, "text/plain", "ok")),)
    listeners = (Listener("a", "HTTPS", 443, rules, ("cert",), policy), Listener("b", "HTTP", 80, rules))
    found = state(listeners=listeners)
    assert "frontend https-443" not in text(found)
    assert "frontend http-80" in text(found)
    assert "frontend https-443" in text(dataclasses.replace(found, certificates={"cert": "PEM"}))


def test_the_version_tells_configurations_and_certificates_apart() -> None:
    versions = {
        load_balancer.wanted(found)[0].version
        for found in (state(), state(), state(groups=[group(WEB, target(1))]), state(attributes={"a": "b"}))
    }
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("pattern", "regular"), [("/a.b", r"/a\.b"), ("/img/*", "/img/.*"), ("v?", "v."), ("a+(b)", r"a\+\(b\)")]
)
def test_only_asterisk_and_question_mark_are_wildcards(pattern: str, regular: str) -> None:
    assert wildcards(pattern, ".") == regular


def test_hosts_and_headers_ignore_case_and_paths_do_not() -> None:
    assert [" -i " in matches(found) for found in CONDITIONS] == [True, False, True, False, False, True]


def test_a_redirect_asks_for_the_query_only_where_there_is_one() -> None:
    listener = Listener("a", "HTTP", 80, ())
    lines = list(redirect(Redirect("HTTPS", "#{host}", "443", "/#{path}", "#{query}", 301), "T", listener))
    assert [line.split(" hdr ")[2].partition(" if ")[0] for line in lines] == [
        'Location "https://%[req.hdr(host),host_only]:443/%[path,bytes(1)]?%[query]"',
        'Location "https://%[req.hdr(host),host_only]:443/%[path,bytes(1)]"',
    ]


STATISTICS = """\
# pxname,svname,status,check_status,check_code
http-80,FRONTEND,OPEN,,
web,a,UP,L7OK,200
web,b,DRAIN,* L7OK,200
web,c,DRAIN,INI,
web,d,DOWN 1/3,L7STS,500
web,e,DOWN,L7TOUT,
web,f,DOWN,L4CON,
web,g,DOWN,L4TOUT,
web,h,MAINT,,
web,i,DRAIN,L4CON,
web,j,UP 1/2,L4CON,
web,k,DOWN,INI,
web.open,a,no check,,
web,BACKEND,UP,,
"""


def test_what_haproxy_found_is_told_in_the_words_of_aws() -> None:
    found = {server.name.removeprefix("web/"): server for server in haproxy_servers.observed(STATISTICS)}
    assert {name: server.health for name, server in found.items()} == {
        "a": lifecycle.HEALTHY,
        "b": lifecycle.HEALTHY,
        "c": lifecycle.CHECKING,
        "d": lifecycle.unhealthy(500),
        "e": lifecycle.unhealthy("timeout"),
        "f": lifecycle.unhealthy("refused"),
        "g": lifecycle.unhealthy("timeout"),
        "h": None,
        "i": lifecycle.CHECKING,
        "j": lifecycle.HEALTHY,
        "k": None,
    }
    assert [name for name, server in found.items() if server.passed] == ["b"]


def test_servers_keep_their_state_and_those_that_were_not_in_use_begin_anew() -> None:
    first = haproxy_servers.remembered("", ["web/i-1_10.0.1.1:80", "web/i-2_10.0.1.2:80"])
    lines = haproxy_servers.states(first)
    assert [line.split()[5:7] for line in lines.values()] == [["2", "8"], ["2", "8"]]
    down = first.replace("i-1_10.0.1.1:80 10.0.1.1 2 8", "i-1_10.0.1.1:80 10.0.1.1 0 0")
    maintained = down.replace("i-2_10.0.1.2:80 10.0.1.2 2 8", "i-2_10.0.1.2:80 10.0.1.2 2 4")
    after = haproxy_servers.states(haproxy_servers.remembered(maintained, lines))
    assert [line.split()[5:7] for line in after.values()] == [["0", "0"], ["2", "8"]]


@pytest.mark.parametrize("policy", ["ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-2-2021-06"])
def test_policies_are_what_openssl_knows(policy: str, tmp_path: Path) -> None:
    with ControlPlane() as cloud:
        read = tls_policy(cloud.client("elbv2"), policy)
    rules = (Rule("default", (), FixedResponse(200, "text/plain", "ok")),)
    listener = Listener("a", "HTTPS", 443, rules, ("cert",), read)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    key, chain = tmp_path / "key", tmp_path / "chain"
    subprocess.run([*command, "-subj", "/CN=a", "-keyout", key, "-out", chain], check=True, capture_output=True)
    found = dataclasses.replace(state(listeners=(listener,)), certificates={"cert": chain.read_text()})
    made = load_balancer.wanted(found)[0]
    keys = {path: made.files[path] + key.read_text() for path in made.certificates}
    write(tmp_path / "node", {**made.files, **keys})
