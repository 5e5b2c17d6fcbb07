# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The groups of a VPC as they would be declared, so that declaring them changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.declare import ENDS, VPC_ID
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    DIRECTIONS,
    OWNER_TAG,
    WITH_PORTS,
    WITH_TYPES,
    Group,
    Rule,
    Rules,
    SecurityGroupsError,
    State,
    key,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.naming import TEXT, undeclarable
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.reading import Reading


def read_back(
    params: Mapping[str, Any], connect: Callable[[str], Any], calls: Calls, retries: Retries
) -> dict[str, Any]:
    """The module's result; raises SecurityGroupsError or AwsError."""
    vpc_id = params["vpc_id"]
    if not VPC_ID.fullmatch(vpc_id):
        raise SecurityGroupsError(f"vpc_id '{vpc_id}' is no id of a VPC (vpc-…)")
    state = Reading(connect, connect("ec2"), retries, vpc_id).groups()
    wanted = chosen(state, params.get("owner"), params.get("names"))
    return {
        "changed": False,
        "groups": declared(state, wanted),
        "left_out": {group.name: {"id": group.id, "reason": why(group)} for group in wanted if why(group)},
        "ids": {group.name: {"id": group.id, "arn": group.arn, "owner": group.owner} for group in wanted},
        "calls": calls.total,
    }


def chosen(state: State, owner: str | None, names: Iterable[str] | None) -> list[Group]:
    """Those of the groups that are asked for, in the order of their names."""
    wanted = None if names is None else {key(name.strip()) for name in names}
    return [
        group
        for _key, group in sorted(state.items())
        if (not owner or group.owner == owner) and (wanted is None or group.key in wanted)
    ]


def why(group: Group) -> str:
    """Why a group cannot be declared; empty where it can."""
    if group.name != group.name.strip():
        return "a name that begins or ends with a space cannot be declared"
    return undeclarable(group.name)


def declared(state: State, wanted: Iterable[Group]) -> list[dict[str, Any]]:
    """Groups as the option groups of security_groups takes them; those that it cannot take are left out."""
    groups = [group for group in wanted if not why(group)]
    names = {group.key for group in groups}
    return [_group(group, names, state) for group in groups]


def _group(group: Group, names: set[str], state: State) -> dict[str, Any]:
    tags = {
        name: value for name, value in group.tags.items() if name != OWNER_TAG and not name.lower().startswith("aws:")
    }
    described = {"description": group.description} if group.description and TEXT.fullmatch(group.description) else {}
    rules = {direction: _rules(group.rules(direction), ENDS[direction], names, state) for direction in DIRECTIONS}
    return {"name": group.name, **described, "tags": tags, **rules}


def _rules(rules: Rules, ends: str, names: set[str], state: State) -> list[dict[str, Any]]:
    """Rules as few entries: those that differ in their other end alone, then those that differ in their ports alone."""
    by_ports: dict[tuple[str, int, int, str], list[str]] = {}
    for rule, text in sorted(rules.items()):
        by_ports.setdefault((rule.protocol, rule.first, rule.last, text), []).append(_end(rule, names, state))
    entries: dict[tuple[Any, ...], dict[str, Any]] = {}
    for (protocol, first, last, text), others in by_ports.items():
        one = (first, last) if protocol in WITH_TYPES else ()
        entry = entries.setdefault((protocol, text, tuple(others), one), {"protocol": protocol})
        if protocol in WITH_PORTS:
            entry.setdefault("ports", []).append(first if first == last else f"{first}-{last}")
        if protocol in WITH_TYPES and first >= 0:
            entry.update({"icmp_type": first, **({"icmp_code": last} if last >= 0 else {})})
        entry.update({ends: others, **({"description": text} if text else {})})
    return list(entries.values())


def _end(rule: Rule, names: set[str], state: State) -> str:
    other = rule.source
    if other.kind == "group" and other.value not in names:
        return state[other.value].id
    return str(other)
