# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of one node of a load balancer, as text for HAProxy 2.6. All paths are relative to its folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lab.region.haproxy_rules import backend, digest, rules
from lab.region.haproxy_targets import CONNECT, OPEN, backends
from lab.region.state_load_balancer import Forward, Listener, LoadBalancer, LoadBalancers, Node

ERRORS = {400: "Bad Request", 502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
# How HAProxy writes down what it knows of servers, so that a new process knows it.
SERVERS = "servers"
# Where HAProxy says that a health check had another result: a socket beside the folders of all nodes.
EVENTS = "events"
PROCESS = [
    "global",
    f"log unix@../{EVENTS} format raw local0 info",
    "nbthread 1",
    "maxconn 2000",
    "max-spread-checks 500",
    f"server-state-file {SERVERS}",
    "hard-stop-after 1h",
]


def configuration(balancer: LoadBalancer, node: Node, state: LoadBalancers) -> str:
    """haproxy.cfg of a node. A listener whose certificate is not there is left out."""
    listeners = usable(balancer, state)
    idle = balancer.attributes.get("idle_timeout.timeout_seconds", "60")
    sections = [PROCESS, defaults(idle)]
    sections += [frontend(balancer, found) for found in listeners]
    for arn in used(listeners):
        if group := state.groups.get(arn):
            sections += backends(group, node)
    return "\n".join(f"{title}\n" + "".join(f"  {line}\n" for line in lines) for title, *lines in sections)


def error_files() -> dict[str, str]:
    """What HAProxy says when it answers by itself, by path. A connection to a target that fails is 503 in its eyes."""
    return {f"errors/{status}.http": error_file(status, reason) for status, reason in ERRORS.items()}


def error_file(status: int, reason: str) -> str:
    title = f"{status} {reason}"
    return (
        f"HTTP/1.1 {title}\r\nServer: awselb/2.0\r\nContent-Type: text/html\r\n\r\n"
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n</body>\n</html>\n"
    )


def certificate_lists(balancer: LoadBalancer, state: LoadBalancers) -> dict[str, str]:
    """The certificates of each secure listener, by the path of the list; the default one first."""
    return {
        f"certificates-{found.port}": "".join(
            f"{certificate_file(arn)}\n" for arn in found.certificates if arn in state.certificates
        )
        for found in usable(balancer, state)
        if found.protocol == "HTTPS"
    }


def certificate_file(arn: str) -> str:
    return f"certificates/{digest(arn)}.pem"


def usable(balancer: LoadBalancer, state: LoadBalancers) -> list[Listener]:
    """The listeners that have what they need."""
    return [
        found
        for found in balancer.listeners
        if found.protocol == "HTTP" or set(found.certificates[:1]) & state.certificates.keys()
    ]


def used(listeners: Iterable[Listener]) -> list[str]:
    """The ARNs of the target groups that rules lead to."""
    actions = (rule.action for listener in listeners for rule in listener.rules)
    return sorted({arn for found in actions if isinstance(found, Forward) for arn, _weight in found.groups})


def defaults(idle: str) -> list[str]:
    """idle: seconds without a byte after which a connection ends."""
    return [
        "defaults",
        "mode http",
        "retries 0",
        f"timeout connect {CONNECT}s",
        *(f"timeout {kind} {idle}s" for kind in ("client", "server", "tunnel", "http-request", "http-keep-alive")),
        "load-server-state-from-file global",
        *(f"errorfile {status} errors/{status}.http" for status in ERRORS),
    ]


def frontend(balancer: LoadBalancer, listener: Listener) -> list[str]:
    groups = [backend(arn) for arn in used([listener])]
    return [
        f"frontend {listener.protocol.lower()}-{listener.port}",
        f"bind :{listener.port}{secure(balancer, listener)}",
        # A client that was about to send its next request on an idle connection gets an answer in a reload.
        "option idle-close-on-response",
        'unique-id-format "Root=1-%{+X}Ts-%[uuid,regsub(-,,g),bytes(0,24)]"',
        *rules(listener),
        *forwarded(balancer),
        "http-response add-header Set-Cookie %[var(txn.group_cookie)] if { var(txn.group_cookie) -m found }",
        *(
            line
            for name in groups
            for line in (
                f"use_backend {name} if {{ var(txn.group) -m str {name} }} {{ nbsrv({name}) gt 0 }}",
                f"use_backend {name}{OPEN} if {{ var(txn.group) -m str {name} }}",
            )
        ),
    ]


def secure(balancer: LoadBalancer, listener: Listener) -> str:
    """What a TLS listener adds to its address. A client that names no known host gets the default certificate."""
    if listener.protocol != "HTTPS":
        return ""
    http2 = balancer.attributes.get("routing.http2.enabled", "true") == "true"
    words = [f" ssl crt-list certificates-{listener.port} alpn {'h2,' if http2 else ''}http/1.1"]
    if policy := listener.policy:
        protocols = sorted(protocol for protocol in policy.protocols if protocol.startswith("TLS"))
        protocols = [{"TLSv1": "TLSv1.0"}.get(protocol, protocol) for protocol in protocols]
        new = [cipher for cipher in policy.ciphers if cipher.startswith("TLS_")]
        old = [cipher for cipher in policy.ciphers if not cipher.startswith("TLS_")]
        # Below TLS 1.2 OpenSSL wants to be told twice.
        weak = ["@SECLEVEL=0"] if "TLSv1.0" in protocols or "TLSv1.1" in protocols else []
        words += [f"ssl-min-ver {min(protocols)} ssl-max-ver {max(protocols)}"]
        words += [f"ciphers {':'.join([*old, *weak])}"] if old else []
        words += [f"ciphersuites {':'.join(new)}"] if new else []
    return " ".join(words)


def forwarded(balancer: LoadBalancer) -> Iterator[str]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html"""
    mode = balancer.attributes.get("routing.http.xff_header_processing.mode", "append")
    port = balancer.attributes.get("routing.http.xff_client_port.enabled", "false") == "true"
    client = "%[src]:%[src_port]" if port else "%[src]"
    if mode == "append":
        yield "http-request set-var(txn.forwarded) req.fhdr(x-forwarded-for)"
        before = "{ var(txn.forwarded) -m found }"
        yield f'http-request set-header X-Forwarded-For "%[var(txn.forwarded)], {client}" if {before}'
        yield f'http-request set-header X-Forwarded-For "{client}" unless {before}'
    elif mode == "remove":
        yield "http-request del-header X-Forwarded-For"
    yield "http-request set-header X-Forwarded-Proto https if { ssl_fc }"
    yield "http-request set-header X-Forwarded-Proto http unless { ssl_fc }"
    yield "http-request set-header X-Forwarded-Port %[dst_port]"
    traced = "{ req.hdr(X-Amzn-Trace-Id) -m found }"
    yield f"http-request set-header X-Amzn-Trace-Id %[unique-id] unless {traced}"
    if balancer.attributes.get("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false") == "true":
        yield "http-request set-header X-Amzn-Tls-Version %[ssl_fc_protocol] if { ssl_fc }"
        yield "http-request set-header X-Amzn-Tls-Cipher-Suite %[ssl_fc_cipher] if { ssl_fc }"
