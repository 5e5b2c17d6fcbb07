# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the listeners that there are to those that should be, as amazon.aws's elb_application_lb is given them; pure.

That module removes before it adds, does not find a listener that it has just made when it comes to its rules, and gives
away priorities that are still in use. So it is called in steps: at first for listeners that are new alone, until they
have their rules; then for all, removing nothing and with priorities that nobody has; and then, when something is left
over, it removes that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer import shapes
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.priorities import priorities
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.shapes import Action, Key, Told

NOTHING_HERE = {"respond": {"status": 404, "body": "Not found"}}


@dataclass(frozen=True)
class Listener:
    """A listener of the input; ``tls`` are certificate and policy, empty for HTTP."""

    port: int
    protocol: str
    tls: tuple[str, str]
    default: Action
    rules: tuple[tuple[Key, Action], ...]


@dataclass(frozen=True)
class There:
    """A listener of the account; ``rules`` with their priorities, and no key for those of another kind."""

    port: int
    protocol: str = ""
    tls: tuple[str, str] = ("", "")
    default: Action = field(default_factory=dict)
    rules: tuple[tuple[Key | None, Action, int], ...] = ()


def plan(
    current: Sequence[Told], wanted: Sequence[Told], arns: Mapping[str, str], certificate: str, tls_policy: str
) -> dict[str, Any]:
    """``current`` as amazon.aws tells listeners, ``arns`` of target groups by their services.

    Returns ``steps``, each with ``listeners`` for elb_application_lb and ``purge``, and ``words``.
    """
    there = {one.port: one for one in map(_found, current)}
    planned = [_listener(told, arns, (certificate, tls_policy)) for told in wanted]
    names = {arn: service for service, arn in arns.items() if arn}
    made: list[dict[str, Any]] = []
    words: list[str] = []
    purge = False
    added = {listener.port for listener in planned} - set(there)
    for listener in planned:
        found = there.pop(listener.port, None)
        numbers, left = _numbers(found or There(listener.port), listener)
        made.append(_to_module(listener, numbers))
        words += _words(found, listener, numbers, names)
        words += [f"listener {listener.port}: rule {number} goes" for number in left]
        purge = purge or bool(left)
    words += [f"listener {port}: goes" for port in sorted(there)]
    new = [one for one, listener in zip(made, planned, strict=True) if listener.port in added]
    return {"steps": list(_steps(new, made, purge or bool(there))), "words": words}


def _steps(new: list[dict[str, Any]], made: list[dict[str, Any]], purge: bool) -> Iterator[dict[str, Any]]:
    if new:
        without = [{key: value for key, value in one.items() if key != "Rules"} for one in new]
        yield {"listeners": without, "purge": False}
    if new and len(new) < len(made):
        yield {"listeners": new, "purge": False}
    yield {"listeners": made, "purge": False}
    if purge:
        yield {"listeners": made, "purge": True}


def rule_count(wanted: Sequence[Told]) -> int:
    """How many rules AWS counts, default ones apart."""
    return sum(len(_listener(told, {}, ("", "")).rules) for told in wanted)


def _listener(told: Told, arns: Mapping[str, str], tls: tuple[str, str]) -> Listener:
    rules = [
        (key, shapes.wanted_action(rule["action"], arns))
        for rule in (told.get("rules") or [])
        for key in shapes.keys(rule)
    ]
    default = shapes.wanted_action(told["default"], arns)
    if len(default.get("forward", ())) > 1:
        # amazon.aws sees a change in every default action that has weights: a last rule does the same.
        last = (shapes.EVERYWHERE, shapes.EVERYTHING)
        rules += [(last, default)] if last not in dict(rules) else []
        default = shapes.wanted_action(NOTHING_HERE, arns)
    secure = told["protocol"] == "HTTPS"
    return Listener(int(told["port"]), told["protocol"], tls if secure else ("", ""), default, tuple(rules))


def _found(told: Told) -> There:
    certificates = told.get("certificates") or [{}]
    rules = tuple(
        (shapes.found_key(rule["conditions"]), shapes.found_action(rule["actions"][-1]), int(rule["priority"]))
        for rule in told.get("rules") or []
        if not rule.get("is_default") and rule["priority"] != "default"
    )
    tls = (certificates[0].get("certificate_arn") or "", told.get("ssl_policy") or "")
    default = shapes.found_action(told["default_actions"][-1])
    secure = told["protocol"] == "HTTPS"
    return There(int(told["port"]), told["protocol"], tls if secure else ("", ""), default, rules)


def _numbers(there: There, listener: Listener) -> tuple[list[int], list[int]]:
    """The priorities of the wanted rules, and those of rules that are left over."""
    actions = dict(listener.rules)
    current: dict[Key, int] = {}
    # Of several with the same conditions the one that does what is wanted stays.
    for same in (True, False):
        for key, action, number in there.rules:
            if key in actions and (action == actions[key]) is same:
                current.setdefault(key, number)
    taken = {number for _key, _action, number in there.rules}
    numbers = priorities([key for key, _action in listener.rules], current, taken)
    by_key = dict(zip([key for key, _action in listener.rules], numbers, strict=True))
    moved = {
        number
        for key, action, number in there.rules
        # The module moves what is otherwise the same; what changes besides is made anew.
        if key in by_key and current[key] == number and (by_key[key] == number or action == actions[key])
    }
    return numbers, sorted(taken - moved)


def _to_module(listener: Listener, numbers: Sequence[int]) -> dict[str, Any]:
    certificate, policy = listener.tls
    tls = {"SslPolicy": policy, "Certificates": [{"CertificateArn": certificate}]} if policy else {}
    rules = [
        {"Conditions": shapes.conditions(key), "Priority": number, "Actions": [shapes.to_api(action)]}
        for (key, action), number in zip(listener.rules, numbers, strict=True)
    ]
    return {
        "Protocol": listener.protocol,
        "Port": listener.port,
        "DefaultActions": [shapes.to_api(listener.default)],
        "Rules": rules,
        **tls,
    }


def _words(there: There | None, listener: Listener, numbers: Sequence[int], names: Mapping[str, str]) -> Iterator[str]:
    where = f"listener {listener.port}"
    default = shapes.in_words(listener.default, names)
    if there is None:
        yield f"{where}: new, {listener.protocol}, what no rule is for is {default}"
    else:
        if there.protocol != listener.protocol:
            yield f"{where}: becomes {listener.protocol}"
        elif there.tls[0] != listener.tls[0]:
            yield f"{where}: gets the certificate {listener.tls[0] or 'that is new'}"
        if there.protocol == listener.protocol and there.tls[1] != listener.tls[1]:
            yield f"{where}: TLS policy becomes {listener.tls[1]}"
        if there.default != listener.default:
            yield f"{where}: what no rule is for becomes {default}"
    before = list(there.rules) if there else []
    for (key, action), number in zip(listener.rules, numbers, strict=True):
        same = [(old, at) for other, old, at in before if other == key]
        told = f"{where}: rule {number} for {shapes.places(key)}"
        if not same:
            yield f"{told}: new, {shapes.in_words(action, names)}"
        elif (action, number) not in same:
            moved = number not in [at for _old, at in same]
            changed = action not in [old for old, _at in same]
            parts = ["moved"] if moved else []
            parts += [f"becomes {shapes.in_words(action, names)}"] if changed or not moved else []
            yield f"{told}: {', '.join(parts)}"
