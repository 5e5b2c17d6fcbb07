# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a set of security groups, before anything is made of it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security.declaration import ANYWHERE, SSH
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import coverage, declare, rules
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    Rule,
    SecurityGroupsError,
    Source,
    Wanted,
    key,
)


def findings(
    groups: Sequence[Mapping[str, Any]], health_checks: Sequence[Mapping[str, Any]] = (), open_ssh: bool = False
) -> list[str]:
    """Sentences; an empty list when nothing is wrong. ``open_ssh``: whether anybody may reach port 22."""
    if not groups:
        return ["security_groups is empty: give the whole set, or security_state: absent to remove it"]
    try:
        wanted = declare.from_params({"groups": groups}, check_mode=True).groups
    except SecurityGroupsError as error:
        return [f"security_{line}" for line in str(error).split("\n")]
    return [
        *_of_operators(wanted),
        *([] if open_ssh else _of_open_ssh(wanted)),
        *_of_health_checks(wanted, health_checks),
    ]


def _of_operators(wanted: Sequence[Wanted]) -> Iterator[str]:
    """With no group that admits an address to port 22 nobody would reach any host."""
    for group in wanted:
        for rule in group.ingress or {}:
            if rule.source.kind in coverage.ADDRESSES and _admits(rule, SSH):
                return
    yield "no group admits anybody to port 22: give the operators' ranges in platform_operators"


def _of_open_ssh(wanted: Sequence[Wanted]) -> Iterator[str]:
    for group in wanted:
        for kind, text in zip(coverage.ADDRESSES, ANYWHERE, strict=True):
            if _covers(group, SSH, Source(kind, text)):
                yield (
                    f"group {group.name} opens port 22 to everybody ({text}): "
                    "narrow platform_operators, or set security_allow_open_ssh: true"
                )


def _of_health_checks(wanted: Sequence[Wanted], checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    groups = {group.key: group for group in wanted}
    names = {group.key: group.name for group in wanted}
    for check in checks:
        name, port, source = str(check["group"]), int(check["port"]), str(check["source"])
        place = f"service {check['service']}: the health check asks port {port} of {name}"
        group = groups.get(key(name))
        if group is None:
            yield f"{place}, which is no group of the set ({', '.join(names.values())})"
        elif group.ingress is not None and not _covers(group, port, _source(source, names)):
            yield f"{place}, which does not admit {source} there: add a rule for it, or check a port that is open"


def _source(text: str, names: Mapping[str, str]) -> Source:
    try:
        return rules.source(text, names)
    except ValueError:
        return Source("group", key(text), text)


def _admits(rule: Rule, port: int) -> bool:
    span = coverage.traffic(rule).ports
    return rule.protocol in ("tcp", "-1") and span.first <= port <= span.last


def _covers(group: Wanted, port: int, source: Source) -> bool:
    return coverage.covered(coverage.traffic(Rule("tcp", port, port, source)), group.ingress or {})
