# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of fleets: their launch templates, Auto Scaling groups, life-cycle hooks, policies and refreshes.

A group is made closed (no instance may be in it), gets its hooks and policies, and is opened then: no instance starts
before the hooks are there. A group that is closed was left by a run that was killed, and is opened like a new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute import extras, template
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.instances import no_image
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import Declared, Fleet
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.survey import (
    Found,
    Resource,
    group_tags,
    members,
)


@dataclass
class FleetPlan:
    """Items for the tasks. ``make`` are groups to create closed, ``set`` groups to open or to change.

    ``unsure`` are changes of which no module says anything in check mode.
    """

    sentences: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    templates: list[dict[str, Any]] = field(default_factory=list)
    old_versions: list[dict[str, Any]] = field(default_factory=list)
    make: list[dict[str, Any]] = field(default_factory=list)
    set: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)
    refreshes: list[dict[str, Any]] = field(default_factory=list)


def plan(declared: Declared, here: Found) -> FleetPlan:
    """For all fleets."""
    result = FleetPlan()
    for fleet in declared.fleets:
        _plan_one(declared, here, fleet, result)
    return result


def _plan_one(declared: Declared, here: Found, fleet: Fleet, result: FleetPlan) -> None:
    name = declared.full(fleet.name)
    group, known = here.groups.get(name), here.templates.get(name)
    image = here.images.get(fleet.image)
    if image is None:
        (result.notes if known else result.problems).append(f"fleet {name}: {no_image(fleet)}")
    comes = False if image is None else _template(declared, fleet, image, known, group, result)
    waits = [*_lacking_template(fleet), *_lacking_group(fleet)]
    if waits or (image is None and known is None):
        what = f"Auto Scaling group {name}{'' if group else ', new'}"
        result.missing.append(f"{what}; it waits for {' and '.join(dict.fromkeys(waits)) or 'an image'}")
        return
    _group(declared, fleet, group, known, comes, result)
    made = extras.plan(name, fleet, group, here.policies.get(name) or ())
    result.hooks += made.hooks
    result.policies += made.policies
    result.sentences += made.sentences
    result.unsure += made.unsure
    result.missing += made.missing
    _refresh(name, fleet, group, known, comes, result)


def _lacking_template(fleet: Fleet) -> Iterator[str]:
    if "" in fleet.security_groups:
        yield "its security group"
    if fleet.profile == "":
        yield "its instance profile"


def _lacking_group(fleet: Fleet) -> Iterator[str]:
    if "" in fleet.subnets:
        yield "its subnets"
    if "" in fleet.target_groups:
        yield "its target groups"


def _template(
    declared: Declared, fleet: Fleet, image: Resource, known: Resource | None, group: Resource | None, result: FleetPlan
) -> bool:
    """Whether a version is to come."""
    name = declared.full(fleet.name)
    lacking = list(_lacking_template(fleet))
    if lacking:
        result.missing.append(f"launch template {name}; it waits for {' and '.join(lacking)}")
        return False
    wanted, tags = template.data(declared, fleet, image), declared.tags_named(name)
    differing = template.differences(wanted, known) if known else []
    untagged = known is not None and any(known["tags"].get(key) != value for key, value in tags.items())
    if not known:
        result.sentences.append(f"launch template {name}: new, {fleet.type} of {image.get('name', image['image_id'])}")
    elif differing:
        number = int(known["latest_version_number"]) + 1
        result.sentences.append(f"launch template {name}: version {number} ({', '.join(differing)})")
    elif untagged:
        result.sentences.append(f"launch template {name}: tags")
    if not known or differing or untagged:
        result.templates.append({"name": name, "tags": tags, **wanted})
    comes = not known or bool(differing)
    old = template.superfluous(declared, known, group, comes) if known else []
    if old:
        words = f"launch template {name}: version {', '.join(map(str, old))} goes"
        # In check mode the module still sees the default version in an old one.
        result.old_versions.append({"name": name, "versions": old, "unsure": comes})
        result.sentences.append(words)
        result.unsure += [words] if comes else []
    return comes


