# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules of amazon.aws told about a network, in one shape. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OWNER_TAG = "gatehouse:platform"
# Kinds of resources, and under which keys a module's answer has their ids.
IDS = {
    "vpc": ("vpc_id", "id"),
    "subnet": ("subnet_id", "id"),
    "gateway": ("internet_gateway_id", "gateway_id"),
    "address": ("allocation_id",),
    "nat_gateway": ("nat_gateway_id",),
    "table": ("route_table_id", "id"),
    "endpoint": ("vpc_endpoint_id",),
    "stack": ("stack_name",),
    "group": ("group_id",),
    "interface": ("network_interface_id",),
}
# Where the answer of the module that makes such a resource has it; the others have it at the top.
WRAPPERS = {"vpc": "vpc", "subnet": "subnet", "table": "route_table", "endpoint": "result"}
GONE = frozenset({"deleted", "deleting", "failed", "rejected"})


@dataclass(frozen=True)
class Resource:
    """One resource as a module told it, in ``told``."""

    kind: str
    id: str
    tags: Mapping[str, str]
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.tags.get("Name", "")

    def owned_by(self, platform: str) -> bool:
        return self.tags.get(OWNER_TAG) == platform

    def __str__(self) -> str:
        return f"{self.id} ({self.name})" if self.name else self.id


@dataclass(frozen=True)
class Found:
    """All that there is. ``made`` are resources that this run made, by kind and name, as ids and answers."""

    resources: Mapping[str, Sequence[Resource]]
    zones: Sequence[Mapping[str, Any]]
    made: Mapping[tuple[str, str], Resource] = field(default_factory=dict)

    def of(self, kind: str) -> Sequence[Resource]:
        return self.resources.get(kind, ())

    def owned(self, kind: str, platform: str) -> list[Resource]:
        """Those of the platform that are neither gone nor going."""
        return [item for item in self.of(kind) if item.owned_by(platform) and item.told.get("state") not in GONE]

    def named(self, kind: str, name: str, platform: str) -> Resource | None:
        """The platform's resource of that name, also one that was made in this run."""
        if (kind, name) in self.made:
            return self.made[kind, name]
        return next((resource for resource in self.owned(kind, platform) if resource.name == name), None)


def read(told: Mapping[str, Any]) -> Found:
    """From lists by plural kind (``vpcs``, ``nat_gateways``, …), ``zones`` and the results of loops in ``made``."""
    resources = {kind: list(_resources(kind, told.get(_plural(kind)) or ())) for kind in IDS}
    return Found(resources, list(told.get("zones") or ()), dict(_made(told.get("made") or ())))


def tags_of(told: Mapping[str, Any]) -> dict[str, str]:
    """The tags, which modules tell as a dictionary or as a list in the API's or in their own case."""
    tags = told.get("tags") or {}
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value"))) for tag in tags}


def _plural(kind: str) -> str:
    return "addresses" if kind == "address" else f"{kind}s"


def _resources(kind: str, answers: Iterable[Mapping[str, Any]]) -> Iterator[Resource]:
    for answer in answers:
        yield Resource(kind, _id(kind, answer), tags_of(answer), answer)


def _id(kind: str, answer: Mapping[str, Any]) -> str:
    found = next((str(answer[key]) for key in IDS[kind] if answer.get(key)), "")
    # In check mode ec2_vpc_route_table tells the id rtb-xxxxxxxx.
    return "" if found.endswith("-xxxxxxxx") else found


def _made(results: Iterable[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], Resource]]:
    for looped in results:
        for result in looped.get("results") or ():
            item = result.get(str(result.get("ansible_loop_var") or "")) or {}
            kind, name = str(item.get("kind") or ""), str(item.get("name") or "")
            answer = result.get(WRAPPERS[kind]) if kind in WRAPPERS else result
            if kind in IDS and isinstance(answer, Mapping) and _id(kind, answer):
                yield (kind, name), Resource(kind, _id(kind, answer), item.get("tags") or {}, answer)
