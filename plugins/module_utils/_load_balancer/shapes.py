# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions and rules of a load balancer in the role's words, as the API has them and as amazon.aws tells them; pure.

Every rule has a condition on the host and one on the path, "*" and "/*" where there is none to make: amazon.aws takes a
rule whose conditions are among those of another one for the same rule.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Told = Mapping[str, Any]
Action = dict[str, Any]
# Hosts and path patterns of a rule.
Key = tuple[tuple[str, ...], tuple[str, ...]]
# "Condition values per rule: 5".
VALUES = 5
EVERYWHERE, EVERYTHING = ("*",), ("/*",)
REDIRECT = {"protocol": "#{protocol}", "port": "#{port}", "host": "#{host}", "path": "/#{path}", "query": "#{query}"}


def keys(rule: Told) -> Iterator[Key]:
    """The conditions of the rules that it takes to say one: AWS has five values for each."""
    hosts = tuple(dict.fromkeys(host.lower() for host in rule.get("hosts") or EVERYWHERE))
    for path in rule.get("paths") or [""]:
        patterns = _patterns(path)
        room = VALUES - len(patterns)
        for start in range(0, len(hosts), room):
            yield tuple(sorted(hosts[start : start + room])), patterns


def _patterns(path: str) -> tuple[str, ...]:
    """A path stands for itself and what is below it; one with wildcards is a pattern already."""
    if "*" in path or "?" in path:
        return (path,)
    path = path.rstrip("/")
    return (path, f"{path}/*") if path else EVERYTHING


def wanted_action(action: Told, arns: Mapping[str, str]) -> Action:
    """An action of the role's input, with everything that goes without saying."""
    if action.get("forward"):
        shares = action["forward"]
        pairs = [(arns.get(share["target_group"], ""), _weight(share)) for share in shares]
        return {"forward": [(pairs[0][0], 1)] if len(pairs) == 1 else pairs}
    if action.get("redirect"):
        told = {key: str(value) for key, value in action["redirect"].items() if value is not None and key != "status"}
        return {"redirect": {**REDIRECT, **told, "status": f"HTTP_{action['redirect'].get('status') or 301}"}}
    told = action.get("respond") or {}
    return {
        "respond": {
            "status": str(told.get("status") or 404),
            "type": told.get("type") or "text/plain",
            "body": told.get("body") or "",
        }
    }


def _weight(share: Told) -> int:
    told = share.get("weight")
    return 1 if told is None else int(told)


def found_action(told: Told) -> Action:
    """An action as amazon.aws tells it."""
    if told["type"] == "forward":
        groups = (told.get("forward_config") or {}).get("target_groups") or []
        pairs = [(group["target_group_arn"], int(group.get("weight") or 0)) for group in groups]
        return {"forward": pairs if len(pairs) > 1 else [(told.get("target_group_arn") or pairs[0][0], 1)]}
    if told["type"] == "redirect":
        config = told["redirect_config"]
        return {
            "redirect": {**{key: config.get(key, REDIRECT[key]) for key in REDIRECT}, "status": config["status_code"]}
        }
    config = told.get("fixed_response_config") or {}
    if told["type"] != "fixed-response":
        return {told["type"]: {}}
    return {
        "respond": {
            "status": config["status_code"],
            "type": config.get("content_type", "text/plain"),
            "body": config.get("message_body") or "",
        }
    }


def to_api(action: Action) -> dict[str, Any]:
    """An action as the API takes it; the simple form where one group gets everything, as amazon.aws compares it."""
    if "forward" in action:
        pairs = action["forward"]
        if len(pairs) == 1:
            return {"Type": "forward", "TargetGroupArn": pairs[0][0]}
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in pairs]
        config = {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": False}}
        return {"Type": "forward", "ForwardConfig": config}
    if "redirect" in action:
        told = {key.capitalize(): action["redirect"][key] for key in REDIRECT}
        return {"Type": "redirect", "RedirectConfig": {**told, "StatusCode": action["redirect"]["status"]}}
    told = action["respond"]
    body = {"MessageBody": told["body"]} if told["body"] else {}
    config = {"StatusCode": told["status"], "ContentType": told["type"], **body}
    return {"Type": "fixed-response", "FixedResponseConfig": config}


def conditions(key: Key) -> list[dict[str, Any]]:
    hosts, patterns = key
    return [
        {"Field": "host-header", "HostHeaderConfig": {"Values": list(hosts)}},
        {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}},
    ]


def found_key(told: Sequence[Told]) -> Key | None:
    """The conditions of a rule that amazon.aws tells; nothing for a rule that is not of this role's kind."""
    fields = {one["field"]: _values(one) for one in told}
    if len(fields) != len(told) or set(fields) != {"host-header", "path-pattern"}:
        return None
    hosts, paths = fields["host-header"], fields["path-pattern"]
    return tuple(sorted(host.lower() for host in hosts)), tuple(sorted(paths))


def _values(condition: Told) -> list[str]:
    key = condition["field"].replace("-", "_") + "_config"
    return list((condition.get(key) or {}).get("values") or condition.get("values") or [])


def in_words(action: Action, names: Mapping[str, str]) -> str:
    """What is done with a request; ``names`` of target groups by their ARNs."""
    if "forward" in action:
        pairs = action["forward"]
        if len(pairs) == 1:
            return f"to {names.get(pairs[0][0]) or 'a new target group'}"
        return "to " + ", ".join(f"{weight} parts {names.get(arn) or 'a new target group'}" for arn, weight in pairs)
    if "redirect" in action:
        told = action["redirect"]
        place = f"{told['protocol']}://{told['host']}:{told['port']}{told['path']}?{told['query']}"
        return f"redirected by {told['status'][5:]} to {place}"
    if "respond" in action:
        return f"answered with {action['respond']['status']}"
    return next(iter(action))


def places(key: Key) -> str:
    """The conditions in words."""
    hosts, patterns = key
    return f"{' '.join(hosts)} {' '.join(patterns)}"
