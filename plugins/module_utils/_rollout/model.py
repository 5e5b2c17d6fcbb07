# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets, their hosts, and what is done to each: the words of a rollout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
IN_SERVICE, PENDING = "InService", "Pending"
HEALTHY, DRAINING, ABSENT = "healthy", "draining", "absent"
BATCH, MINIMUM = "34%", "50%"
_SHARE = re.compile(r"([0-9]+)(%?)")


class RolloutError(Exception):
    """Findings; ``str()`` has all of them."""


@dataclass(frozen=True)
class Share:
    """A number of hosts, or a percentage of a fleet."""

    number: int
    percent: bool = False

    @classmethod
    def parse(cls, told: object) -> Share:
        """From what a declaration says, as 3 or 34%; raises ValueError."""
        found = _SHARE.fullmatch(str(told).strip())
        if not found or (found[2] and int(found[1]) > 100):
            raise ValueError(f"'{told}' is neither a number nor a percentage such as 34%")
        return cls(int(found[1]), bool(found[2]))

    def of(self, total: int) -> int:
        """Of so many, rounded up."""
        return -(-self.number * total // 100) if self.percent else self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)


@dataclass(frozen=True)
class Fleet:
    """A fleet as it is declared, with those of its hosts that the inventory has; ``group`` is Auto Scaling's name.

    ``timeout`` are seconds for a host to be healthy in the load balancer, 0 where the target group decides.
    """

    name: str
    group: str
    services: tuple[str, ...]
    members: tuple[str, ...]
    batch: Share = field(default_factory=lambda: Share.parse(BATCH))
    minimum: Share = field(default_factory=lambda: Share.parse(MINIMUM))
    timeout: int = 0

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Fleet:
        """From plain data."""
        batch, minimum = Share.parse(told["batch"]), Share.parse(told["minimum"])
        services, members = tuple(told["services"]), tuple(told["members"])
        return cls(str(told["name"]), str(told["group"]), services, members, batch, minimum, int(told["timeout"]))

    def told(self) -> dict[str, Any]:
        """As plain data."""
        shares = {"batch": str(self.batch), "minimum": str(self.minimum), "timeout": self.timeout}
        lists = {"services": list(self.services), "members": list(self.members)}
        return {"name": self.name, "group": self.group, **lists, **shares}

    def floor(self, serving: int) -> int:
        """How many of so many hosts have to stay healthy."""
        return self.minimum.of(serving)

    def size(self, serving: int) -> int:
        """How many of so many hosts are worked on at once: never more than the minimum of healthy ones lets go."""
        return max(1, min(self.batch.of(serving), serving - self.floor(serving)))


@dataclass(frozen=True)
class Host:
    """A host before the rollout.

    ``life_cycle`` is its state in the Auto Scaling group, empty outside of it. ``standing`` is the worst of its states
    in the target groups, empty where the fleet has none. ``changes``: the host has something to do by itself.
    ``before`` has what is live by service, with ``release`` and ``color``; ``releases`` are those to go to, and
    ``sources`` where those come from that the host does not have. A ``problem`` keeps the rollout from beginning; what
    a host ``lacks`` leaves that host out.
    """

    name: str
    life_cycle: str = IN_SERVICE
    standing: str = HEALTHY
    changes: bool = True
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    releases: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    problem: str = ""
    lacks: str = ""

    @property
    def serves(self) -> bool:
        """Whether Auto Scaling has it in service, so that it has to be in the load balancer."""
        return self.life_cycle == IN_SERVICE

    @property
    def stays(self) -> bool:
        """Whether nothing is to be done."""
        return not self.changes and (not self.serves or self.standing in (HEALTHY, ""))

    @property
    def bare(self) -> bool:
        """Whether no service has ever been live on it."""
        return not any(live.get("release") for live in self.before.values())


@dataclass(frozen=True)
class Step:
    """What is done to one host. ``releases`` are those to go to by service, empty where the declaration says it, and
    ``sources`` where those come from that the host does not have.
    """

    fleet: str
    drain: bool = False
    register: bool = False
    bare: bool = False
    switch: bool = True
    releases: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True)
class FleetPlan:
    """Hosts in batches, in order; ``steps`` by host; ``left`` are hosts that are not touched, and why."""

    fleet: Fleet
    serving: int
    batches: tuple[tuple[str, ...], ...] = ()
    steps: Mapping[str, Step] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