def _group(
    declared: Declared, fleet: Fleet, group: Resource | None, known: Resource | None, comes: bool, result: FleetPlan
) -> None:
    name = declared.full(fleet.name)
    tags = declared.tags_of(fleet)
    item: dict[str, Any] = {
        "name": name,
        "min": fleet.least,
        "max": fleet.most,
        "desired": fleet.desired,
        "subnets": list(fleet.subnets),
        "target_groups": list(fleet.target_groups),
        "health_kind": fleet.health_kind,
        "grace": fleet.grace,
        **_as_it_is(group or {}),
        "tags": [{key: value, "propagate_at_launch": True} for key, value in tags.items()],
    }
    if group is None:
        result.sentences.append(
            f"Auto Scaling group {name}: new, {fleet.least} to {fleet.most}, {fleet.desired} at first"
        )
        result.make.append({**item, "min": 0, "max": 0, "desired": 0})
        result.set.append(item)
        return
    closed = int(group["max_size"]) == 0
    current = int(group["desired_capacity"])
    item["desired"] = fleet.desired if closed else max(fleet.least, min(current, fleet.most))
    kept = [tag for tag in group.get("tags") or () if str(tag["key"]) not in tags]
    item["tags"] += [
        {str(tag["key"]): str(tag["value"]), "propagate_at_launch": bool(tag["propagate_at_launch"])} for tag in kept
    ]
    changes = list(_changes(fleet, tags, group, known, comes, closed))
    if changes:
        result.sentences.append(f"Auto Scaling group {name}: {', '.join(changes)}")
        result.set.append(item)


def _as_it_is(group: Resource) -> dict[str, Any]:
    """What the module would set to its own defaults, as others have set it."""
    metrics = [str(one["metric"]) for one in group.get("enabled_metrics") or ()]
    return {
        "suspended": sorted(str(one["process_name"]) for one in group.get("suspended_processes") or ()),
        "cooldown": int(group.get("default_cooldown", 300)),
        "termination_policies": list(group.get("termination_policies") or ["Default"]),
        "metrics": metrics,
    }


def _changes(
    fleet: Fleet, tags: Mapping[str, str], group: Resource, known: Resource | None, comes: bool, closed: bool
) -> Iterator[str]:
    if closed:
        yield f"opens with {fleet.desired} instances"
    used = str((group.get("launch_template") or {}).get("version", ""))
    latest = str(known["latest_version_number"]) if known else ""
    if comes or used != latest:
        yield "launches from the newest version"
    for word, key, value in (("min", "min_size", fleet.least), ("max", "max_size", fleet.most)):
        if int(group[key]) != value and not closed:
            yield f"{word} {value} instead of {group[key]}"
    if {one for one in str(group.get("vpc_zone_identifier") or "").split(",") if one} != set(fleet.subnets):
        yield "subnets"
    if set(group.get("target_group_arns") or ()) != set(fleet.target_groups):
        yield "target groups"
    if group.get("health_check_type") != fleet.health_kind:
        yield f"health check {fleet.health_kind}"
    if int(group.get("health_check_grace_period") or 0) != fleet.grace:
        yield f"grace period of {fleet.grace} s"
    have = group_tags(group)
    different = sorted(key for key, value in tags.items() if have.get(key) != value)
    if different:
        yield f"tags {', '.join(different)}"


def _refresh(
    name: str, fleet: Fleet, group: Resource | None, known: Resource | None, comes: bool, result: FleetPlan
) -> None:
    """Asked for, and needed by what the instances were launched from, so that a killed run's successor goes on."""
    if not fleet.refresh.get("enabled") or group is None:
        return
    latest = "" if comes or not known else str(known["latest_version_number"])
    old = [
        str(one["instance_id"])
        for one in members(group)
        if str((one.get("launch_template") or {}).get("version")) != latest
    ]
    if not old:
        return
    words = f"instance refresh of {name}: {len(old)} of {len(members(group))} instances are of an older version"
    result.sentences.append(words)
    result.unsure.append(words)
    preferences = {"min_healthy_percentage": int(fleet.refresh.get("min_healthy", 90)), "skip_matching": True}
    if fleet.refresh.get("max_healthy") is not None:
        preferences["max_healthy_percentage"] = int(fleet.refresh["max_healthy"])
    if fleet.warm_up is not None:
        preferences["instance_warmup"] = fleet.warm_up
    seconds = int(fleet.refresh.get("timeout", 1800))
    result.refreshes.append({"name": name, "preferences": preferences, "timeout": seconds})
