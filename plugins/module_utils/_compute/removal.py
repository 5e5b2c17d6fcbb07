# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the platform's own goes: everything, or what is no longer declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import Declared, declared
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.survey import (
    Found,
    found,
    group_tags,
    in_fleet,
)

KINDS = ("groups", "templates", "instances", "addresses", "key_pairs")
NOTHING: dict[str, list[Any]] = {**{kind: [] for kind in KINDS}, "sentences": []}


def everything(params: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, list[Any]]:
    """All that carries the platform's tag; in the order of ``sentences``."""
    return plan(declared({"platform": params["platform"]}), found(told))


def plan(wanted: Declared, here: Found, only_undeclared: bool = False) -> dict[str, list[Any]]:
    """Names of groups, templates and key pairs, ids of instances, and public addresses."""
    fleets = {wanted.full(fleet.name) for fleet in wanted.fleets} if only_undeclared else set()
    singles = {wanted.full(machine.name) for machine in wanted.instances} if only_undeclared else set()
    elastic = {wanted.full(one.name) for one in wanted.instances if one.elastic} if only_undeclared else set()
    groups = [n for n, one in here.groups.items() if wanted.owned(group_tags(one)) and n not in fleets]
    templates = [n for n, one in here.templates.items() if wanted.owned(one.get("tags") or {}) and n not in fleets]
    own = [one for one in here.instances if wanted.owned(one.get("tags") or {})]
    # Those of a fleet go with its group; one that has left its group is nobody's else.
    grouped = {str(one["instance_id"]) for group in here.groups.values() for one in group.get("instances") or ()}
    instances = [
        one
        for one in own
        if one.get("tags", {}).get("Name") not in singles
        and str(one["instance_id"]) not in grouped
        and not (only_undeclared and in_fleet(one))
    ]
    addresses = [one for one in here.addresses if one.get("tags", {}).get("Name") not in elastic]
    keys = [one for one in here.keys if wanted.owned(one.get("tags") or {})]
    if only_undeclared:
        keys = [one for one in keys if one.get("key_name") != wanted.key_name]
    return {
        "groups": groups,
        "templates": templates,
        "instances": [str(one["instance_id"]) for one in instances],
        "addresses": [str(one["public_ip"]) for one in addresses],
        "key_pairs": [str(one["key_name"]) for one in keys],
        "sentences": [
            *(f"Auto Scaling group {name} goes, with {_size(here, name)} instances" for name in groups),
            *(f"launch template {name} goes" for name in templates),
            *(f"instance {one.get('tags', {}).get('Name', '')} ({one['instance_id']}) goes" for one in instances),
            *(f"Elastic IP {one.get('tags', {}).get('Name', '')} ({one['public_ip']}) goes" for one in addresses),
            *(f"key pair {one['key_name']} goes" for one in keys),
        ],
    }


def _size(here: Found, name: str) -> int:
    return len(here.groups[name].get("instances") or ())
