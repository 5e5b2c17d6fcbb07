# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the host, plans, guards the way in, and carries the plan out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._bastion import api, guard, plan, render, sshd
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import (
    DROP_IN,
    BastionError,
    Current,
    Settings,
    from_params,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._packages import missing_packages

VERBS: dict[str, Callable[..., None]] = {
    "add_member": api.add_member,
    "create_group": api.create_group,
    "create_user": api.create_user,
    "delete_table": api.delete_table,
    "disable_unit": api.disable_unit,
    "enable_unit": api.enable_unit,
    "load_rules": api.load_rules,
    "reload_sshd": sshd.reload_sshd,
    "remove": api.remove,
    "remove_group": api.remove_group,
    "remove_member": api.remove_member,
    "remove_user": api.remove_user,
    "switch_sshd": sshd.switch_sshd,
    "write": api.write,
}

# Steps after which a user may be kept out.
GUARDED = ("reload_sshd", "remove_member", "remove_user", "switch_sshd")


def run(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Bring the host to the declared state; raises BastionError, with nothing changed when it can be known before."""
    settings = from_params(params)
    missing = missing_packages(params["packages"]) if settings.present else []
    current = _current(settings)
    steps = plan.plan(settings, current)
    if any(step.verb in GUARDED for step in steps):
        _guard(settings, current, steps)
    apply = not missing and not check_mode
    if apply:
        for step in steps:
            VERBS[step.verb](*step.arguments)
    return {
        "changed": bool(steps) and (apply or check_mode),
        "plan": [step.sentence for step in steps],
        "missing_packages": missing,
        "diff": _diff(settings, current),
    }


def _current(settings: Settings) -> Current:
    groups = api.groups()
    return Current(
        groups=groups,
        users=api.users(),
        files=api.files(),
        host_keys=api.host_keys(),
        algorithms=api.algorithms(),
        rules_loaded=api.rules_loaded(groups.get(settings.jump_group)),
        unit_enabled=api.unit_enabled(),
        reload_due=api.reload_due(),
    )


def _guard(settings: Settings, current: Current, steps: Sequence[plan.Step]) -> None:
    """Refuse a change that would not let this run's own user in again, or that sshd does not accept."""
    reasons = []
    if settings.pinned_host_keys and not api.public_keys(current.host_keys) & set(settings.pinned_host_keys):
        reasons.append("none of the host keys pinned in the inventory would be offered: pin an Ed25519 or an RSA key")
    with sshd.staged(DROP_IN, render.files(settings, current).get(DROP_IN, "")) as path:
        sshd.test(path)
        connection = api.connection()
        if connection:
            live, then = sshd.effective(sshd.MAIN, connection), sshd.effective(path, connection)
            groups = plan.groups_after(steps, connection)
            reasons += guard.refusals(connection, groups, live, then)
            if any(step.verb == "remove_user" and connection.user in step.arguments for step in steps):
                reasons.append(f"the user {connection.user} would be removed")
    if reasons:
        raise BastionError(f"This run would lock itself out, nothing was changed: {'; '.join(reasons)}")


def _diff(settings: Settings, current: Current) -> list[dict[str, str]]:
    desired = render.files(settings, current)
    return [
        {
            "before": current.files.get(path, ""),
            "after": desired.get(path, ""),
            "before_header": path,
            "after_header": path,
        }
        for path in sorted({*current.files, *desired})
        if current.files.get(path) != desired.get(path)
    ]
