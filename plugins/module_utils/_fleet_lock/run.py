# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the locks of fleets to their state: read, plan, carry out, and look who was faster."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock import api
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock.model import (
    PROCESSES,
    FleetLockError,
    Group,
    Lock,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock.plan import Plan, Wish, plan

# Tags have no "only if nobody was faster": whoever wrote last holds the lock, and looks once more after so many
# seconds, which is longer than the others take from their look to their tag.
SETTLED = 2.0


def findings(params: Mapping[str, Any], _check_mode: bool = False) -> list[str]:
    """What is wrong with the module's parameters, in words."""
    unknown = sorted(set(params.get("suspend") or ()) - set(PROCESSES))
    return [f"suspend: {name} is no process of Auto Scaling; there are {', '.join(PROCESSES)}" for name in unknown]


def bring_to_state(
    params: Mapping[str, Any], client: Any, retries: Retries, clock: Clock, check_mode: bool
) -> dict[str, Any]:
    """The module's result; raises FleetLockError before anything is changed, and AwsError."""
    told = findings(params)
    if told:
        raise FleetLockError("; ".join(told))
    wish = _wish(params)
    names = list(dict.fromkeys(params["groups"]))
    groups = retries.reading(lambda: api.describe(client, names))
    missing = [name for name in names if name not in groups]
    if missing and wish.locked:
        raise FleetLockError(f"there is no Auto Scaling group {', '.join(missing)}")
    plans = [plan(groups[name], wish, _is_dead(wish.lock.owner)) for name in names if name in groups]
    if not check_mode:
        for each in plans:
            _carry_out(each, client, retries)
        if wish.locked and any(each.tags for each in plans):
            clock.sleep(SETTLED)
            _look_again(retries.reading(lambda: api.describe(client, names)), wish)
    return {
        "changed": any(each.changed for each in plans),
        "plan": [sentence for each in plans for sentence in each.sentences()],
        "groups": {each.group.name: _result(each.after()) for each in plans},
        "lost": [each.group.name for each in plans if each.lost],
    }


def _wish(params: Mapping[str, Any]) -> Wish:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return Wish(
        params["state"] == "locked",
        Lock(params["owner"], params["run"], now),
        frozenset(params["suspend"]),
        params["lock_timeout"],
        params["force"],
        params["state"] == "renewed",
    )


def _carry_out(each: Plan, client: Any, retries: Retries) -> None:
    """Every step may be repeated, so each is asked again where that can help."""
    name = each.group.name
    if each.tags:
        retries.reading(lambda: api.tag(client, name, each.tags))
    if each.suspend:
        retries.reading(lambda: api.suspend(client, name, each.suspend))
    if each.resume:
        retries.reading(lambda: api.resume(client, name, each.resume))
    if each.untag:
        retries.reading(lambda: api.untag(client, name, each.untag))


def _look_again(groups: Mapping[str, Group], wish: Wish) -> None:
    for name, group in groups.items():
        if group.lock is None or group.lock.run != wish.lock.run:
            raise FleetLockError(f"{name} was locked by {group.lock} at the same time, and that run goes first")


def _is_dead(owner: str) -> Any:
    """Tells of a lock whether its run was one of this machine's and is over; of others nobody knows."""

    def is_dead(lock: Lock) -> bool:
        return lock.owner == owner and not is_alive(lock.run)

    return is_dead


def is_alive(run: str) -> bool:
    """Whether a run of this machine goes on: its process, and when that started where the machine tells."""
    process, started, names = [*run.split("-"), "", ""][:3]
    if not process.isdigit() or (names and names != namespace()):
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not started or started_at(int(process)) in ("", started)


def identity(process: int) -> str:
    """What tells a run of this machine from all others."""
    return f"{process}-{started_at(process)}-{namespace()}"


def namespace() -> str:
    """Number of the namespace that process ids are of (namespaces(7)); empty where the machine does not tell.

    Containers of one name have different ones, and the same ids.
    """
    try:
        return os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return ""


def started_at(process: int) -> str:
    """Start of a process in ticks of the kernel's clock (proc(5)); empty where the machine does not tell."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _result(group: Group) -> dict[str, Any]:
    return {"lock": str(group.lock) if group.lock else "", "suspended": sorted(group.suspended)}
