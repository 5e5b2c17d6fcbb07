# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the platform's list of services to target groups, listeners and the certificate of its load balancer; pure.

A service is behind the load balancer when it says where it listens to it (``listen``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _public
from ansible_collections.gatehouse.platform.plugins.module_utils._names import PublicNameError, public_names

Service = Mapping[str, Any]
LOAD_BALANCER_KEYS = frozenset(
    {
        "access", "access_logs", "algorithm", "certificate", "deletion_protection", "deregistration_delay",
        "health_check", "https", "idle_timeout", "responses", "scheme", "slow_start", "stickiness", "tls_policy",
    }
)  # fmt: skip
CERTIFICATE_KEYS = ("arn", "import", "request")
NOTHING_HERE = {"respond": {"status": 404, "type": "text/plain", "body": "Not found"}}
TO_HTTPS = {"redirect": {"protocol": "HTTPS", "port": "443", "status": 301}}


class LoadBalancerError(Exception):
    """Something that the user has to know; ``str()`` is the whole message."""


def target_groups(services: Sequence[Service], load_balancer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One target group per service behind the load balancer; what a service does not say the load balancer's says."""
    _refuse(_findings(services, "", load_balancer))
    return [_target_group(service, load_balancer) for service in services if service.get("listen")]


def _target_group(service: Service, common: Mapping[str, Any]) -> dict[str, Any]:
    path, status = _public.health(service)
    told = {"path": path, "codes": str(status)}
    group = {
        "name": service["name"],
        "port": int(service["listen"]),
        "health_check": {**told, **(common.get("health_check") or {}), **(service.get("health_check") or {})},
    }
    for key in ("deregistration_delay", "slow_start", "algorithm", "stickiness"):
        value = service.get(key, common.get(key))
        if value is not None:
            group[key] = {"seconds": int(value)} if key == "stickiness" and not isinstance(value, Mapping) else value
    return group


def listeners(services: Sequence[Service], domain: str, load_balancer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Port 80 leads to 443 where there is HTTPS, else it serves. The longest path comes first."""
    _refuse([*_findings(services, domain, load_balancer), *_same_place(services, domain)])
    behind = [service for service in services if service.get("listen")]
    rules = [rule for service in behind for rule in _rules(service, domain)]
    rules += [_response_rule(told, domain) for told in load_balancer.get("responses") or []]
    rules.sort(key=lambda rule: -max((len(path) for path in rule["paths"]), default=0))
    if not _public.https(load_balancer):
        return [{"port": 80, "protocol": "HTTP", "default": NOTHING_HERE, "rules": rules}]
    return [
        {"port": 80, "protocol": "HTTP", "default": TO_HTTPS, "rules": []},
        {"port": 443, "protocol": "HTTPS", "default": NOTHING_HERE, "rules": rules},
    ]


def _rules(service: Service, domain: str) -> Iterator[dict[str, Any]]:
    hosts = list(dict.fromkeys(public_names(service, domain)))
    shares = service.get("traffic") or {service["name"]: 1}
    action = {"forward": [{"target_group": name, "weight": int(weight)} for name, weight in shares.items()]}
    for path in service.get("paths") or [None]:
        yield {"hosts": hosts, "paths": [path] if path else [], "action": action}


def _response_rule(told: Mapping[str, Any], domain: str) -> dict[str, Any]:
    hosts = public_names({"host": told["host"]}, domain) if told.get("host") else []
    answer = {key: told[key] for key in ("status", "type", "body") if key in told}
    return {"hosts": hosts, "paths": list(told.get("paths") or []), "action": {"respond": answer}}


def certificate(services: Sequence[Service], domain: str, load_balancer: Mapping[str, Any]) -> dict[str, Any]:
    """The certificate as the role takes it; one that is requested has all names of the services."""
    _refuse(_findings(services, domain, load_balancer))
    told = load_balancer.get("certificate") or {}
    if not _public.https(load_balancer):
        return {}
    if not _given(told, "request"):
        return {key: told[key] for key in ("arn", "import") if key in told}
    inside = told["request"] if isinstance(told["request"], Mapping) else {}
    told = {**inside, **told}
    behind = [service for service in services if service.get("listen")]
    names = dict.fromkeys(name for service in behind for name in public_names(service, domain))
    domain = domain.lower().rstrip(".")
    ordered = sorted(names, key=lambda name: (name != domain, len(name), name))
    return {"request": {"names": ordered, **{key: told[key] for key in ("zone", "wait") if key in told}}}


def _given(told: Mapping[str, Any], key: str) -> bool:
    """A request may be ``true`` or have its options in it, of which there may be none."""
    return bool(told.get(key)) or told.get(key) == {}


def _refuse(findings: Sequence[str]) -> None:
    if findings:
        raise LoadBalancerError("; ".join(findings))


def _findings(services: Sequence[Service], domain: str, load_balancer: Mapping[str, Any]) -> list[str]:
    found = [
        f"platform_load_balancer has no option '{key}'; known are {', '.join(sorted(LOAD_BALANCER_KEYS))}"
        for key in sorted(set(load_balancer) - LOAD_BALANCER_KEYS)
    ]
    told = load_balancer.get("certificate") or {}
    ways = [key for key in CERTIFICATE_KEYS if _given(told, key)]
    if told and len(ways) != 1:
        found.append(
            f"platform_load_balancer.certificate has one of {', '.join(CERTIFICATE_KEYS)}, not {ways or 'none'}"
        )
    if load_balancer.get("https") and not told:
        found.append("platform_load_balancer.https is true, and there is no platform_load_balancer.certificate")
    known = {service.get("name") for service in services if service.get("listen")}
    for number, service in enumerate(services, 1):
        where = f"service {service.get('name', f'number {number}')}"
        found += [f"{where}: {finding}" for finding in _service_findings(service, domain, known)]
    return found


def _service_findings(service: Service, domain: str, known: set[Any]) -> Iterator[str]:
    if not service.get("listen"):
        if service.get("fleet"):
            yield "'listen' is missing, the port on which its fleet answers the load balancer"
        return
    if not service.get("name"):
        yield "'name' is missing"
    if not isinstance(service.get("health") or {}, Mapping):
        yield f"health is '{service['health']}', and has to be a mapping, like {{path: {service['health']}}}"
    for path in service.get("paths") or []:
        if not str(path).startswith("/"):
            yield f"the path '{path}' does not begin with a slash"
    for name in service.get("traffic") or {}:
        if name not in known:
            yield f"traffic goes to '{name}', and no service of this name has 'listen'"
    if domain:
        try:
            public_names(service, domain)
        except PublicNameError as error:
            yield str(error)


def _same_place(services: Sequence[Service], domain: str) -> Iterator[str]:
    """Hosts with a path that several services claim."""
    owners: dict[tuple[str, str], list[str]] = {}
    for service in services:
        try:
            names = public_names(service, domain) if service.get("listen") else []
        except PublicNameError:
            continue  # told already
        for name in dict.fromkeys(names):
            for path in service.get("paths") or ["/"]:
                owners.setdefault((name, str(path).rstrip("/") or "/"), []).append(str(service.get("name")))
    for (name, path), claimed in owners.items():
        if len(claimed) > 1:
            yield f"{name}{path} belongs to {' and to '.join(claimed)}: give one of them another host, or other paths"
