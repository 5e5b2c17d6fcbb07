# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is registered where, and how it is; only reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration import api
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Health,
    Target,
    TargetGroup,
    TargetRegistrationError,
    Targets,
    canonical,
    in_order,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.params import group_problems
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.remote import Remote


def findings(params: Mapping[str, Any], _check_mode: bool = False) -> list[str]:
    """Everything that is wrong with the module's parameters, in words."""
    names = params.get("target_groups")
    return [] if names is None else list(group_problems(names))


def read(params: Mapping[str, Any], remote: Remote) -> dict[str, Any]:
    """The module's result; raises TargetRegistrationError and AwsError."""
    found = findings(params)
    if found:
        raise TargetRegistrationError("\n".join(found))
    names: list[str] | None = params["target_groups"]
    if names is None:
        groups = remote.retries.reading(lambda: api.describe_all_groups(remote.elbv2))
    else:
        groups = remote.groups(names)
    targets = remote.targets(groups)
    ids = {canonical(identifier) for identifier in params["targets"] or ()}
    told = {group.name: _group(group, _named(targets[group.arn], ids)) for group in groups}
    return {"target_groups": {name: group for name, group in told.items() if group["targets"] or not ids}}


def _named(targets: Targets, ids: set[str]) -> Targets:
    return {target: health for target, health in targets.items() if not ids or target.id in ids}


def _group(group: TargetGroup, targets: Targets) -> dict[str, Any]:
    return {
        "arn": group.arn,
        "target_type": group.kind,
        "protocol": group.protocol,
        "port": group.port,
        "vpc_id": group.vpc,
        "load_balancers": list(group.load_balancers),
        "targets": [_target(target, targets[target]) for target in in_order(targets)],
        "registered": [
            _registered(target, targets[target]) for target in in_order(targets) if not targets[target].draining
        ],
    }


def _target(target: Target, health: Health) -> dict[str, Any]:
    return {
        "id": target.id,
        "port": target.port,
        "availability_zone": health.zone,
        "state": health.state,
        "reason": health.reason,
        "description": health.description,
    }


def _registered(target: Target, health: Health) -> dict[str, Any]:
    """The target as M(gatehouse.platform.target_registration) takes it."""
    told: dict[str, Any] = {"id": target.id}
    if target.port is not None:
        told["port"] = target.port
    if health.zone:
        told["availability_zone"] = health.zone
    return told
