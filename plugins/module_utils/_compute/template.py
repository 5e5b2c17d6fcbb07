# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The launch template of a fleet: its data, what differs from the newest version, and which versions may go."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import METADATA, Declared, Fleet
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.survey import Resource

# Words for what a version may differ in, and the keys of its data.
PARTS = {
    "image": ("image_id",),
    "type": ("instance_type",),
    "key pair": ("key_name",),
    "instance profile": ("iam_instance_profile",),
    "user data": ("user_data",),
    "network": ("network_interfaces", "security_group_ids", "security_groups"),
    "metadata": ("metadata_options",),
    "volumes": ("block_device_mappings",),
    "tags": ("tag_specifications",),
}
TAGGED = ("instance", "volume")


def data(declared: Declared, fleet: Fleet, image: Resource) -> dict[str, Any]:
    """The options of amazon.aws.ec2_launch_template; what is not there is not in the result."""
    ebs: dict[str, Any] = {"delete_on_termination": True, "encrypted": True, "volume_type": fleet.volume_type}
    if fleet.volume_size is not None:
        ebs["volume_size"] = fleet.volume_size
    interface = {
        "device_index": 0,
        "associate_public_ip_address": fleet.public,
        "delete_on_termination": True,
        "groups": list(fleet.security_groups),
    }
    found: dict[str, Any] = {
        "image_id": image["image_id"],
        "instance_type": fleet.type,
        "network_interfaces": [interface],
        "metadata_options": dict(METADATA),
        "block_device_mappings": [{"device_name": image["root_device_name"], "ebs": ebs}],
        "tag_specifications": [{"resource_type": kind, "tags": declared.tags_of(fleet)} for kind in TAGGED],
    }
    if declared.key_name:
        found["key_name"] = declared.key_name
    if fleet.profile:
        found["iam_instance_profile"] = fleet.profile
    if fleet.user_data:
        found["user_data"] = base64.b64encode(fleet.user_data.encode()).decode()
    return found


def differences(wanted: Mapping[str, Any], template: Resource) -> list[str]:
    """The parts in which the newest version is not what is wanted."""
    current = newest(template).get("launch_template_data") or {}
    ours, theirs = _canonical(wanted), _canonical(current)
    return [part for part, keys in PARTS.items() if any(ours.get(key) != theirs.get(key) for key in keys)]


def newest(template: Resource) -> Resource:
    """The version with the highest number."""
    found: Resource = max(template["versions"], key=lambda version: int(version["version_number"]))
    return found


def superfluous(declared: Declared, template: Resource, group: Resource | None, coming: bool) -> list[int]:
    """The versions that may go, so that no more stay than are kept, with the one that is ``coming``.

    What one of the group's instances was launched from stays. The group itself, and the default, go to the newest.
    """
    members = (group or {}).get("instances") or ()
    used = {str((one.get("launch_template") or {}).get("version", "")) for one in members}
    numbers = sorted((int(version["version_number"]) for version in template["versions"]), reverse=True)
    kept = declared.versions - (1 if coming else 0)
    return sorted(number for number in numbers[kept:] if str(number) not in used)


def _canonical(told: Mapping[str, Any]) -> dict[str, Any]:
    """In one form, whether it is what the module takes or what AWS tells; what AWS adds of its own is left out."""
    found = {key: value for key, value in told.items() if value not in (None, "", [], {})}
    if "iam_instance_profile" in found:
        profile = found["iam_instance_profile"]
        named = (profile.get("arn") or profile.get("name")) if isinstance(profile, Mapping) else profile
        # The module is given a name or an ARN and writes the ARN.
        found["iam_instance_profile"] = str(named).rpartition("/")[2]
    if "metadata_options" in found:
        found["metadata_options"] = {key: found["metadata_options"].get(key) for key in METADATA}
    if "network_interfaces" in found:
        found["network_interfaces"] = [_interface(one) for one in found["network_interfaces"]]
    if "block_device_mappings" in found:
        found["block_device_mappings"] = [_volume(one) for one in found["block_device_mappings"]]
    if "tag_specifications" in found:
        found["tag_specifications"] = _tags(found["tag_specifications"])
    return found


def _interface(told: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("device_index", "associate_public_ip_address", "subnet_id", "network_interface_id")
    return {**{key: told[key] for key in keys if told.get(key) is not None}, "groups": sorted(told.get("groups") or ())}


def _volume(told: Mapping[str, Any]) -> tuple[Any, ...]:
    ebs = told.get("ebs") or {}
    keys = ("encrypted", "delete_on_termination", "volume_type", "volume_size")
    return told.get("device_name"), tuple(ebs.get(key) for key in keys)


def _tags(told: Any) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for entry in told:
        tags = entry.get("tags") or {}
        if not isinstance(tags, Mapping):
            tags = {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value"))) for tag in tags}
        found.setdefault(str(entry["resource_type"]), {}).update(tags)
    return found
