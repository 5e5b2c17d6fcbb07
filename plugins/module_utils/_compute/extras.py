# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Life-cycle hooks and target-tracking policies of an Auto Scaling group; their names begin with the group's.

The module that deletes a policy looks for its name in all groups of the account, and takes the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import TRANSITIONS, Fleet
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.survey import Resource

# Options of amazon.aws's module, and AWS's own words.
HOOK = {
    "transition": "LifecycleTransition",
    "timeout": "HeartbeatTimeout",
    "default": "DefaultResult",
    "role_arn": "RoleARN",
    "notification_target": "NotificationTargetARN",
    "notification_metadata": "NotificationMetadata",
}


@dataclass
class Extras:
    """Items for the tasks, each with ``state``. ``unsure`` is what no module tells in check mode."""

    sentences: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)


def plan(name: str, fleet: Fleet, group: Resource | None, policies: Sequence[Resource]) -> Extras:
    """What differs from what the group has; without a group everything."""
    result = Extras()
    _hooks(name, fleet, group, result)
    _policies(name, fleet, policies, result)
    return result


def _hooks(name: str, fleet: Fleet, group: Resource | None, result: Extras) -> None:
    have = {str(hook["LifecycleHookName"]): hook for hook in (group or {}).get("lifecycle_hooks") or ()}
    for entry in fleet.hooks:
        full = f"{name}-{entry['name']}"
        known, wanted = have.pop(full, None), hook(entry)
        if known is not None and all(str(known.get(HOOK[key], "")) == str(wanted[key]) for key in wanted):
            continue
        words = f"life-cycle hook {full}: {'changes' if known else 'new'}"
        result.sentences.append(words)
        if group is None:
            # The module asks for the group's hooks in check mode as well.
            result.unsure.append(words)
        result.hooks.append({"group": name, "name": full, "state": "present", "there": group is not None, **wanted})
    for left in _left(name, have):
        result.sentences.append(f"life-cycle hook {left}: goes")
        result.hooks.append({"group": name, "name": left, "state": "absent", "there": True})


def _left(name: str, have: Mapping[str, Resource]) -> list[str]:
    """What is left of the group's own, by its name; what others have added to the group stays."""
    return [left for left in have if left.startswith(f"{name}-")]


def hook(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A declared life-cycle hook in AWS's words."""
    return {
        "transition": TRANSITIONS[str(entry["transition"])],
        "timeout": int(entry.get("timeout", 3600)),
        "default": str(entry.get("default", "abandon")).upper(),
        **{key: str(entry[key]) for key in list(HOOK)[3:] if entry.get(key)},
    }


def _policies(name: str, fleet: Fleet, policies: Sequence[Resource], result: Extras) -> None:
    have = {str(policy["name"]): policy for policy in policies}
    for entry in fleet.policies:
        full = f"{name}-{entry['name']}"
        known, wanted = have.pop(full, None), policy(entry, fleet)
        if known is not None and all(known.get(key) == value for key, value in wanted.items()):
            continue
        if not wanted["label"] and entry.get("label") is not None:
            result.missing.append(f"scaling policy {full}; it waits for the load balancer")
            continue
        change = f"{wanted['metric']} at {wanted['target']:g}"
        words = f"scaling policy {full}: {'changes to' if known else 'new,'} {change}"
        result.unsure.append(words)
        result.sentences.append(words)
        result.policies.append({"group": name, "name": full, "state": "present", **wanted})
    for left in _left(name, have):
        words = f"scaling policy {left}: goes"
        result.unsure.append(words)
        result.sentences.append(words)
        result.policies.append({"group": name, "name": left, "state": "absent"})


def policy(entry: Mapping[str, Any], fleet: Fleet) -> dict[str, Any]:
    """A declared target-tracking policy."""
    return {
        "metric": str(entry["metric"]),
        "target": float(entry["target"]),
        "label": str(entry.get("label") or ""),
        "scale_in": bool(entry.get("scale_in", True)),
        "warm_up": fleet.warm_up,
    }
