# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the targets of target groups to the wanted state: the only place that sees plan, calls and waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import reached
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration import instances, kinds
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.api import TARGETS_A_CALL
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.failures import message
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    UNUSED,
    Request,
    Target,
    TargetGroup,
    TargetRegistrationError,
    Targets,
    Wanted,
    wanted,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.params import from_params
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.plan import (
    Floor,
    Plan,
    floors,
    plan,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.reasons import (
    NOT_IN_USE,
    explained,
    unattached,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.remote import Remote
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.result import (
    expected,
    result,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.wait import (
    Goal,
    drain_timeout,
    health_timeout,
    wait,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.zones import zones


def bring_to_state(params: Mapping[str, Any], remote: Remote, check_mode: bool) -> dict[str, Any]:
    """Plan, register, wait, deregister and wait; returns the module's result.

    Raises TargetRegistrationError and AwsError; both say what was done before, and without that nothing was.
    """
    request = from_params(params)
    groups = remote.groups(request.groups)
    _refuse([*kinds.misfits(request, groups), *_unattached(request, groups)])
    course = _begin(request, tuple(wanted(request, group) for group in groups), remote)
    if check_mode or _registering_calls(course.planned) > 1:
        _refuse(_refused(course.planned, remote))
    if check_mode:
        after = expected(course.planned, course.before, course.wanted, request.wait)
        return result(course.planned, course.before, after, 0)
    try:
        course.carry_out()
    except (AwsError, TargetRegistrationError) as error:
        raise TargetRegistrationError(f"{error}{remote.ledger.balance(course.planned)}") from error
    return result(course.planned, course.before, course.seen, course.waited)


@dataclass
class Course:
    """One run: what it began with (``before``, ``planned``) and what was ``seen`` last; ``waited`` are seconds."""

    request: Request
    wanted: tuple[Wanted, ...]
    remote: Remote
    before: dict[str, Targets]
    lowest: dict[str, Floor]
    planned: Plan
    zones: dict[str, dict[Target, str]]
    seen: dict[str, Targets]
    waited: float = 0.0
    stale: bool = False

    def carry_out(self) -> None:
        """Add before remove: nothing is deregistered anywhere until, with ``wait``, all wanted targets are healthy."""
        if any(item.register for item in self.planned.groups):
            self._register()
        if self.request.wait and self.request.present:
            self._wait([Goal(item.group, item.present) for item in self.wanted])
        if any(item.deregister for item in self.planned.groups):
            self._deregister()
        if self.request.wait:
            self._wait([Goal(item.group, self._unwanted(item), gone=True) for item in self.wanted])
        elif self.stale:
            self._look()

    def _unwanted(self, item: Wanted) -> frozenset[Target]:
        return frozenset(target for target in self.seen[item.group.arn] if item.unwanted(target))

    def _look(self) -> None:
        self.seen = self.remote.targets([item.group for item in self.wanted])
        self.stale = False

    def _plan(self, hopeful: bool) -> Plan:
        """What is still to be done; looks again where the last look is older than a change or a wait."""
        if self.stale:
            self._look()
        self.stale = True
        planned = plan(self.seen, self.wanted, self.lowest, hopeful=hopeful)
        self.remote.ledger.looked(planned)
        return planned

    def _register(self) -> None:
        while True:
            with self.remote.retries.patience(), reached():
                return self.remote.register(self._plan(hopeful=self.request.wait), self.zones)

    def _deregister(self) -> None:
        while True:
            with self.remote.retries.patience(), reached():
                planned = self._plan(hopeful=False)
                return self.remote.deregister(planned, self.seen)

    def _wait(self, goals: list[Goal]) -> None:
        goals = [goal for goal in goals if goal.left(self.seen[goal.group.arn])]
        if not goals:
            return
        waiting = Waiting(self._timeout(goals), self.remote.retries.clock)
        self.seen = wait(goals, self.seen, self.remote.glance, waiting)
        self.waited += waiting.waited
        self.stale = True
        self.remote.retries.renew()
        _refuse(message(goals, self.seen, waiting.waited, self.remote))

    def _timeout(self, goals: list[Goal]) -> int:
        if self.request.timeout is not None:
            return self.request.timeout
        if goals[0].gone:
            return drain_timeout(self.remote.delay(goal.group) for goal in goals)
        return health_timeout(goal.group for goal in goals)


def _begin(request: Request, items: tuple[Wanted, ...], remote: Remote) -> Course:
    before = remote.targets(item.group for item in items)
    _refuse(_hopeless(request, items, before))
    lowest = floors(before, request.minimum)
    planned = plan(before, items, lowest, hopeful=request.wait)
    return Course(request, items, remote, before, lowest, planned, _zones(planned, items, remote), dict(before))


def _refuse(findings: list[str]) -> None:
    if findings:
        raise TargetRegistrationError("\n".join(findings))


def _unattached(request: Request, groups: Iterable[TargetGroup]) -> Iterator[str]:
    """Groups whose targets would be waited for in vain."""
    if request.wait and request.present and request.wishes:
        yield from (unattached(group) for group in groups if not group.load_balancers)


def _hopeless(request: Request, items: Iterable[Wanted], before: Mapping[str, Targets]) -> list[str]:
    """Registered targets that would be waited for in vain: a stopped instance is as stopped after the run."""
    if not (request.wait and request.present):
        return []
    return [
        f"{item.group.name}: {explained(item.group, target, health)}"
        for item in items
        for target, health in before[item.group.arn].items()
        if target in item.present and health.state == UNUSED and health.reason != NOT_IN_USE
    ]


def _registering_calls(planned: Plan) -> int:
    """How many calls register; AWS takes or refuses each as a whole, and what is deregistered comes after them."""
    return sum(1 for item in planned.groups for _part in item.only("register").parts(TARGETS_A_CALL))


def _refused(planned: Plan, remote: Remote) -> list[str]:
    """Instances that AWS would refuse; nothing where nobody may look at instances."""
    ids = instances.to_register(planned)
    if not ids:
        return []
    try:
        return list(instances.refused(planned, remote.instances(ids)))
    except AwsError:
        return []


def _zones(planned: Plan, items: Iterable[Wanted], remote: Remote) -> dict[str, dict[Target, str]]:
    """The availability zones to register addresses with, by group; nothing is asked where no address is registered."""
    asked = {item.group.arn: item.zones for item in items}
    changes = [item for item in planned.groups if item.group.kind == "ip" and item.register]
    subnets = {vpc: remote.subnets(vpc) for vpc in {item.group.vpc for item in changes}}
    return {item.group.arn: zones(item.register, asked[item.group.arn], subnets[item.group.vpc]) for item in changes}
