# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and instance profiles as modules of amazon.aws tell them, and what follows from that; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TAG = "gatehouse:platform"
# Name of the one policy that a role of the platform has of its own.
POLICY = "gatehouse"
Found = Mapping[str, Any]


def by_name(results: Sequence[Found], kind: str) -> dict[str, Found]:
    """What a loop over a module of information found. ``kind`` is the module's key, iam_roles for example."""
    key = "role_name" if kind == "iam_roles" else "instance_profile_name"
    return {found[key]: found for result in results for found in result.get(kind) or []}


def survey(platform: str, roles: Sequence[Found], profiles: Sequence[Found]) -> dict[str, Any]:
    """What there is by the names that were asked for; ``roles`` and ``profiles`` are the results of the two loops.

    ``owned`` says what carries the platform's tag; ``bounded`` are roles that have a permissions boundary.
    """
    found = {"role": by_name(roles, "iam_roles"), "profile": by_name(profiles, "iam_instance_profiles")}
    owned = {
        kind: [name for name, entry in entries.items() if is_own(entry, platform)] for kind, entries in found.items()
    }
    return {
        "roles": list(found["role"]),
        "owned": {"roles": owned["role"], "profiles": owned["profile"]},
        "foreign": [
            f"{'the role' if kind == 'role' else 'the instance profile'} {name}"
            for kind, entries in found.items()
            for name in entries
            if name not in owned[kind]
        ],
        "bounded": [name for name, entry in found["role"].items() if entry.get("permissions_boundary")],
        "policies": {name: list(entry.get("inline_policies") or []) for name, entry in found["role"].items()},
        "elsewhere": _elsewhere(found["role"], owned),
    }


def is_own(entry: Found, platform: str) -> bool:
    """Whether it carries the platform's tag."""
    return (entry.get("tags") or {}).get(TAG) == platform


def _elsewhere(roles: Mapping[str, Found], owned: Mapping[str, Sequence[str]]) -> list[str]:
    """Instance profiles of somebody else that hold a role of the platform."""
    return [
        f"the instance profile {profile['instance_profile_name']} holds the role {name}"
        for name in owned["role"]
        for profile in roles[name].get("instance_profiles") or []
        if profile["instance_profile_name"] not in owned["profile"]
    ]


def leftovers(policies: Mapping[str, Any], found: Found) -> list[dict[str, str]]:
    """Policies of the platform's roles that are not declared. ``policies`` are the wanted ones by name of the role."""
    return [
        {"role": role, "policy": policy}
        for role, there in found["policies"].items()
        if role in found["owned"]["roles"]
        for policy in there
        if policy != POLICY or role not in policies
    ]


def result(platform: str, names: Sequence[str], roles: Sequence[Found], profiles: Sequence[Found]) -> dict[str, Any]:
    """The role's result, from the results of the modules that make roles and profiles; ids are empty for new ones."""
    arns = {
        kind: [str((entry.get(kind) or {}).get("arn") or "") for entry in made]
        for kind, made in (("iam_role", roles), ("iam_instance_profile", profiles))
    }
    together = zip(names, arns["iam_instance_profile"], arns["iam_role"], strict=True)
    return {name: {"name": f"{platform}-{name}", "arn": arn, "role_arn": role_arn} for name, arn, role_arn in together}
