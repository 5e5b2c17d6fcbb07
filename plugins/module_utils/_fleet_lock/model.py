# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who works on a fleet, and which of its scaling processes stand still meanwhile: two tags of the group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

LOCK, SUSPENDED = "gatehouse:lock", "gatehouse:suspended"
# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ScalingProcessQuery.html
PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)
TIME = "%Y-%m-%dT%H:%M:%SZ"
_VALUE = re.compile(r"(\S+) run (\S+) since (\S+)")


class FleetLockError(Exception):
    """Somebody else holds a lock, or the group cannot be locked; ``str()`` is the whole message."""


@dataclass(frozen=True)
class Lock:
    """``owner`` is a user and a machine, ``run`` one run of Ansible on it."""

    owner: str
    run: str
    since: datetime

    def __str__(self) -> str:
        return f"{self.owner} run {self.run} since {self.since.strftime(TIME)}"

    @classmethod
    def parse(cls, value: str) -> Lock:
        """What a tag says; one that nobody can read counts as held for ever by whoever wrote it."""
        found = _VALUE.fullmatch(value)
        try:
            since = datetime.strptime(found[3], TIME) if found else datetime.max
        except ValueError:
            since = datetime.max
        return cls(found[1] if found else value, found[2] if found else "", since.replace(tzinfo=timezone.utc))

    def older_than(self, seconds: int, now: datetime) -> bool:
        """Whether it was taken longer ago than so many seconds."""
        return now - self.since > timedelta(seconds=seconds)


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group as far as locking is concerned; ``ours`` are processes that a run has suspended."""

    name: str
    lock: Lock | None = None
    ours: frozenset[str] = frozenset()
    suspended: frozenset[str] = frozenset()

    @classmethod
    def from_api(cls, told: Mapping[str, Any]) -> Group:
        """From an entry of DescribeAutoScalingGroups."""
        tags = {tag["Key"]: tag["Value"] for tag in told.get("Tags") or []}
        return cls(
            told["AutoScalingGroupName"],
            Lock.parse(tags[LOCK]) if LOCK in tags else None,
            frozenset(tags.get(SUSPENDED, "").split()),
            frozenset(one["ProcessName"] for one in told.get("SuspendedProcesses") or []),
        )


def listed(processes: Iterable[str]) -> str:
    """Processes as a tag has them."""
    return " ".join(sorted(processes))
