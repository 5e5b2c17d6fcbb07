# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user wrote, made into a request; all findings at once, each with its place in the input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Minimum,
    Request,
    TargetRegistrationError,
    Wish,
    canonical,
)

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
NAME = re.compile(r"^(?!-)[A-Za-z0-9-]{1,32}(?<!-)$")
ARN = re.compile(
    r"^arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/(?P<name>[A-Za-z0-9-]{1,32})/[0-9a-z]+$"
)
MINIMUM = re.compile(r"^[0-9]+%?$")


def findings(params: Mapping[str, Any], _check_mode: bool = False) -> list[str]:
    """Everything that is wrong with the module's parameters, in words; they may be incomplete."""
    groups = params.get("target_groups")
    return [
        *_target_problems(params.get("targets") or []),
        *_option_problems(params),
        *(group_problems(groups) if groups is not None else ()),
    ]


def from_params(params: Mapping[str, Any]) -> Request:
    """Make the request from the module's parameters; raises TargetRegistrationError with all findings."""
    found = findings(params)
    if found:
        raise TargetRegistrationError("\n".join(found))
    return Request(
        groups=tuple(dict.fromkeys(params["target_groups"])),
        wishes=tuple(_wish(number, told) for number, told in enumerate(params["targets"])),
        present=params["state"] == "present",
        exclusive=params["exclusive"],
        minimum=_minimum(params["minimum_healthy"]),
        wait=params["wait"],
        timeout=params["wait_timeout"],
    )


def group_problems(groups: list[str]) -> Iterator[str]:
    """What cannot be the name or the ARN of a target group."""
    if not groups:
        yield "target_groups: no target group is named"
    for number, group in enumerate(groups):
        if group.startswith("arn:"):
            if not ARN.match(group):
                yield f"target_groups[{number}]: '{group}' is not the ARN of a target group"
        elif not NAME.match(group) or "--" in group:
            yield f"target_groups[{number}]: '{group}' is not a target group's name: up to 32 letters, digits and '-'"


def group_name(group: str) -> str:
    """The name of a group that is given by its name or its ARN."""
    told = ARN.match(group)
    return told["name"] if told else group


def _wish(number: int, told: Mapping[str, Any]) -> Wish:
    zone = told.get("availability_zone") or ""
    return Wish(f"targets[{number}]", canonical(told["id"].strip()), told.get("port"), zone)


def _minimum(text: str) -> Minimum:
    number, sign, _rest = text.strip().partition("%")
    return Minimum(int(number), bool(sign))


def _target_problems(targets: list[Mapping[str, Any]]) -> Iterator[str]:
    zones: dict[tuple[str, Any], tuple[int, str]] = {}
    for number, target in enumerate(targets):
        identifier, port = (target.get("id") or "").strip(), target.get("port")
        zone = target.get("availability_zone") or ""
        if "id" in target and not identifier:
            yield f"targets[{number}].id: is empty"
        if isinstance(port, int) and not 1 <= port <= 65535:
            yield f"targets[{number}].port: {port} is not a port, which is a number from 1 to 65535"
        first, other = zones.setdefault((canonical(identifier), port), (number, zone))
        if other != zone:
            yield (
                f"targets[{number}].availability_zone: '{zone}', but '{other}' for the same target in targets[{first}]"
            )


def _option_problems(params: Mapping[str, Any]) -> Iterator[str]:
    minimum, timeout = params["minimum_healthy"].strip(), params.get("wait_timeout")
    if not MINIMUM.match(minimum):
        yield f"minimum_healthy: '{minimum}' is neither a number nor a percentage such as 50%"
    elif _minimum(minimum).percent and _minimum(minimum).number > 100:
        yield f"minimum_healthy: {minimum} is more than 100%"
    if isinstance(timeout, int) and timeout < 1:
        yield f"wait_timeout: {timeout} is no time to wait: give at least 1 second, or wait: false"
    if params.get("exclusive") is True and params.get("state") == "absent":
        yield "exclusive: says what else may be registered, which means nothing with state: absent"
