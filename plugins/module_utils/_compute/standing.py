# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fleets and refreshes stand, in words, and what the role tells in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import declared
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.survey import Resource, found, members

# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html
READY, HELD = ("InService",), "Pending:Wait"
GOING_ON = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")


def standing(
    groups: Iterable[Resource], names: Sequence[str], failures: Mapping[str, str] | None = None, held: bool = False
) -> list[str]:
    """A sentence for each of the groups that has not all its instances in service.

    ``failures`` are the groups' last failed activities. With ``held``, instances that a life-cycle hook holds count.
    """
    known = {str(group["auto_scaling_group_name"]): group for group in groups}
    told = []
    for name in names:
        words = _lacking(known.get(name), (*READY, HELD) if held else READY)
        if words:
            failure = (failures or {}).get(name)
            told.append(f"{name}: {words}" + (f"; last failed activity: {failure}" if failure else ""))
    return told


def _lacking(group: Resource | None, states: Sequence[str]) -> str:
    """Empty when nothing is."""
    if group is None:
        return "there is no such Auto Scaling group"
    wanted, present = int(group["desired_capacity"]), members(group)
    ready = [one for one in present if one["lifecycle_state"] in states and one["health_status"] == "Healthy"]
    if len(ready) >= wanted:
        return ""
    others = ", ".join(
        f"{one['instance_id']} is {one['lifecycle_state']}"
        + ("" if one["health_status"] == "Healthy" else f" and {one['health_status']}")
        for one in present
        if one not in ready
    )
    return f"{len(ready)} of {wanted} instances in service ({others or 'no others were launched'})"


def refresh_going_on(refreshes: Sequence[Resource]) -> bool:
    """Whether the newest of a group's refreshes has not ended."""
    return bool(refreshes) and str(refreshes[0].get("status")) in GOING_ON


def refresh_words(refreshes: Sequence[Resource]) -> str:
    """Where the newest refresh stands; empty when it is done."""
    if not refreshes:
        return "none was started"
    newest = refreshes[0]
    status = str(newest.get("status"))
    if status == "Successful":
        return ""
    reason = f": {newest['status_reason']}" if newest.get("status_reason") else ""
    left = newest.get("instances_to_update", "?")
    return f"{status}, {newest.get('percentage_complete') or 0} % done, {left} instances left{reason}"


def result(params: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """``compute_result``; what does not exist has empty ids."""
    wanted, here = declared(params), found(told)
    machines = {machine.name: _instance(here.single(wanted.full(machine.name))) for machine in wanted.instances}
    fleets = {}
    for fleet in wanted.fleets:
        name = wanted.full(fleet.name)
        group, template = here.groups.get(name), here.templates.get(name)
        present = members(group) if group else []
        fleets[fleet.name] = {
            "group": name if group else "",
            "launch_template": str(template["launch_template_id"]) if template else "",
            "version": int(template["latest_version_number"]) if template else 0,
            "instances": [str(one["instance_id"]) for one in present],
            "held": [str(one["instance_id"]) for one in present if one["lifecycle_state"] == HELD],
        }
    return {"instances": machines, "fleets": fleets}


def _instance(present: Sequence[Resource]) -> dict[str, str]:
    newest: Resource = present[-1] if present else {}
    return {
        "id": str(newest.get("instance_id") or ""),
        "private_address": str(newest.get("private_ip_address") or ""),
        "public_address": str(newest.get("public_ip_address") or ""),
    }
