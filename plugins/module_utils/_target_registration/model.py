# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target groups, their targets and what is wanted of them, in the one form in which they are compared."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# States as DescribeTargetHealth tells them:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
HEALTHY, UNAVAILABLE, UNUSED, DRAINING = "healthy", "unavailable", "unused", "draining"
NOT_REGISTERED = "Target.NotRegistered"
# What this module says of a target that is not listed.
ABSENT = "absent"


class TargetRegistrationError(Exception):
    """Something that the user has to know; ``str()`` is the whole message."""


@dataclass(frozen=True)
class Target:
    """One registration: the same id with another port is another target. Only functions have no port."""

    id: str
    port: int | None = None

    def __str__(self) -> str:
        if self.port is None:
            return self.id
        return f"[{self.id}]:{self.port}" if _is_ipv6(self.id) else f"{self.id}:{self.port}"

    @property
    def rank(self) -> tuple[str, int]:
        """Place in a sorted list."""
        return self.id, self.port or 0


@dataclass(frozen=True)
class Health:
    """What the load balancer says of a registered target."""

    state: str
    reason: str = ""
    description: str = ""
    zone: str = ""
    check_port: str = ""

    @property
    def healthy(self) -> bool:
        return self.state == HEALTHY

    @property
    def draining(self) -> bool:
        """Whether the target was deregistered and only finishes what it has."""
        return self.state == DRAINING

    @property
    def listed(self) -> bool:
        """Whether the target is there at all: one that is gone may be told of as not registered."""
        return not (self.state == UNUSED and self.reason == NOT_REGISTERED)


Targets = Mapping[Target, Health]


@dataclass(frozen=True)
class HealthCheck:
    """How the load balancer asks its targets, if it does; ``interval`` and ``timeout`` are seconds."""

    enabled: bool = True
    protocol: str = ""
    port: str = ""
    path: str = ""
    statuses: str = ""
    interval: int = 30
    timeout: int = 5
    threshold: int = 5


@dataclass(frozen=True)
class TargetGroup:
    """A target group. ``kind`` is its target type: instance, ip, lambda or alb."""

    name: str
    arn: str
    kind: str = "instance"
    port: int | None = None
    protocol: str = ""
    vpc: str = ""
    address_type: str = "ipv4"
    load_balancers: tuple[str, ...] = ()
    check: HealthCheck = field(default_factory=HealthCheck)

    @property
    def best(self) -> str:
        """The state of a target that serves: nobody knows more of a function that is not asked."""
        return HEALTHY if self.check.enabled or self.kind != "lambda" else UNAVAILABLE

    @property
    def single(self) -> bool:
        """Whether AWS lets it have only one target.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
        """
        return self.kind in ("lambda", "alb")


@dataclass(frozen=True)
class Wish:
    """One target as the user wrote it, at ``place`` of the input; without a port it is the group's."""

    place: str
    id: str
    port: int | None = None
    zone: str = ""


@dataclass(frozen=True)
class Minimum:
    """How many targets have to stay healthy: a number, or a percentage of those that are registered before."""

    number: int
    percent: bool = False

    def of(self, registered: int) -> int:
        """The number for so many registered targets, percentages rounded up."""
        return -(-self.number * registered // 100) if self.percent else self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)


@dataclass(frozen=True)
class Request:
    """What the user asks for, for all groups. ``timeout`` are seconds, None where the groups decide."""

    groups: tuple[str, ...]
    wishes: tuple[Wish, ...]
    present: bool = True
    exclusive: bool = False
    minimum: Minimum = field(default_factory=lambda: Minimum(1))
    wait: bool = True
    timeout: int | None = None


@dataclass(frozen=True)
class Wanted:
    """What one group is to have, and what it is not to have.

    ``absent_ids`` are not to be there with any port; ``exclusive``: nothing but ``present`` is to be there.
    ``zones`` are availability zones that the user asked for.
    """

    group: TargetGroup
    present: frozenset[Target] = frozenset()
    absent: frozenset[Target] = frozenset()
    absent_ids: frozenset[str] = frozenset()
    exclusive: bool = False
    zones: Mapping[Target, str] = field(default_factory=dict)

    def unwanted(self, target: Target) -> bool:
        """Whether a registered target has to go."""
        if self.exclusive:
            return target not in self.present
        return target in self.absent or target.id in self.absent_ids


def wanted(request: Request, group: TargetGroup) -> Wanted:
    """What the request means for one group, whose port is the targets' where they have none."""
    if request.present:
        zones = {target_of(wish, group): wish.zone for wish in request.wishes if wish.zone}
        present = frozenset(target_of(wish, group) for wish in request.wishes)
        return Wanted(group, present, exclusive=request.exclusive, zones=zones)
    return Wanted(
        group,
        absent=frozenset(target_of(wish, group) for wish in request.wishes if wish.port is not None),
        absent_ids=frozenset(canonical(wish.id) for wish in request.wishes if wish.port is None),
    )


def target_of(wish: Wish, group: TargetGroup) -> Target:
    """The target that a wish means in a group."""
    if group.kind == "lambda":
        return Target(wish.id)
    return Target(canonical(wish.id), group.port if wish.port is None else wish.port)


def canonical(identifier: str) -> str:
    """An id in the one form that is compared; only addresses can be written in several."""
    try:
        return str(ipaddress.ip_address(identifier))
    except ValueError:
        return identifier


def in_order(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Targets sorted by id and port."""
    return tuple(sorted(targets, key=lambda target: target.rank))


def _is_ipv6(identifier: str) -> bool:
    return ":" in identifier and not identifier.startswith("arn:")
