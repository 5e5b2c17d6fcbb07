# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a group as it is to one that is locked or free again; pure.

The tags come first and go last: at whatever point a run is killed, they say which processes it has suspended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock.model import (
    LOCK,
    SUSPENDED,
    FleetLockError,
    Group,
    Lock,
    listed,
)

# A lock is renewed once it has lasted for one part in so many of the time after which others take it over.
RENEWED = 4


@dataclass(frozen=True)
class Wish:
    """``stale`` is the age in seconds from which somebody else's lock is taken over. With ``renewed`` nothing is locked
    or unlocked.
    """

    locked: bool
    lock: Lock
    processes: frozenset[str] = frozenset()
    stale: int = 3600
    force: bool = False
    renewed: bool = False


@dataclass(frozen=True)
class Plan:
    """What to do with a group, in this order: tag, suspend, resume, untag. ``lost``: a lock to renew is not there."""

    group: Group
    tags: tuple[tuple[str, str], ...] = ()
    suspend: frozenset[str] = frozenset()
    resume: frozenset[str] = frozenset()
    untag: tuple[str, ...] = ()
    taken_over: Lock | None = None
    lost: bool = False

    @property
    def changed(self) -> bool:
        return bool(self.tags or self.suspend or self.resume or self.untag)

    def after(self) -> Group:
        """The group once it is carried out."""
        tags = dict(self.tags)
        group = replace(self.group, suspended=(self.group.suspended | self.suspend) - self.resume)
        if LOCK in tags:
            group = replace(group, lock=Lock.parse(tags[LOCK]), ours=frozenset(tags[SUSPENDED].split()))
        return replace(group, lock=None, ours=frozenset()) if self.untag else group

    def sentences(self) -> list[str]:
        """In words."""
        name = self.group.name
        told = [f"{name}: takes over the lock of {self.taken_over}"] if self.taken_over else []
        if self.tags and not self.taken_over:
            told += [f"{name}: renews the lock" if self.group.lock else f"{name}: locks the fleet"]
        told += [f"{name}: suspends {listed(self.suspend)}"] if self.suspend else []
        told += [f"{name}: this run has lost its lock to {self.group.lock or 'nobody'}"] if self.lost else []
        told += [f"{name}: resumes {listed(self.resume)}"] if self.resume else []
        return told + ([f"{name}: unlocks the fleet"] if self.untag else [])


def plan(group: Group, wish: Wish, is_dead: Callable[[Lock], bool]) -> Plan:
    """How to get there; raises FleetLockError when somebody else holds the lock.

    ``is_dead`` tells whether the run that holds a lock is known to be over. What a dead run has suspended is
    resumed by its successor, beside what that suspends itself. Processes that others have suspended stay so.
    """
    if wish.renewed:
        return _renewal(group, wish)
    other = group.lock if group.lock and group.lock.run != wish.lock.run else None
    if other and not (wish.force or is_dead(other) or other.older_than(wish.stale, wish.lock.since)):
        raise FleetLockError(
            f"{group.name} is locked: {other} is at work on it. Wait for that run. If it is over, say so with the "
            f"option force (-e fleet_force=true); by itself a lock ends {wish.stale} seconds after it was taken"
        )
    if not wish.locked:
        kept = tuple(key for key, there in ((SUSPENDED, group.ours or group.lock), (LOCK, group.lock)) if there)
        return Plan(group, resume=group.ours & group.suspended, untag=kept, taken_over=other)
    new = wish.processes - group.suspended
    ours = group.ours | new
    lock = group.lock if group.lock and not other else wish.lock
    tagged = group.lock == lock and group.ours == ours
    tags = () if tagged else ((LOCK, str(lock)), (SUSPENDED, listed(ours)))
    return Plan(group, tags=tags, suspend=new, taken_over=other)


def _renewal(group: Group, wish: Wish) -> Plan:
    """A run that has lost its lock does not win it back."""
    if not group.lock or group.lock.run != wish.lock.run:
        return Plan(group, lost=True)
    if not group.lock.older_than(wish.stale // RENEWED, wish.lock.since):
        return Plan(group)
    return Plan(group, tags=((LOCK, str(wish.lock)), (SUSPENDED, listed(group.ours))))
