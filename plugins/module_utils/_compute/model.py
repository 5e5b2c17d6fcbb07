# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of a platform's machines: instances of their own, and fleets that Auto Scaling keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OWNER = "gatehouse:platform"
ROLE, FLEET, SERVICES, HOST = "gatehouse:role", "gatehouse:fleet", "gatehouse:services", "gatehouse:host"
DEFAULT_TYPE = "t3.micro"
TRANSITIONS = {"launching": "autoscaling:EC2_INSTANCE_LAUNCHING", "terminating": "autoscaling:EC2_INSTANCE_TERMINATING"}
# IMDSv2 alone, one hop, so that no container behind a bridge reaches it; tags for what the machine does by itself.
METADATA = {
    "http_endpoint": "enabled",
    "http_tokens": "required",
    "http_put_response_hop_limit": 1,
    "http_protocol_ipv6": "disabled",
    "instance_metadata_tags": "enabled",
}


@dataclass(frozen=True)
class Image:
    """The newest image of this name pattern and owner."""

    name: str
    owner: str


@dataclass(frozen=True)
class Machine:
    """What instances of their own and those of fleets have in common.

    ``profile`` is None where there is none, and an id is '' where what it names does not exist yet.
    ``volume_size`` is in GiB, None for the image's.
    """

    name: str
    role: str
    services: tuple[str, ...]
    type: str
    image: Image
    security_groups: tuple[str, ...]
    profile: str | None
    user_data: str
    tags: Mapping[str, str]
    public: bool
    volume_size: int | None
    volume_type: str


@dataclass(frozen=True)
class Instance(Machine):
    """A machine of its own. ``elastic`` is whether it has an address that outlives it."""

    subnet: str
    elastic: bool


@dataclass(frozen=True)
class Fleet(Machine):
    """Machines that Auto Scaling keeps. ``desired`` is how many there are at first; times are seconds."""

    least: int
    desired: int
    most: int
    subnets: tuple[str, ...]
    target_groups: tuple[str, ...]
    health_kind: str
    grace: int
    hooks: tuple[Mapping[str, Any], ...]
    policies: tuple[Mapping[str, Any], ...]
    refresh: Mapping[str, Any]
    warm_up: int | None


@dataclass(frozen=True)
class Declared:
    """All of it. ``public_key`` is empty where the key pair exists already; ``replace`` has names of instances."""

    platform: str
    key_name: str
    public_key: str
    tags: Mapping[str, str]
    instances: tuple[Instance, ...] = ()
    fleets: tuple[Fleet, ...] = ()
    replace: frozenset[str] = frozenset()
    purge: bool = False
    versions: int = 5
    images: tuple[Image, ...] = field(default=())

    def full(self, name: str) -> str:
        """The name of what is made for this entry."""
        return f"{self.platform}-{name}"

    def owned(self, tags: Mapping[str, str]) -> bool:
        """Whether what has these tags is this platform's."""
        return tags.get(OWNER) == self.platform

    def tags_of(self, machine: Machine) -> dict[str, str]:
        """The tags of a machine, by which the inventory groups it."""
        return {
            **self.tags,
            **machine.tags,
            "Name": self.full(machine.name),
            OWNER: self.platform,
            ROLE: machine.role,
            **({FLEET: machine.name} if isinstance(machine, Fleet) else {}),
            **({SERVICES: ",".join(machine.services)} if machine.services else {}),
        }

    def tags_named(self, name: str) -> dict[str, str]:
        """The tags of what belongs to no single machine."""
        return {**self.tags, "Name": name, OWNER: self.platform}


def declared(params: Mapping[str, Any]) -> Declared:
    """The role's variables without their prefix, complete."""
    key = params.get("key") or {}
    platform, public = str(params["platform"]), str(key.get("public_key") or "").strip()
    name = str(key.get("name") or "")
    image = params.get("image") or {}
    instances = tuple(_instance(entry, image) for entry in params.get("instances") or ())
    fleets = tuple(_fleet(entry, image) for entry in params.get("fleets") or ())
    return Declared(
        platform=platform,
        key_name=f"{platform}-{name}" if name and public else name,
        public_key=public,
        tags=_words(params.get("tags")),
        instances=instances,
        fleets=fleets,
        replace=frozenset(params.get("replace") or ()),
        purge=bool(params.get("purge")),
        versions=int(params.get("template_versions") or 5),
        images=tuple(dict.fromkeys(machine.image for machine in (*instances, *fleets))),
    )


def _machine(entry: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    image = {**default, **(entry.get("image") or {})}
    size = entry.get("volume_size")
    return {
        "name": str(entry["name"]),
        "role": str(entry.get("role") or "web"),
        "services": tuple(str(name) for name in entry.get("services") or ()),
        "type": str(entry.get("type") or DEFAULT_TYPE),
        "image": Image(str(image["name"]), str(image["owner"])),
        "security_groups": _ids(entry.get("security_groups")),
        "profile": None if entry.get("profile") is None else str(entry["profile"]),
        "user_data": str(entry.get("user_data") or ""),
        "tags": _words(entry.get("tags")),
        "public": bool(entry.get("public_address")),
        "volume_size": None if size is None else int(size),
        "volume_type": str(entry.get("volume_type") or "gp3"),
    }


def _instance(entry: Mapping[str, Any], image: Mapping[str, Any]) -> Instance:
    return Instance(
        **_machine(entry, image), subnet=str(entry.get("subnet") or ""), elastic=bool(entry.get("elastic_address"))
    )


def _fleet(entry: Mapping[str, Any], image: Mapping[str, Any]) -> Fleet:
    health, least = entry.get("health_check") or {}, int(entry.get("min", 1))
    most = int(entry.get("max", max(least, 1)))
    groups = _ids(entry.get("target_groups"))
    warm_up = entry.get("warm_up")
    return Fleet(
        **_machine(entry, image),
        least=least,
        desired=int(entry.get("desired", least)),
        most=most,
        subnets=_ids(entry.get("subnets")),
        target_groups=groups,
        health_kind=str(health.get("kind") or ("ELB" if groups else "EC2")),
        grace=int(health.get("grace_period", 300)),
        hooks=tuple(entry.get("hooks") or ()),
        policies=tuple(entry.get("policies") or ()),
        refresh=entry.get("refresh") or {},
        warm_up=None if warm_up is None else int(warm_up),
    )


def _ids(values: Sequence[Any] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value or "") for value in values or ()))


def _words(tags: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): str(value) for key, value in (tags or {}).items()}
