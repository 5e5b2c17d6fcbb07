# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target groups, as they are and as they should be, in the API's own words.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.naming import resource_name

OWNER, SERVICE, NAME = "gatehouse:platform", "gatehouse:service", "Name"
# What a group has for its life.
FIXED = ("Protocol", "ProtocolVersion", "Port", "TargetType", "VpcId")
CHECK = (
    "HealthCheckProtocol", "HealthCheckPort", "HealthCheckPath", "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount",
)  # fmt: skip
DELAY, SLOW_START = "deregistration_delay.timeout_seconds", "slow_start.duration_seconds"
ALGORITHM, STICKY = "load_balancing.algorithm.type", "stickiness.enabled"
# "You can't use both slow start and least outstanding requests" (or weighted random).
ROUND_ROBIN = "round_robin"
# Stickiness lasts "1 second to 1 week (604800 seconds)".
WEEK = 604800


class TargetGroupsError(Exception):
    """Something that the user has to know; ``str()`` is the whole message."""


@dataclass(frozen=True)
class TargetGroup:
    """``fixed``, ``check`` and ``attributes`` by the API's names; the matcher of codes is in ``check`` as Matcher."""

    service: str
    name: str
    fixed: Mapping[str, Any]
    check: Mapping[str, Any]
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    arn: str = ""

    def named(self, name: str) -> TargetGroup:
        """The same group by another name."""
        return replace(self, name=name, tags={**self.tags, NAME: name})

    def lines(self) -> Iterator[str]:
        """The group as the lines of a diff."""
        yield f"{self.name}: {self.fixed['Protocol']} {self.fixed['Port']} of {self.service or 'no service'}"
        for settings in (self.check, self.attributes, self.tags):
            yield from (f"  {key}: {settings[key]}" for key in sorted(settings))


def from_params(params: Mapping[str, Any]) -> list[TargetGroup]:
    """The wanted groups, by the names that they have when nobody is in the way."""
    return [_wanted(group, params) for group in params["groups"]]


def _wanted(group: Mapping[str, Any], params: Mapping[str, Any]) -> TargetGroup:
    name = resource_name(params["platform"], group["name"])
    fixed = {
        "Protocol": group["protocol"],
        "ProtocolVersion": group["protocol_version"],
        "Port": group["port"],
        "TargetType": group["target_type"],
        "VpcId": params["vpc_id"],
    }
    tags = {**(params["tags"] or {}), OWNER: params["platform"], SERVICE: group["name"], NAME: name}
    return TargetGroup(group["name"], name, fixed, _check(group), _attributes(group), tags)


def _check(group: Mapping[str, Any]) -> dict[str, Any]:
    told = group["health_check"]
    code = "GrpcCode" if group["protocol_version"] == "GRPC" else "HttpCode"
    values = (
        told["protocol"] or group["protocol"], str(told["port"]), told["path"],
        told["interval"], told["timeout"], told["healthy"], told["unhealthy"],
    )  # fmt: skip
    return {**dict(zip(CHECK, values, strict=True)), "Matcher": {code: str(told["codes"])}}


def _attributes(group: Mapping[str, Any]) -> dict[str, str]:
    attributes = {
        DELAY: str(group["deregistration_delay"]),
        SLOW_START: str(group["slow_start"]),
        ALGORITHM: group["algorithm"],
        STICKY: "false",
    }
    seconds, cookie = group["stickiness"]["seconds"], group["stickiness"]["cookie"]
    if seconds:
        kind = "app_cookie" if cookie else "lb_cookie"
        attributes |= {STICKY: "true", "stickiness.type": kind, f"stickiness.{kind}.duration_seconds": str(seconds)}
        if cookie:
            attributes["stickiness.app_cookie.cookie_name"] = cookie
    return attributes


def from_api(told: Mapping[str, Any], tags: Mapping[str, str], attributes: Mapping[str, str]) -> TargetGroup:
    """A group that there is."""
    return TargetGroup(
        service=tags.get(SERVICE, ""),
        name=told["TargetGroupName"],
        fixed={key: told.get(key) for key in FIXED},
        check={key: told[key] for key in (*CHECK, "Matcher") if key in told},
        attributes=attributes,
        tags=tags,
        arn=told["TargetGroupArn"],
    )


def findings(params: Mapping[str, Any], _check_mode: bool = False) -> Iterator[str]:
    """What an argument spec cannot say."""
    seen: set[str] = set()
    for index, group in enumerate(params.get("groups") or []):
        where = f"groups[{index}] {group['name']}"
        if group["name"] in seen:
            yield f"{where}: there is a group of this name already"
        seen.add(group["name"])
        yield from (f"{where}: {finding}" for finding in _group_findings(group))
    if params.get("state") == "present" and params.get("vpc_id") == "" and not _check_mode:
        yield "vpc_id is empty: there is no VPC to make target groups in"


def _group_findings(group: Mapping[str, Any]) -> Iterator[str]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html"""
    check = group["health_check"]
    limits = {
        "port": (group["port"], 1, 65535),
        "health_check.interval": (check["interval"], 5, 300),
        "health_check.timeout": (check["timeout"], 2, 120),
        "health_check.healthy": (check["healthy"], 2, 10),
        "health_check.unhealthy": (check["unhealthy"], 2, 10),
        "deregistration_delay": (group["deregistration_delay"], 0, 3600),
        "stickiness.seconds": (group["stickiness"]["seconds"], 0, WEEK),
    }
    for key, (value, least, most) in limits.items():
        if not least <= value <= most:
            yield f"{key} is {value}, and AWS takes {least} to {most}"
    if check["timeout"] >= check["interval"]:
        yield f"health_check.timeout ({check['timeout']}) is not shorter than the interval ({check['interval']})"
    if not str(check["path"]).startswith("/"):
        yield f"health_check.path '{check['path']}' does not begin with a slash"
    if group["slow_start"] and not 30 <= group["slow_start"] <= 900:
        yield f"slow_start is {group['slow_start']}, and AWS takes 0 (off) or 30 to 900"
    if group["slow_start"] and group["algorithm"] != ROUND_ROBIN:
        yield f"slow_start needs the algorithm {ROUND_ROBIN}, not {group['algorithm']}"
