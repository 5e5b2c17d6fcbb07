# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the input of the role load_balancer, and with what is in its way: sentences. Pure."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer import pem
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.naming import resource_name
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.plan import rule_count
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.shapes import keys, places

Told = Mapping[str, Any]
OWNER = "gatehouse:platform"
# Quotas "Rules per Application Load Balancer" and "Target groups per action": no more without asking AWS.
RULES, GROUPS_AN_ACTION, GROUPS = 100, 5, 100
CERTIFICATE_NAMES = 10
# Policies that take TLS 1.0 or 1.1:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
OLD_TLS = re.compile(r"ELBSecurityPolicy-(2015-05|2016-08|TLS-1-[01]-.*|FS-2018-06|FS-1-1-.*|TLS13-1-[01]-.*)")
ARN = re.compile(r"arn:[\w-]+:(acm|iam)::?[\w:-]*/?.*")


def load_balancer_name(platform: str) -> str:
    return resource_name(platform, "lb")


def findings(given: Told, account: Told, now: datetime.datetime | None = None) -> list[str]:
    """``given`` are the role's variables without their prefix, with the texts of the certificate as ``pem``.

    ``account`` has ``load_balancers`` of the name and ``subnets`` of the ids, as amazon.aws tells them.
    """
    now = now or datetime.datetime.now(datetime.timezone.utc)
    return [
        *_in_the_way(given, account.get("load_balancers") or []),
        *_subnets(given, account.get("subnets") or []),
        *_listeners(given),
        *_counts(given),
        *_certificate(given, now),
    ]


def _in_the_way(given: Told, there: Sequence[Told]) -> Iterator[str]:
    if not given["platform"]:
        yield "load_balancer_platform is missing: the name that everything begins with"
        return
    name = load_balancer_name(given["platform"])
    if name.startswith("internal-"):
        yield f"platform: the load balancer would be called {name}, and AWS keeps names that begin with internal-"
    for one in there:
        if one.get("tags", {}).get(OWNER) != given["platform"]:
            yield (
                f"there is a load balancer {name} that does not carry the tag {OWNER}: {given['platform']}, so that it "
                "is not this platform's: remove it, or give the platform another name"
            )
            continue
        for key, value in (("scheme", given["scheme"]), ("vpc_id", given["vpc_id"])):
            if value and one.get(key) != value:
                yield (
                    f"{key} is {value}, and the load balancer {name} has {one.get(key)}, which AWS cannot change: "
                    "remove it first with load_balancer_state: absent"
                )


def _subnets(given: Told, there: Sequence[Told]) -> Iterator[str]:
    """ "You must specify subnets from at least two Availability Zones." """
    ids = given["subnets"]
    if len(set(ids) - {""}) < 2 and "" not in ids:
        yield f"subnets has {len(set(ids))}, and a load balancer needs two at least, in two zones"
    if not there:
        return
    found = {one.get("subnet_id") or one["id"]: one for one in there}
    missing = [one for one in ids if one and one not in found]
    if missing:
        yield f"subnets: there is no subnet {', '.join(missing)} in this region"
    for zone, count in Counter(one["availability_zone"] for one in found.values()).items():
        if count > 1:
            yield (
                f"subnets has {count} subnets of the zone {zone}, and a load balancer has one of each zone: say which "
                "one, as platform_network.subnets for site.yml"
            )
    for one, told in sorted(found.items()):
        if given["vpc_id"] and told.get("vpc_id") != given["vpc_id"]:
            yield f"subnets: {one} is in {told.get('vpc_id')}, and vpc_id says {given['vpc_id']}"


def _listeners(given: Told) -> Iterator[str]:
    groups = {group["name"] for group in given["target_groups"]}
    ports = Counter(int(listener["port"]) for listener in given["listeners"])
    yield from (f"listeners: there are {count} on port {port}" for port, count in ports.items() if count > 1)
    for listener in given["listeners"]:
        where = f"listener {listener['port']}"
        if listener["protocol"] == "HTTPS" and not given["certificate"]:
            yield f"{where}: HTTPS needs load_balancer_certificate, and there is none"
        if listener["protocol"] == "HTTPS" and OLD_TLS.fullmatch(given["tls_policy"]):
            yield f"tls_policy {given['tls_policy']} allows TLS 1.0 or 1.1: take one of TLS 1.2 and newer"
        for place, action in [("default", listener["default"]), *_actions(listener)]:
            yield from (f"{where} {place}: {finding}" for finding in _action(action, groups))
        same = Counter(key for rule in (listener.get("rules") or []) for key in set(keys(rule)))
        for key, count in same.items():
            if count > 1:
                yield f"{where}: {count} rules are for {places(key)}, and only the first one would ever be asked"


def _actions(listener: Told) -> Iterator[tuple[str, Told]]:
    for rule in listener.get("rules") or []:
        yield f"rule for {' '.join(rule.get('hosts') or [])}{' '.join(rule.get('paths') or [])}", rule["action"]


def _action(action: Told, groups: set[str]) -> Iterator[str]:
    kinds = [kind for kind in ("forward", "redirect", "respond") if action.get(kind)]
    if len(kinds) != 1:
        yield f"one of forward, redirect and respond is needed, not {' and '.join(kinds) or 'none'}"
    shares = action.get("forward") or []
    for share in shares:
        if share["target_group"] not in groups:
            yield f"there is no target group {share['target_group']} among load_balancer_target_groups"
    if len(shares) > GROUPS_AN_ACTION:
        yield f"forwards to {len(shares)} target groups, and AWS takes {GROUPS_AN_ACTION}"


def _counts(given: Told) -> Iterator[str]:
    rules = rule_count(given["listeners"])
    if rules > RULES:
        yield f"listeners have {rules} rules (AWS has five values for each), and a load balancer has at most {RULES}"
    if len(given["target_groups"]) > GROUPS:
        yield f"there are {len(given['target_groups'])} target groups, and a load balancer has at most {GROUPS}"
    names = Counter(group["name"] for group in given["target_groups"])
    yield from (f"target_groups: {name} is there {count} times" for name, count in names.items() if count > 1)


def _certificate(given: Told, now: datetime.datetime) -> Iterator[str]:
    told = given["certificate"] or {}
    ways = [way for way in ("arn", "import", "request") if told.get(way)]
    if told and len(ways) != 1:
        yield f"certificate: one of arn, import and request is needed, not {' and '.join(ways) or 'none'}"
        return
    hosts = [
        host
        for listener in given["listeners"]
        if listener["protocol"] == "HTTPS"
        for rule in (listener.get("rules") or [])
        for host in rule.get("hosts") or []
        if "*" not in host
    ]
    if ways == ["arn"] and not ARN.fullmatch(told["arn"]):
        yield f"certificate.arn '{told['arn']}' is no ARN of a certificate"
    if ways == ["import"]:
        texts = given["pem"]
        parts = pem.findings(texts["certificate"], texts["private_key"], texts.get("chain") or "", hosts, now)
        yield from (f"certificate.import: {finding}" for finding in parts)
    if ways == ["request"]:
        names = [name.lower() for name in told["request"]["names"]]
        missing = [host for host in dict.fromkeys(hosts) if not pem.covered(host, names)]
        if missing:
            yield f"certificate.request.names lacks {', '.join(missing)}"
        if len(names) > CERTIFICATE_NAMES:
            yield (
                f"certificate.request.names has {len(names)} names, and AWS takes {CERTIFICATE_NAMES}: use a wildcard, "
                "or import a certificate"
            )
