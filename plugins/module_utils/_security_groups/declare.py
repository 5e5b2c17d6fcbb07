# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a task's parameters to what it declares; everything wrong with them is found at once, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import rules
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    DIRECTIONS,
    OWNER_TAG,
    Desired,
    Path,
    Rule,
    SecurityGroupsError,
    Source,
    Wanted,
    key,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.naming import (
    MOST_TAGS,
    TEXT,
    TEXT_OF_REFERENCE,
    of_names,
    of_tags,
)

VPC_ID = re.compile(r"vpc-[0-9a-f]+")
ENDS = {"ingress": "sources", "egress": "destinations"}


def from_params(params: Mapping[str, Any], check_mode: bool = False) -> Desired:
    """What a task declares; raises SecurityGroupsError with all findings at once.

    ``params`` are the module's: a group's ``ingress`` and ``egress`` are None where they are omitted.
    """
    told: list[str] = list(_of_the_whole(params, check_mode))
    declared = params.get("groups") or []
    names = {key(str(group["name"]).strip()): str(group["name"]).strip() for group in declared}
    owned = bool(params.get("owner"))
    told += of_names([str(group["name"]) for group in declared])
    wanted = [
        _wanted(f"groups[{index}] {group['name']}", group, names, owned, told) for index, group in enumerate(declared)
    ]
    paths = [_path(f"protect[{index}]", item, told) for index, item in enumerate(params.get("protect") or [])]
    if told:
        raise SecurityGroupsError("\n".join(told))
    flags = ("adopt", "allow_lockout", "allow_gap", "accept_description", "clear_foreign_references", "purge_groups")
    return Desired(
        vpc_id=params.get("vpc_id") or "",
        groups=tuple(wanted),
        owner=params.get("owner") or "",
        absent=params.get("state") == "absent",
        purge_rules=params.get("purge_rules", True) is not False,
        protect=tuple(path for path in paths if path),
        **{flag: bool(params.get(flag)) for flag in flags},
    )


def findings(params: Mapping[str, Any], check_mode: bool = False) -> list[str]:
    """What is wrong with parameters."""
    try:
        from_params(params, check_mode)
    except SecurityGroupsError as error:
        return str(error).split("\n")
    return []


def _of_the_whole(params: Mapping[str, Any], check_mode: bool) -> Iterator[str]:
    vpc_id, owner = params.get("vpc_id") or "", params.get("owner") or ""
    if not vpc_id and not check_mode:
        yield "vpc_id is empty: only in check mode may the VPC be unknown"
    if vpc_id and not VPC_ID.fullmatch(vpc_id):
        yield f"vpc_id '{vpc_id}' is no id of a VPC (vpc-…)"
    if not owner:
        for wish, words in (
            (params.get("state") == "absent", "state: absent"),
            (params.get("purge_groups"), "purge_groups"),
        ):
            if wish:
                yield f"{words} needs owner: only groups that carry its tag {OWNER_TAG} are deleted"
    if len(owner) > 256:
        yield "owner has more than 256 characters, which no value of a tag may have"
    if owner and params.get("purge_groups") and params.get("state") != "absent" and not params.get("groups"):
        yield f"purge_groups with no groups would delete all of '{owner}': give state: absent for that"
    if params.get("adopt") and not owner:
        yield "adopt needs owner: without one every group of a declared name is managed as it is"


def _wanted(place: str, group: Mapping[str, Any], names: Mapping[str, str], owned: bool, findings: list[str]) -> Wanted:
    description, tags = group.get("description"), group.get("tags")
    if description is not None and not (description and TEXT.fullmatch(description)):
        findings.append(
            f"{place} description: 1 to 255 of the characters a-z, A-Z, 0-9, space and ._-:/()#,@[]+=&;{{}}!$*"
        )
    if tags is not None:
        findings += of_tags(place, tags, MOST_TAGS - owned)
    declared = {
        direction: _rules(f"{place} {direction}", group[direction], names, findings, ENDS[direction])
        for direction in DIRECTIONS
        if group.get(direction) is not None
    }
    plain = {str(name): str(value) for name, value in tags.items()} if tags is not None else None
    return Wanted(str(group["name"]).strip(), description, plain, declared.get("ingress"), declared.get("egress"))


def _rules(
    place: str, declared: Iterable[Mapping[str, Any]], names: Mapping[str, str], findings: list[str], ends: str
) -> dict[Rule, str]:
    found: dict[Rule, str] = {}
    first_place: dict[Rule, str] = {}
    for index, item in enumerate(declared):
        here = f"{place}[{index}]"
        description = item.get("description") or ""
        expanded = _expanded(here, item, names, findings, ends)
        findings += _of_description(here, description, expanded)
        for rule in expanded:
            if found.get(rule, description) != description:
                findings.append(
                    f"{here}: {rule.traffic} with {rule.source} is declared with the description '{description}' "
                    f"here and '{found[rule]}' in {first_place[rule]}"
                )
            found.setdefault(rule, description)
            first_place.setdefault(rule, here)
    return found


def _of_description(place: str, description: str, declared: Iterable[Rule]) -> Iterator[str]:
    references = any(rule.source.kind in ("group", "group_id", "prefix_list") for rule in declared)
    if not (TEXT_OF_REFERENCE if references else TEXT).fullmatch(description):
        allowed = "._-:/()#,@[]+=;{}!$*" + ("" if references else "&")
        yield f"{place} description '{description}': at most 255 of the characters a-z, A-Z, 0-9, space and {allowed}"


def _expanded(
    place: str, item: Mapping[str, Any], names: Mapping[str, str], findings: list[str], ends: str
) -> list[Rule]:
    """The rules of one declared entry: one for each range of ports and each source."""
    spans: list[tuple[int, int]] = []
    named = ""
    try:
        named = rules.protocol(item.get("protocol") or "tcp")
        spans = rules.ranges(named, item)
    except ValueError as error:
        findings.append(f"{place}: {error}")
    given = item.get(ends) if item.get(ends) is not None else item.get("sources")
    if not given:
        findings.append(f"{place}: {ends} is empty")
    others = _sources(f"{place}.{ends}", given or [], names, findings)
    return [Rule(named, first, last, other) for first, last in spans for other in others]


def _sources(place: str, given: Iterable[Any], names: Mapping[str, str], findings: list[str]) -> list[Source]:
    found = [_source(f"{place}[{index}]", str(text), names, findings) for index, text in enumerate(given)]
    return [other for other in found if other]


def _source(place: str, text: str, names: Mapping[str, str], findings: list[str]) -> Source | None:
    try:
        return rules.source(text, names)
    except ValueError as error:
        findings.append(f"{place} '{text}': {str(error).removeprefix(f'{text!r}').lstrip()}")
    return None


def _path(place: str, item: Mapping[str, Any], findings: list[str]) -> Path | None:
    """A protected path; its group and source may be any of the VPC, not only of the set."""
    try:
        named = rules.protocol(item.get("protocol") or "tcp")
        spans = rules.ranges(
            named, {"ports": item.get("port"), **{name: item.get(name) for name in ("icmp_type", "icmp_code")}}
        )
        if len(spans) != 1:
            raise ValueError("port is one port or one range")
        group, text = str(item["group"]).strip(), str(item["source"]).strip()
        own = {} if rules.looks_like_cidr(text) else {key(text): text}
        return Path(group, Rule(named, *spans[0], rules.source(text, own)))
    except ValueError as error:
        findings.append(f"{place} {item.get('group')}: {error}")
    return None
