# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of instances of their own: launched, corrected in place, replaced when that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import (
    HOST,
    METADATA,
    OWNER,
    Declared,
    Instance,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.survey import Found, Resource


@dataclass
class InstancePlan:
    """``launch`` and ``correct`` are items for the tasks, ``surplus`` ids that go, ``addresses`` what is to have one.

    ``notes`` say what is left as it is, ``missing`` what waits for something that does not exist yet.
    """

    sentences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    launch: list[dict[str, Any]] = field(default_factory=list)
    correct: list[dict[str, Any]] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    addresses: list[dict[str, Any]] = field(default_factory=list)


def plan(declared: Declared, here: Found) -> InstancePlan:
    """For all instances."""
    result = InstancePlan()
    for machine in declared.instances:
        _plan_one(declared, here, machine, result)
    return result


def _plan_one(declared: Declared, here: Found, machine: Instance, result: InstancePlan) -> None:
    name = declared.full(machine.name)
    image = here.images.get(machine.image)
    present = here.single(name)
    if image is None:
        if not present:
            result.problems.append(f"instance {name}: {no_image(machine)}")
            return
        result.notes.append(f"instance {name}: {no_image(machine)}; it stays as it is")
    stale = {str(one["instance_id"]): list(_unlike(declared, machine, one, image)) for one in present}
    kept = [one for one in present if not stale[str(one["instance_id"])]][-1:]
    replaced = machine.name in declared.replace and image is not None
    if not kept and not replaced:
        kept = present[-1:]
    if len(present) > 1 and not replaced:
        ids = ", ".join(stale)
        result.problems.append(
            f"instance {name} is there more than once ({ids}): a replacement was interrupted; name {machine.name} "
            "in compute_replace to end it, or terminate those that are too many"
        )
        return
    if kept:
        _keep(declared, here, machine, kept[0], stale[str(kept[0]["instance_id"])], result)
    elif image is None or not _launch(declared, here, machine, image, bool(present), result):
        return
    surplus = [str(one["instance_id"]) for one in present if one not in kept]
    if surplus:
        result.surplus += surplus
        result.sentences.append(f"instance {name}: {', '.join(surplus)} goes, once another is in its place")


def no_image(machine: Any) -> str:
    """There is none to launch."""
    return f"no image is named {machine.image.name} and owned by {machine.image.owner}: look at compute_image"


def _unlike(declared: Declared, machine: Instance, one: Resource, image: Resource | None) -> Iterator[str]:
    """What another instance would be needed for."""
    if image is not None and one.get("image_id") != image["image_id"]:
        yield f"image {one.get('image_id')}, newest is {image['image_id']} ({image.get('name', machine.image.name)})"
    if one.get("instance_type") != machine.type:
        yield f"type {one.get('instance_type')}, declared is {machine.type}"
    if machine.subnet and one.get("subnet_id") != machine.subnet:
        yield f"subnet {one.get('subnet_id')}, declared is {machine.subnet}"
    if declared.key_name and one.get("key_name") != declared.key_name:
        yield f"key pair {one.get('key_name') or 'none'}, declared is {declared.key_name}"


def _item(declared: Declared, machine: Instance) -> dict[str, Any]:
    """What the tasks need of a machine."""
    item: dict[str, Any] = {
        "host": machine.name,
        "name": declared.full(machine.name),
        "subnet": machine.subnet,
        "security_groups": list(machine.security_groups),
        "metadata_options": dict(METADATA),
        "tags": declared.tags_of(machine),
    }
    if machine.profile:
        item["profile"] = machine.profile
    return item


