# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module returns, from the plan and from what was read before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    ABSENT,
    DRAINING,
    Health,
    Target,
    TargetGroup,
    Targets,
    Wanted,
    in_order,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.plan import (
    GroupPlan,
    Membership,
    Plan,
    membership,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.reasons import done

INITIAL = "initial"
NOWHERE = Health(ABSENT)


def result(planned: Plan, before: Mapping[str, Targets], after: Mapping[str, Targets], waited: float) -> dict[str, Any]:
    """The module's result, the number of calls apart."""
    return {
        "changed": planned.changed,
        "plan": planned.sentences(),
        "target_groups": {
            item.group.name: _group(item.group, before[item.group.arn], after[item.group.arn])
            for item in planned.groups
        },
        "waited": round(waited, 1),
        "diff": [_diff(item, before[item.group.arn]) for item in planned.groups if item.changed],
    }


def expected(planned: Plan, before: Mapping[str, Targets], wanted: Sequence[Wanted], wait: bool) -> dict[str, Targets]:
    """The states after a run, for check mode."""
    changes = {item.group.arn: item for item in planned.groups}
    return {item.group.arn: _expected(changes[item.group.arn], before[item.group.arn], item, wait) for item in wanted}


def _expected(changes: GroupPlan, before: Targets, wanted: Wanted, wait: bool) -> Targets:
    after = dict(before)
    for target in changes.register:
        after[target] = Health(INITIAL)
    for target in changes.deregister:
        after[target] = Health(DRAINING)
    if not wait:
        return after
    for target in wanted.present:
        if not done(wanted.group, after[target]):
            after[target] = Health(wanted.group.best)
    return {target: health for target, health in after.items() if not wanted.unwanted(target)}


def _group(group: TargetGroup, before: Targets, after: Targets) -> dict[str, Any]:
    return {
        "arn": group.arn,
        "targets": [_target(target, before, after) for target in in_order(before.keys() | after.keys())],
    }


def _target(target: Target, before: Targets, after: Targets) -> dict[str, Any]:
    now = after.get(target, NOWHERE)
    return {
        "id": target.id,
        "port": target.port,
        "before": before.get(target, NOWHERE).state,
        "after": now.state,
        "reason": now.reason,
        "description": now.description,
    }


def _diff(changes: GroupPlan, before: Targets) -> dict[str, str]:
    header = f"targets of {changes.group.name}"
    return {
        "before_header": header,
        "after_header": header,
        "before": _shown(membership(before)),
        "after": _shown(changes.after(before)),
    }


def _shown(members: Membership) -> str:
    return "".join(f"{target} {members[target]}\n" for target in in_order(members))
