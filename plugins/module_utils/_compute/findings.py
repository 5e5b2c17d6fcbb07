# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an argument specification cannot say about a platform's machines."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import TRANSITIONS, declared

NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# Key pairs of EC2 are of these kinds: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-key-pairs.html
KEYS = ("ssh-ed25519", "ssh-rsa")
ROLES, KINDS = ("bastion", "web"), ("EC2", "ELB")
METRICS = ("ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut", "ALBRequestCountPerTarget")
RESERVED = ("gatehouse:", "aws:", "Name")
# "a maximum of 16 KB, in raw form, before it is base64-encoded"
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
USER_DATA = 16384
# What a tag's key may be where instances see their tags:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html
TAG = re.compile(r"[A-Za-z0-9+\-=._,:@]{1,128}")
# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html
HOOK_SECONDS = (30, 7200)

Entry = Mapping[str, Any]


def findings(params: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with the role's variables (without their prefix), each with its place."""
    instances, fleets = params.get("instances") or (), params.get("fleets") or ()
    places = [(f"compute_instances[{index}]", entry) for index, entry in enumerate(instances)]
    places += [(f"compute_fleets[{index}]", entry) for index, entry in enumerate(fleets)]
    told = [*_platform(params), *_key(params.get("key") or {}), *_tags("compute_tags", params.get("tags") or {})]
    told += [*_names([entry for _place, entry in places]), *_replace(params, instances)]
    for place, entry in places:
        here = f"{place} {entry.get('name', '')}".strip()
        told += _machine(here, entry, params.get("image") or {})
        told += _instance(here, entry) if place.startswith("compute_instances") else _fleet(here, entry)
    return told


def _platform(params: Mapping[str, Any]) -> Iterator[str]:
    if not NAME.fullmatch(str(params.get("platform") or "")):
        yield f"compute_platform '{params.get('platform')}': give small letters, digits and hyphens"
    if int(params.get("template_versions") or 0) < 1:
        yield "compute_template_versions must be at least 1: the version in use stays"


def _key(key: Mapping[str, Any]) -> Iterator[str]:
    public = str(key.get("public_key") or "").strip()
    if public and not key.get("name"):
        yield "compute_key has a public key and no name: give compute_key.name"
    if "PRIVATE KEY" in public:
        yield "compute_key.public_key is a private key, which must not leave its owner: give the .pub file's line"
    elif public and not _is_public_key(public):
        yield f"compute_key.public_key is no line as 'ssh-ed25519 AAAA… name'; EC2 takes {' and '.join(KEYS)}"


def _is_public_key(line: str) -> bool:
    """One line of OpenSSH's form whose data say the same kind: https://www.rfc-editor.org/rfc/rfc4253#section-6.6"""
    words = line.split()
    if "\n" in line or len(words) < 2 or words[0] not in KEYS:
        return False
    try:
        data = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return False
    return data[4 : 4 + len(words[0])] == words[0].encode()


def _names(entries: Sequence[Entry]) -> Iterator[str]:
    counted = Counter(str(entry.get("name") or "") for entry in entries)
    for name, number in counted.items():
        if name and number > 1:
            yield f"the name {name} is given to {number} instances or fleets: give each a name of its own"


def _replace(params: Mapping[str, Any], instances: Sequence[Entry]) -> Iterator[str]:
    names = [str(entry.get("name")) for entry in instances]
    for name in params.get("replace") or ():
        if name not in names:
            yield f"compute_replace names {name}, which is no instance: known are {', '.join(names) or 'none'}"


def _tags(place: str, tags: Mapping[str, Any]) -> Iterator[str]:
    for key, value in tags.items():
        if str(key).startswith(RESERVED[:2]) or key == RESERVED[2]:
            yield f"{place}: the tag {key} is the platform's own or AWS's: choose another key"
        elif not TAG.fullmatch(str(key)):
            yield f"{place}: the tag '{key}' cannot be told to instances: take letters, digits and + - = . _ , : @"
        if len(str(value)) > 256:
            yield f"{place}: the value of the tag {key} has more than 256 characters"


def _machine(here: str, entry: Entry, default: Mapping[str, Any]) -> Iterator[str]:
    if not NAME.fullmatch(str(entry.get("name") or "")):
        yield f"{here}: the name must be of small letters, digits and hyphens"
    if str(entry.get("role") or "web") not in ROLES:
        yield f"{here}: the role '{entry['role']}' is none of {', '.join(ROLES)}"
    image = {**default, **(entry.get("image") or {})}
    if not image.get("name") or not image.get("owner"):
        yield f"{here}: the image has no name or no owner: give both, here or in compute_image"
    if not entry.get("security_groups"):
        yield f"{here}: there is no security group, and the VPC's default one will not do: give security_groups"
    if len(str(entry.get("user_data") or "").encode()) > USER_DATA:
        yield f"{here}: user_data has more than {USER_DATA} bytes: let it fetch the rest"
    if entry.get("volume_size") is not None and int(entry["volume_size"]) < 1:
        yield f"{here}: volume_size {entry['volume_size']} is no size in GiB"
    yield from _tags(here, entry.get("tags") or {})


def _instance(here: str, entry: Entry) -> Iterator[str]:
    if entry.get("subnet") is None:
        yield f"{here}: there is no subnet: give its id"


def _fleet(here: str, entry: Entry) -> Iterator[str]:
    least, most = int(entry.get("min", 1)), int(entry.get("max", max(int(entry.get("min", 1)), 1)))
    desired = int(entry.get("desired", least))
    if most < 1:
        yield f"{here}: max is {most}: a fleet that may have no instance is none; remove it instead"
    if not 0 <= least <= desired <= most:
        yield f"{here}: min {least}, desired {desired}, max {most}: wanted is 0 <= min <= desired <= max"
    if not entry.get("subnets"):
        yield f"{here}: there are no subnets: give their ids"
    yield from _health(here, entry)
    yield from _hooks(here, entry.get("hooks") or ())
    yield from _policies(here, entry.get("policies") or ())
    yield from _refresh(here, entry.get("refresh") or {})


def _health(here: str, entry: Entry) -> Iterator[str]:
    health = entry.get("health_check") or {}
    kind = health.get("kind")
    if kind and kind not in KINDS:
        yield f"{here}: health_check.kind '{kind}' is none of {', '.join(KINDS)}"
    if kind == "ELB" and not entry.get("target_groups"):
        yield f"{here}: health_check.kind ELB asks a target group, and there is none: give target_groups, or kind EC2"
    if int(health.get("grace_period", 0)) < 0:
        yield f"{here}: health_check.grace_period is negative"
    if entry.get("warm_up") is not None and int(entry["warm_up"]) < 0:
        yield f"{here}: warm_up is negative"


def _hooks(here: str, hooks: Sequence[Entry]) -> Iterator[str]:
    yield from _twice(here, "life-cycle hooks", hooks)
    low, high = HOOK_SECONDS
    for hook in hooks:
        place = f"{here}: life-cycle hook {hook.get('name', '')}"
        if hook.get("transition") not in TRANSITIONS:
            yield f"{place}: transition '{hook.get('transition')}' is none of {', '.join(TRANSITIONS)}"
        if not low <= int(hook.get("timeout", 3600)) <= high:
            yield f"{place}: timeout {hook['timeout']} is not between {low} and {high} seconds"
        if hook.get("default", "abandon") not in ("abandon", "continue"):
            yield f"{place}: default '{hook['default']}' is neither abandon nor continue"


def _policies(here: str, policies: Sequence[Entry]) -> Iterator[str]:
    yield from _twice(here, "scaling policies", policies)
    for policy in policies:
        place = f"{here}: scaling policy {policy.get('name', '')}"
        if policy.get("metric") not in METRICS:
            yield f"{place}: metric '{policy.get('metric')}' is none of {', '.join(METRICS)}"
        if float(policy.get("target") or 0) <= 0:
            yield f"{place}: target must be a number above 0"
        if policy.get("metric") == METRICS[-1] and policy.get("label") is None:
            yield f"{place}: {METRICS[-1]} needs label, as app/NAME/ID/targetgroup/NAME/ID"


def _refresh(here: str, refresh: Mapping[str, Any]) -> Iterator[str]:
    least, most = int(refresh.get("min_healthy", 90)), int(refresh.get("max_healthy", 100))
    if not 0 <= least <= 100 or not 100 <= most <= 200 or most - least > 100:
        yield f"{here}: refresh: min_healthy is 0 to 100, max_healthy 100 to 200, and no more than 100 apart"


def _twice(here: str, what: str, entries: Sequence[Entry]) -> Iterator[str]:
    for name, number in Counter(str(entry.get("name") or "") for entry in entries).items():
        if not NAME.fullmatch(name):
            yield f"{here}: {what}: the name '{name}' must be of small letters, digits and hyphens"
        elif number > 1:
            yield f"{here}: {number} {what} are named {name}: give each a name of its own"


def images(params: Mapping[str, Any]) -> list[dict[str, str]]:
    """The images to look up."""
    return [{"name": image.name, "owner": image.owner} for image in declared(params).images]
