# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the security groups of a VPC to the declared state: the one place that sees plan and AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries, reached
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import (
    api,
    deletion,
    guard,
    limits,
    quota,
    text,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.declare import from_params
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    ANYWHERE,
    Desired,
    Group,
    Rule,
    SecurityGroupsError,
    State,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import (
    ADDING,
    Plan,
    drafted,
    going,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.reading import Reading
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.references import Elsewhere
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.restoring import restore
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.sending import HeldError, Sender

TAKING_AWAY = ("swap", "gap", "revoke", "untag")
DELETING = ("clear", "delete")


@dataclass
class Run:
    """One task. ``connect`` makes clients by the names of services; what is read once is kept."""

    desired: Desired
    connect: Callable[[str], Any]
    retries: Retries
    wait_timeout: float = 0
    warnings: list[str] = field(default_factory=list)
    _egress: tuple[Rule, ...] = ()
    _limits: quota.Limits | None = None
    _ec2: Any = None
    _reading: Reading | None = None
    _elsewhere: Elsewhere | None = None
    _first: State | None = None
    _waiting: Waiting | None = None

    @property
    def ec2(self) -> Any:
        self._ec2 = self._ec2 or self.connect("ec2")
        return self._ec2

    def read(self) -> dict[str, Group]:
        """The groups of the VPC; none where it would only be created."""
        if not self.desired.vpc_id:
            return {}
        self._reading = self._reading or Reading(self.connect, self.ec2, self.retries, self.desired.vpc_id)
        return self._reading.groups()

    def plan(self, current: State) -> Plan:
        """The plan with regard to the quota; raises SecurityGroupsError with everything that forbids it."""
        self._first = current if self._first is None else self._first
        creating = not self.desired.absent and any(wanted.key not in current for wanted in self.desired.groups)
        draft, findings = drafted(current, self.desired, self._default_egress() if creating else ())
        planned = self._fitted(draft, current, findings)
        if self.desired.vpc_id:
            self._elsewhere = self._elsewhere or Elsewhere(self.ec2, self.retries)
            findings += self._elsewhere.missing(draft, {**self._first, **current}, self.desired)
        findings += guard.watch(self._first, current, planned, self.desired)
        if findings:
            raise SecurityGroupsError("\n".join(findings))
        return planned

    def _fitted(self, draft: Plan, current: State, findings: list[str]) -> Plan:
        """The draft as it fits into the quota, or as it is where it does not."""
        if not self.desired.vpc_id or not draft.of("authorize"):
            return draft
        if self._limits is None:
            self._limits, warnings = limits.read(self.connect, self.retries, draft, current)
            self.warnings += warnings
        try:
            return quota.fitted(draft, current, self._limits, self.desired.allow_gap)
        except SecurityGroupsError as error:
            findings += str(error).split("\n")
        return draft

    def _default_egress(self) -> tuple[Rule, ...]:
        """What AWS gives a new group of this VPC; where that cannot be read the plan after it sees what is there."""
        if not self._egress:
            self._egress = ANYWHERE if self.desired.vpc_id and self._has_ipv6() else ANYWHERE[:1]
        return self._egress

    def _has_ipv6(self) -> bool:
        try:
            return self.retries.brief().reading(lambda: api.has_ipv6(self.ec2, self.desired.vpc_id))
        except AwsError:
            return False

    def apply(self, planned: Plan, current: State) -> State:
        """Bring the plan about; returns the groups after it. Errors say what was done before them."""
        sender = Sender(self.ec2, self.desired.vpc_id)
        self.retries.renew()
        try:
            return self._until_done(sender, planned, current)
        except (AwsError, SecurityGroupsError) as error:
            lines = [sender.account.added_to(str(error)), *restore(sender, self.read, self.retries)]
            raise SecurityGroupsError("\n".join(lines), changed=sender.account.changed) from error

    def _until_done(self, sender: Sender, planned: Plan, current: State) -> State:
        """Add, until what is read shows all of it; then take away. What AWS shows is planned from again and again."""
        given: tuple[Plan, State] | None = (planned, current)
        while True:
            with self.retries.patience(), self._letting_go(), reached():
                planned, current = given or self._again()
                given = None
                sender.know(current)
                if not planned.of(*ADDING):
                    self._take_away(sender, planned, current)
                    return planned.after(current)
                sender.send(planned, *ADDING)

    def _again(self) -> tuple[Plan, State]:
        current = self.read()
        return self.plan(current), current

    def _take_away(self, sender: Sender, planned: Plan, current: State) -> None:
        sender.send(planned, *TAKING_AWAY)
        if planned.of(*DELETING):
            doomed = going(current, self.desired)
            if self._waiting is None:
                self.warnings += deletion.left_stale(self.ec2, self.retries, doomed.values())
                self._waiting = Waiting(self.wait_timeout, self.retries.clock)
            deletion.wait_until_unused(self.ec2, self.retries, doomed, self._waiting)
            sender.send(planned, *DELETING)

    @contextmanager
    def _letting_go(self) -> Iterator[None]:
        """What AWS holds back is waited for as long as interfaces are, which show later than what they hold."""
        try:
            yield
        except HeldError as error:
            if self._waiting is None or not self._waiting.pause():
                raise SecurityGroupsError(f"{error}\n{self._held_back()}") from error
            self.retries.renew()

    def _held_back(self) -> str:
        current = self.read()
        waiting = self._waiting or Waiting(self.wait_timeout)
        return deletion.held_back(self.ec2, self.retries, current, going(current, self.desired), waiting)


def bring_to_state(
    params: Mapping[str, Any],
    connect: Callable[[str], Any],
    calls: Calls,
    retries: Retries,
    check_mode: bool,
) -> dict[str, Any]:
    """Read, plan and change; returns the module's result. Raises SecurityGroupsError or AwsError."""
    run = Run(from_params(params, check_mode), connect, retries, float(params.get("wait_timeout") or 0))
    current = run.read()
    planned = run.plan(current)
    if not check_mode and planned.changed:
        after = run.apply(planned, current)
    else:
        after = planned.after(current)
        if planned.of("delete"):
            doomed = going(current, run.desired)
            run.warnings += deletion.left_stale(run.ec2, retries, doomed.values())
            run.warnings += [f"The run will wait for {line}" for line in deletion.users(run.ec2, retries, doomed)]
    return {
        "changed": planned.changed,
        "plan": planned.sentences(),
        "groups": _ids(run.desired, after),
        "calls": calls.total,
        "diff": text.diff(current, planned),
        "warnings": run.warnings,
    }


def _ids(desired: Desired, state: State) -> dict[str, dict[str, str]]:
    """Ids and ARNs of the declared groups; empty for those that check mode only would create."""
    there = [(wanted.name, state[wanted.key]) for wanted in desired.groups if wanted.key in state]
    return {name: {"id": group.id, "arn": group.arn} for name, group in there}
