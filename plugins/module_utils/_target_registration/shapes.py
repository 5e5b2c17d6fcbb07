# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target groups and targets from and into the shapes of the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Health,
    HealthCheck,
    Target,
    TargetGroup,
    canonical,
)


def group_from_api(told: Mapping[str, Any]) -> TargetGroup:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html"""
    matcher = told.get("Matcher") or {}
    return TargetGroup(
        name=told["TargetGroupName"],
        arn=told["TargetGroupArn"],
        kind=told.get("TargetType") or "instance",
        port=told.get("Port"),
        protocol=told.get("Protocol") or "",
        vpc=told.get("VpcId") or "",
        address_type=told.get("IpAddressType") or "ipv4",
        load_balancers=tuple(sorted(set(told.get("LoadBalancerArns") or ()))),
        check=HealthCheck(
            enabled=told.get("HealthCheckEnabled") is not False,
            protocol=told.get("HealthCheckProtocol") or "",
            port=told.get("HealthCheckPort") or "",
            path=told.get("HealthCheckPath") or "",
            statuses=matcher.get("HttpCode") or matcher.get("GrpcCode") or "",
            interval=told.get("HealthCheckIntervalSeconds") or 30,
            timeout=told.get("HealthCheckTimeoutSeconds") or 5,
            threshold=told.get("HealthyThresholdCount") or 5,
        ),
    )


def targets_from_api(told: Iterable[Mapping[str, Any]], group: TargetGroup) -> dict[Target, Health]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealthDescription.html"""
    found = {}
    for entry in told:
        named, health = entry["Target"], entry.get("TargetHealth") or {}
        port = None if group.kind == "lambda" else named.get("Port") or group.port
        found[Target(canonical(named["Id"]), port)] = Health(
            state=health.get("State") or "",
            reason=health.get("Reason") or "",
            description=health.get("Description") or "",
            zone=named.get("AvailabilityZone") or "",
            check_port=entry.get("HealthCheckPort") or "",
        )
    return {target: health for target, health in found.items() if health.listed}


def target_to_api(target: Target, zone: str = "") -> dict[str, Any]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html"""
    told: dict[str, Any] = {"Id": target.id}
    if target.port is not None:
        told["Port"] = target.port
    if zone:
        told["AvailabilityZone"] = zone
    return told
