# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of a listener as lines of HAProxy: which rule matches, and what it answers or which target group it picks.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator

from lab.region.state_load_balancer import Action, Condition, FixedResponse, Forward, Listener, Redirect, Unsupported

# The cookie that keeps a client with one of several target groups.
GROUP_COOKIE = "AWSALBTG"
SERVER = 'hdr Server "awselb/2.0"'
# "#{path}" comes without its slash.
PLACEHOLDERS = {
    "#{host}": "%[req.hdr(host),host_only]",
    "#{path}": "%[path,bytes(1)]",
    "#{query}": "%[query]",
}


def rules(listener: Listener) -> Iterator[str]:
    """The first rule that matches is noted, by its priority; then it answers or picks a target group."""
    for number, rule in enumerate(listener.rules):
        found = [matches(condition) for condition in rule.conditions]
        undecided = ["!{ var(txn.rule) -m found }"] if number else []
        tests = " ".join(undecided + found)
        yield f'http-request set-var(txn.rule) str("{rule.priority}")' + (f" if {tests}" if tests else "")
    for rule in listener.rules:
        yield from action(rule.action, f"{{ var(txn.rule) -m str {rule.priority} }}", listener)


def matches(condition: Condition) -> str:
    """A condition as a test; any of its values will do."""
    values = [value for _key, value in condition.values]
    if condition.field == "host-header":
        return f"{{ req.hdr(host),host_only -i -m reg {patterns(values)} }}"
    if condition.field == "path-pattern":
        return f"{{ path -m reg {patterns(values)} }}"
    if condition.field == "http-header":
        return f"{{ req.fhdr({condition.values[0][0]}) -i -m reg {patterns(values)} }}"
    if condition.field == "http-request-method":
        return f"{{ method -m str {' '.join(map(quoted, values))} }}"
    if condition.field == "source-ip":
        return f"{{ src {' '.join(values)} }}"
    pairs = (f"(^|&){pair(key)}{wildcards(value, '[^&]')}(&|$)" for key, value in condition.values)
    return f"{{ query -i -m reg {' '.join(map(quoted, pairs))} }}"


def pair(key: str) -> str:
    """The part of a query before the value that is asked for."""
    return f"{wildcards(key, '[^&=]')}=" if key else "([^&=]*=)?"


def patterns(values: Iterable[str]) -> str:
    return " ".join(quoted(f"^{wildcards(value, '.')}$") for value in values)


def wildcards(text: str, some: str) -> str:
    """ "* (matches 0 or more characters) and ? (matches exactly 1 character)", as a regular expression."""
    return "".join({"*": f"{some}*", "?": some}.get(character) or re.escape(character) for character in text)


def action(found: Action, test: str, listener: Listener) -> Iterator[str]:
    if isinstance(found, Forward):
        yield from forward(found, test)
    elif isinstance(found, Redirect):
        yield from redirect(found, test, listener)
    elif isinstance(found, FixedResponse):
        body = f"content-type {quoted(found.content_type)} string {quoted(found.body)} " if found.body else ""
        yield f"http-request return status {found.status} {body}{SERVER} if {test}"
    elif isinstance(found, Unsupported):
        text = quoted(f"The lab has no {found.kind} actions.")
        yield f"http-request return status 501 content-type text/plain string {text} {SERVER} if {test}"


def redirect(found: Redirect, test: str, listener: Listener) -> Iterator[str]:
    """The location always names the port; the question mark only comes with a query."""
    host, port, path, query = (template(part, listener) for part in (found.host, found.port, found.path, found.query))
    location = f"{template(found.protocol, listener).lower()}://{host}:{port}{path}"
    answer = f"http-request return status {found.status} {SERVER} hdr Location"
    if found.query == "#{query}":
        yield f"{answer} {quoted(f'{location}?{query}')} if {test} {{ query -m len gt 0 }}"
    elif found.query:
        location = f"{location}?{query}"
    yield f"{answer} {quoted(location)} if {test}"


def template(text: str, listener: Listener) -> str:
    """A part of a location as a log format of HAProxy."""
    known = {**PLACEHOLDERS, "#{protocol}": listener.protocol, "#{port}": str(listener.port)}
    text = text.replace("%", "%%")
    for placeholder, sample in known.items():
        text = text.replace(placeholder, sample)
    return text


def forward(found: Forward, test: str) -> Iterator[str]:
    """Pick a group by weight, or the one that the client's cookie names."""
    weights = [(arn, weight) for arn, weight in found.groups if weight > 0]
    if len(weights) == 1:
        yield f"http-request set-var(txn.group) str({backend(weights[0][0])}) if {test}"
        return
    undecided = "!{ var(txn.group) -m found }"
    if found.sticky is not None:
        for arn, _weight in weights:
            known = f"{{ req.cook({GROUP_COOKIE}) -m str {digest(arn)} }}"
            yield f"http-request set-var(txn.group) str({backend(arn)}) if {test} {known}"
    yield f"http-request set-var(txn.draw) rand({max(1, sum(weight for _arn, weight in weights))}) if {test}"
    for (arn, _weight), limit in zip(weights, itertools.accumulate(weight for _arn, weight in weights), strict=True):
        drawn = f"{undecided} {{ var(txn.draw) -m int lt {limit} }}"
        yield f"http-request set-var(txn.group) str({backend(arn)}) if {test} {drawn}"
        if found.sticky is not None:
            cookie = quoted(f"{GROUP_COOKIE}={digest(arn)}; Max-Age={found.sticky}; Path=/")
            chosen = f"{{ var(txn.group) -m str {backend(arn)} }}"
            yield f"http-request set-var(txn.group_cookie) str({cookie}) if {test} {chosen}"


def backend(arn: str) -> str:
    """What HAProxy calls a target group: NAME.ID."""
    return arn.rpartition("targetgroup/")[2].replace("/", ".")


def digest(text: str) -> str:
    """A value for cookies that tells nothing."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def quoted(text: str) -> str:
    """A word of HAProxy's configuration language."""
    escaped = re.sub(r'(["\\$])', r"\\\1", text).replace("\r", "\\r").replace("\n", "\\n")
    return f'"{escaped}"'
