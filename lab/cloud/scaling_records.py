# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of an Auto Scaling group beyond moto, as data: instances, activities, life-cycle actions, refreshes.

Times are seconds on the control plane's clock.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# "The maximum is 172800 seconds (48 hours) or 100 times the heartbeat timeout, whichever is smaller."
LONGEST_WAIT = 172800.0
LAUNCHING = "Launching a new EC2 instance"
TERMINATING = "Terminating EC2 instance"
TO_STANDBY = "Moving EC2 instance to Standby"
FROM_STANDBY = "Moving EC2 instance out of Standby"
ATTACHING, DETACHING = "Attaching an existing EC2 instance", "Detaching EC2 instance"
DIFFERENCE = "a difference between desired and actual capacity"


@dataclass(frozen=True)
class Hook:
    """A life-cycle hook as far as waiting is concerned. ``result`` is what the end of the wait means."""

    name: str
    heartbeat: float
    result: str


@dataclass
class Wait:
    """A life-cycle action that is not completed."""

    hook: Hook
    token: str
    deadline: float
    longest: float


@dataclass
class Member:
    """An instance of a group."""

    id: str
    zone: str
    type: str
    template: dict[str, str] | None
    life_cycle: str = "Pending"
    healthy: bool = True
    protected: bool = False
    since: float | None = None
    waits: list[Wait] = field(default_factory=list)


@dataclass
class Activity:
    """A scaling activity; ``end`` is None while it goes on."""

    id: str
    group: str
    description: str
    cause: str
    start: float
    details: str
    end: float | None = None
    status: str = "InProgress"
    progress: int = 0
    message: str | None = None


@dataclass
class Refresh:
    """An instance refresh. ``desired`` is the configuration that it was told to bring."""

    id: str
    preferences: dict[str, Any]
    desired: dict[str, Any] | None
    start: float
    end: float | None = None
    status: str = "Pending"
    percentage: int = 0
    left: int | None = None
    reason: str = ""

    @property
    def active(self) -> bool:
        return self.end is None


@dataclass
class Record:
    """What is known of one group. ``told`` are fields of the API that are kept as they came; ``request`` is the last
    change of the desired capacity in words, and how many instances it is still the cause of.
    """

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    refreshes: list[Refresh] = field(default_factory=list)
    target_groups: dict[str, str] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    suspended: dict[str, float] = field(default_factory=dict)
    notifications: dict[str, list[str]] = field(default_factory=dict)
    request: tuple[str, int] = ("", 0)
    deleting: bool = False
    created: float = 0.0

    def active_refresh(self) -> Refresh | None:
        return next((refresh for refresh in self.refreshes if refresh.active), None)


def of_instance(record: Record, instance: str) -> list[Activity]:
    """The activities of a group that are about an instance."""
    return [activity for activity in record.activities if activity.description.endswith(f": {instance}")]


def zone_of(member: Member) -> dict[str, str]:
    return {"Availability Zone": member.zone}


def capacity(record: Record) -> list[Member]:
    """The instances that count as capacity."""
    counts = ("Pending", "InService")
    return [member for member in record.members.values() if member.life_cycle.startswith(counts)]
