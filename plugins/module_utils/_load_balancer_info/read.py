# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A platform's load balancer and what it says of its targets; only reads.

It is found by the name that follows from the platform's, which the tag has to confirm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import side_by_side
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.findings import load_balancer_name
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_info import api
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.api import describe_tags
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.model import OWNER, SERVICE
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.api import describe_targets
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    HEALTHY,
    TargetGroup,
    in_order,
)

# Seconds between two looks at targets that are not healthy yet.
PAUSE = 2.0


def read(elbv2: Any, ec2: Any, params: Mapping[str, Any], retries: Retries) -> dict[str, Any]:
    """The module's result; raises AwsError. It looks again until what should be ``healthy`` is, or time is over."""
    found = until_healthy(elbv2, params, retries)
    subnets = found.pop("subnets")
    blocks = retries.reading(lambda: api.describe_blocks(ec2, subnets)) if subnets else []
    return {**found, "networks": blocks}


def until_healthy(elbv2: Any, params: Mapping[str, Any], retries: Retries) -> dict[str, Any]:
    """All but the networks, with those that are waited for in vain."""
    clock = retries.clock
    deadline = clock.now() + params["wait"]
    while True:
        found = retries.reading(lambda: look(elbv2, params["platform"]))
        waiting = waits_for(found["services"], params["healthy"])
        if not found["arn"] or not waiting or clock.now() >= deadline:
            return {**found, "waiting": waiting}
        pause(clock, deadline)
        retries.renew()


def pause(clock: Clock, deadline: float) -> None:
    clock.sleep(max(0.0, min(PAUSE, deadline - clock.now())))


def look(elbv2: Any, platform: str) -> dict[str, Any]:
    """What there is now."""
    name = load_balancer_name(platform)
    told = api.describe_load_balancer(elbv2, name)
    arn = str((told or {}).get("LoadBalancerArn") or "")
    if not told or describe_tags(elbv2, [arn]).get(arn, {}).get(OWNER) != platform:
        return {"name": name, "arn": "", "dns_name": "", "zone_id": "", "scheme": "", "subnets": [], "services": {}}
    return {
        "name": name,
        "arn": arn,
        "dns_name": told["DNSName"],
        "zone_id": told.get("CanonicalHostedZoneId") or "",
        "scheme": told.get("Scheme") or "",
        "subnets": [str(zone["SubnetId"]) for zone in told.get("AvailabilityZones") or ()],
        "services": services(elbv2, api.describe_groups(elbv2, arn)),
    }


def services(elbv2: Any, groups: Sequence[TargetGroup]) -> dict[str, list[dict[str, Any]]]:
    """The targets by the service whose name the tag of their group says."""
    tags = describe_tags(elbv2, [group.arn for group in groups])
    found: dict[str, list[dict[str, Any]]] = {}
    for group, targets, error in side_by_side(lambda group: describe_targets(elbv2, group), groups):
        if error:
            raise error
        service = tags.get(group.arn, {}).get(SERVICE) or group.name
        found.setdefault(service, [])
        for target in in_order(targets or {}):
            health = (targets or {})[target]
            told = {"state": health.state, "reason": health.reason, "description": health.description}
            found[service].append({"id": target.id, "port": target.port, "availability_zone": health.zone, **told})
    return found


def waits_for(found: Mapping[str, Sequence[Mapping[str, Any]]], healthy: Iterable[str]) -> list[str]:
    """Those of the targets that are registered nowhere, or not healthy somewhere."""
    states: dict[str, set[str]] = {}
    for targets in found.values():
        for target in targets:
            states.setdefault(str(target["id"]), set()).add(str(target["state"]))
    return [target for target in dict.fromkeys(healthy) if states.get(target) != {HEALTHY}]
