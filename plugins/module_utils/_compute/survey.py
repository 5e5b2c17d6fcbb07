# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found in the account, out of what amazon.aws's info modules tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import FLEET, HOST, Declared, Image

# Set by Auto Scaling itself on what it launches.
GROUP_TAG = "aws:autoscaling:groupName"
GONE = ("shutting-down", "terminated")
Resource = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """Resources of derived names and of this platform's tag, as the info modules tell them, and the newest images."""

    keys: tuple[Resource, ...] = ()
    instances: tuple[Resource, ...] = ()
    addresses: tuple[Resource, ...] = ()
    templates: Mapping[str, Resource] = field(default_factory=dict)
    groups: Mapping[str, Resource] = field(default_factory=dict)
    policies: Mapping[str, Sequence[Resource]] = field(default_factory=dict)
    images: Mapping[Image, Resource] = field(default_factory=dict)

    def key(self, name: str) -> Resource | None:
        """The key pair of this name."""
        return next((key for key in self.keys if key.get("key_name") == name), None)

    def named(self, name: str) -> list[Resource]:
        """The instances with this Name, the newest last."""
        found = [one for one in self.instances if one.get("tags", {}).get("Name") == name]
        return sorted(found, key=lambda one: (str(one.get("launch_time", "")), str(one["instance_id"])))

    def single(self, name: str) -> list[Resource]:
        """Those of them that belong to no fleet."""
        return [one for one in self.named(name) if not in_fleet(one)]

    def address(self, name: str) -> Resource | None:
        """The Elastic IP with this Name."""
        return next((one for one in self.addresses if one.get("tags", {}).get("Name") == name), None)


def found(told: Mapping[str, Any]) -> Found:
    """Out of ``keys``, ``images``, ``instances``, ``addresses``, ``templates``, ``groups`` and ``policies``."""
    instances = {str(one["instance_id"]): one for one in told.get("instances") or () if _lives(one)}
    return Found(
        keys=tuple(told.get("keys") or ()),
        instances=tuple(instances.values()),
        # Others of the platform are a NAT gateway's.
        addresses=tuple(one for one in told.get("addresses") or () if HOST in (one.get("tags") or {})),
        templates={str(one["launch_template_name"]): one for one in told.get("templates") or ()},
        groups={str(one["auto_scaling_group_name"]): one for one in told.get("groups") or ()},
        policies=told.get("policies") or {},
        images=_newest(told.get("images") or ()),
    )


def _lives(instance: Resource) -> bool:
    return (instance.get("state") or {}).get("name") not in GONE


def _newest(lookups: Iterable[Mapping[str, Any]]) -> dict[Image, Resource]:
    """The newest image of each look-up, the result of amazon.aws.ec2_ami_info for one item of the role's loop."""
    chosen: dict[Image, Resource] = {}
    for lookup in lookups:
        usable = [one for one in lookup.get("images") or () if one.get("state", "available") == "available"]
        if usable:
            wanted = lookup["__compute_item"]
            newest = max(usable, key=lambda one: (str(one.get("creation_date", "")), str(one["image_id"])))
            chosen[Image(str(wanted["name"]), str(wanted["owner"]))] = newest
    return chosen


def in_fleet(instance: Resource) -> bool:
    """Whether Auto Scaling launched it."""
    tags = instance.get("tags") or {}
    return GROUP_TAG in tags or FLEET in tags


def group_tags(group: Resource) -> dict[str, str]:
    """The tags of an Auto Scaling group."""
    return {str(tag["key"]): str(tag["value"]) for tag in group.get("tags") or ()}


def members(group: Resource) -> list[Resource]:
    """Its instances, apart from those that leave."""
    return [one for one in group.get("instances") or () if not str(one.get("lifecycle_state")).startswith("Terminat")]


def foreign(declared: Declared, here: Found) -> list[str]:
    """Resources of derived names without the platform's tag, in words; nothing may be changed then."""
    told: list[str] = []

    def look(what: str, name: str, tags: Mapping[str, str] | None) -> None:
        if tags is not None and not declared.owned(tags):
            told.append(
                f"{what} {name} is there and does not carry the tag gatehouse:platform: {declared.platform}: "
                "it is not this platform's; rename or remove it, or choose another name"
            )

    key = here.key(declared.key_name) if declared.public_key else None
    look("key pair", declared.key_name, key and (key.get("tags") or {}))
    for machine in declared.instances:
        for one in here.named(declared.full(machine.name)):
            look("instance", f"{declared.full(machine.name)} ({one['instance_id']})", one.get("tags") or {})
    for fleet in declared.fleets:
        name = declared.full(fleet.name)
        template, group = here.templates.get(name), here.groups.get(name)
        look("launch template", name, template and (template.get("tags") or {}))
        look("Auto Scaling group", name, group and group_tags(group))
    return told