def _launch(
    declared: Declared, here: Found, machine: Instance, image: Resource, again: bool, result: InstancePlan
) -> bool:
    """False when something is missing that it stands on."""
    name = declared.full(machine.name)
    words = (
        f"instance {name}: {'another' if again else 'new'}, {machine.type} of {image.get('name', image['image_id'])}"
    )
    lacking = list(_lacking(machine))
    if lacking:
        result.missing.append(f"{words}; it waits for {' and '.join(lacking)}")
        if machine.elastic and not here.address(name):
            result.missing.append(f"Elastic IP {name}")
        return False
    ebs: dict[str, Any] = {"encrypted": True, "delete_on_termination": True, "volume_type": machine.volume_type}
    if machine.volume_size is not None:
        ebs["volume_size"] = machine.volume_size
    item = {
        **_item(declared, machine),
        "image": image["image_id"],
        "type": machine.type,
        "public_address": machine.public,
        "volumes": [{"device_name": image["root_device_name"], "ebs": ebs}],
    }
    if declared.key_name:
        item["key_name"] = declared.key_name
    if machine.user_data:
        item["user_data"] = machine.user_data
    result.launch.append(item)
    result.sentences.append(words)
    if machine.elastic:
        _address(declared, here, machine, "", result)
    return True


def _lacking(machine: Instance) -> Iterator[str]:
    if not machine.subnet:
        yield "its subnet"
    if "" in machine.security_groups:
        yield "its security group"
    if machine.profile == "":
        yield "its instance profile"


def _keep(
    declared: Declared, here: Found, machine: Instance, one: Resource, unlike: list[str], result: InstancePlan
) -> None:
    """Correct in place what can be, and say what cannot."""
    name, identifier = declared.full(machine.name), str(one["instance_id"])
    result.notes += [
        f"instance {name} ({identifier}) has {what}: it stays; name {machine.name} in compute_replace to replace it"
        for what in unlike
    ]
    changes = list(_changes(declared, machine, one))
    waits = "" in machine.security_groups or machine.profile == ""
    if changes and not waits:
        subnet = str(one.get("subnet_id") or machine.subnet)
        result.correct.append({**_item(declared, machine), "subnet": subnet, "id": identifier})
        result.sentences.append(f"instance {name}: {', '.join(changes)}")
    elif waits:
        what = ["security group"] * ("" in machine.security_groups) + ["instance profile"] * (machine.profile == "")
        result.missing.append(f"instance {name}: its {' and '.join(what)}")
    if machine.elastic:
        _address(declared, here, machine, identifier, result)


def _changes(declared: Declared, machine: Instance, one: Resource) -> Iterator[str]:
    if (one.get("state") or {}).get("name") in ("stopped", "stopping"):
        yield "is started"
    groups = {str(group["group_id"]) for group in one.get("security_groups") or ()}
    if groups != set(machine.security_groups):
        yield f"security groups {', '.join(machine.security_groups)} instead of {', '.join(sorted(groups)) or 'none'}"
    profile = str((one.get("iam_instance_profile") or {}).get("arn") or "")
    if machine.profile and profile.rpartition("/")[2] != machine.profile.rpartition("/")[2]:
        yield f"instance profile {machine.profile.rpartition('/')[2]}"
    metadata = one.get("metadata_options") or {}
    if any(metadata.get(key) != value for key, value in METADATA.items()):
        yield "IMDSv2 alone"
    tags = one.get("tags") or {}
    different = sorted(key for key, value in declared.tags_of(machine).items() if tags.get(key) != value)
    if different:
        yield f"tags {', '.join(different)}"


def _address(declared: Declared, here: Found, machine: Instance, identifier: str, result: InstancePlan) -> None:
    """An Elastic IP of the platform's own, at the instance."""
    name = declared.full(machine.name)
    address = here.address(name)
    if address and identifier and address.get("instance_id") == identifier:
        return
    item = {
        "host": machine.name,
        "name": name,
        "id": identifier,
        "public_address": str(address["public_ip"]) if address else "",
        "tags": {**declared.tags_named(name), HOST: machine.name, OWNER: declared.platform},
    }
    result.addresses.append(item)
    result.sentences.append(f"Elastic IP {name}: {'moves to the instance' if address else 'new'}")
