# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a plan's changes, phase by phase, and keep account of what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import side_by_side
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api, rules
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.account import Account, words_of
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.changes import (
    Authorize,
    Change,
    Create,
    Delete,
    Describe,
    Gap,
    Revoke,
    Swap,
    Tag,
    Untag,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    SecurityGroupsError,
    State,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import Plan

# What AWS says when the groups are not what they were when they were read, by somebody else's doing or because
# a change of this run has not reached every part of AWS yet: reading again is all that helps.
OUTDATED = frozenset(
    {
        "DependencyViolation",
        "InvalidGroup.Duplicate",
        "InvalidGroup.NotFound",
        "InvalidPermission.Duplicate",
        "InvalidPermission.NotFound",
        "InvalidSecurityGroupID.NotFound",
        "InvalidSecurityGroupRuleId.NotFound",
    }
)


class UnfinishedError(AwsError):
    """Changes did not go through, and reading and planning again can help."""

    def __init__(self, message: str) -> None:
        super().__init__("", message, passing=True)

    def __str__(self) -> str:
        return self.message


class HeldError(UnfinishedError):
    """Groups that are to go are still in use."""


@dataclass
class Sender:
    """Sends changes and keeps account of them; ``gaps`` are those that were begun."""

    ec2: Any
    vpc_id: str
    account: Account = field(default_factory=Account)
    gaps: dict[tuple[str, str], Gap] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    _names: dict[str, tuple[str, str]] = field(default_factory=dict)

    def know(self, state: State) -> None:
        """Take the ids from groups that were read."""
        self.ids = {key: group.id for key, group in state.items()}
        self._names = {group.id: (group.name, group.account) for group in state.values()}

    def send(self, planned: Plan, *phases: str) -> None:
        """Make the changes of these phases, one phase after the other, the groups of each side by side.

        Raises UnfinishedError where reading and planning again can help, SecurityGroupsError where nothing can.
        """
        self.account.settle(planned)
        self._not_twice(planned, *phases)
        for phase in phases:
            changes = planned.of(phase)
            self.gaps.update({(gap.key, gap.direction): gap for gap in changes if isinstance(gap, Gap)})
            failed = []
            for _change, outcomes, _error in side_by_side(self._outcomes, changes):
                for step, error in outcomes or ():
                    self.account.note(step, error)
                    failed += [(step, error)] if error else []
            if failed:
                raise self._told(planned, phase, failed)

    def _not_twice(self, planned: Plan, *phases: str) -> None:
        """What AWS has confirmed is not sent again when it does not show yet; it can only be read again."""
        done = set(self.account.done)
        hidden = [words for words in words_of(planned.steps(*phases)) if words in done]
        if hidden:
            nothing = "" if self.account.taken else ", so nothing was revoked"
            raise UnfinishedError(f"AWS does not show what was done{nothing}: {'; '.join(hidden)}.")

    def _outcomes(self, change: Change) -> list[tuple[Change, AwsError | None]]:
        """Make a change, step by step up to the first that fails."""
        made: list[tuple[Change, AwsError | None]] = []
        for step in change.steps:
            try:
                self.make(step)
            except AwsError as error:
                return [*made, (step, error)]
            made.append((step, None))
        return made

    def _told(self, planned: Plan, phase: str, failed: list[tuple[Change, AwsError]]) -> Exception:
        text = self.account.of_failure(planned, phase, failed)
        if not all(can_pass(change, error) for change, error in failed):
            return SecurityGroupsError(text)
        held = any(error.code == "DependencyViolation" for _change, error in failed)
        return HeldError(text) if held else UnfinishedError(text)

    def make(self, change: Change) -> None:
        """Make the call of one step; raises AwsError."""
        if isinstance(change, Create):
            self.ids[change.key] = api.create(self.ec2, self.vpc_id, change.group)
            return
        group_id = self.ids[change.key]
        if isinstance(change, Tag):
            api.set_tags(self.ec2, group_id, change.tags)
        elif isinstance(change, Untag):
            api.remove_tags(self.ec2, group_id, change.tags)
        elif isinstance(change, Authorize):
            api.authorize(self.ec2, change.direction, group_id, change.rules, self.ids)
        elif isinstance(change, Describe):
            api.describe(self.ec2, change.direction, group_id, change.rules, self.ids)
        elif isinstance(change, Revoke):
            api.revoke(self.ec2, change.direction, group_id, change.rules, self.ids)
        elif isinstance(change, Swap):
            self._swap(change, group_id)
        elif isinstance(change, Delete):
            api.delete(self.ec2, group_id)

    def _swap(self, change: Swap, group_id: str) -> None:
        told = api.rule_ids(self.ec2, group_id, change.direction, self._names)
        gone = [old for old, _new, _text in change.pairs if old not in told]
        if gone:
            raise AwsError(
                "DescribeSecurityGroupRules",
                f"{group_id} has other rules than it had",
                code="InvalidPermission.NotFound",
            )
        requests: Mapping[str, Mapping[str, Any]] = {
            told[old]: rules.to_rule_request(new, text, self.ids) for old, new, text in change.pairs
        }
        api.modify(self.ec2, group_id, requests)


def can_pass(change: Change, error: AwsError) -> bool:
    """Whether reading and planning again can help; not where a rule names a group of elsewhere that is not there."""
    if error.code not in OUTDATED:
        return error.transient or error.unreachable
    others = (rule.source for rule in change.opened())
    return not any(other.kind == "group_id" and other.value in error.message for other in others)
