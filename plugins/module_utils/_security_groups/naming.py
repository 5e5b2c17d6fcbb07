# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names, descriptions and tags may consist of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import rules
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    DEFAULT,
    OWNER_TAG,
    key,
)

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
TEXT = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
# Without &: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UserIdGroupPair.html
TEXT_OF_REFERENCE = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=;{}!$*]{0,255}")
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
MOST_TAGS = 50


def of_names(names: Iterable[str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for index, name in enumerate(names):
        place, plain = f"groups[{index}] {name}", name.strip()
        if not plain or not TEXT.fullmatch(plain):
            yield f"{place}: a name has 1 to 255 of the characters a-z, A-Z, 0-9, space and ._-:/()#,@[]+=&;{{}}!$*"
        elif why := undeclarable(plain):
            yield f"{place}: {why}"
        if key(plain) in seen:
            yield f"{place}: the same name as {seen[key(plain)]}, names are compared without regard to case"
        seen.setdefault(key(plain), f"groups[{index}] {name}")


def undeclarable(name: str) -> str:
    """Why a group of this name cannot be declared; empty where it can."""
    if key(name) == DEFAULT:
        return "the group 'default' is the VPC's own and belongs to no set"
    if key(name).startswith("sg-") or re.fullmatch(r"\d{12}/sg-.*", key(name)):
        return "a name that looks like the id of a group cannot be told from one"
    if key(name).startswith("pl-"):
        return "a name that looks like the id of a prefix list cannot be told from one"
    if rules.looks_like_cidr(name):
        return "a name that looks like a CIDR cannot be told from one"
    return ""


def of_tags(place: str, tags: Mapping[str, Any], most: int) -> Iterator[str]:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions"""
    if len(tags) > most:
        yield f"{place} tags: {len(tags)}, and a group has at most {MOST_TAGS}, that of the owner included"
    for name, value in tags.items():
        if str(name) == OWNER_TAG:
            yield f"{place} tags: {OWNER_TAG} is set by owner"
        elif str(name).lower().startswith("aws:") or not 0 < len(str(name)) <= 128:
            yield f"{place} tags '{name}': a key has 1 to 128 characters and does not begin with aws:"
        elif isinstance(value, (dict, list)) or value is None or len(str(value)) > 256:
            yield f"{place} tags '{name}': a value is a text of at most 256 characters"
