# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether groups that are no groups of the VPC are there at all; only asked for when something is to be changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.changes import Authorize
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import Desired, Source, State
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import Plan


@dataclass
class Elsewhere:
    """Groups of other VPCs of the account; those of other accounts nobody can be asked for."""

    ec2: Any
    retries: Retries
    found: set[str] = field(default_factory=set)

    def missing(self, draft: Plan, current: State, desired: Desired) -> list[str]:
        """Groups that rules to be added or protected paths name and that do not exist, with their places."""
        here = {group.id for group in current.values()}
        own = {"", *(group.account for group in current.values())}
        places = {
            place: other
            for place, other in (*_added(draft), *_protected(draft, desired))
            if other.kind == "group_id" and other.account in own and other.value not in here | self.found
        }
        if places:
            wanted = sorted({other.value for other in places.values()})
            self.found |= self.retries.reading(lambda: api.which_exist(self.ec2, wanted))
        return [
            f"{place}: there is no such group in this account and region; one of another account is given as "
            f"ACCOUNT/{other.value}"
            for place, other in places.items()
            if other.value not in self.found
        ]


def _added(draft: Plan) -> Iterator[tuple[str, Source]]:
    for change in draft.of(Authorize.phase):
        if isinstance(change, Authorize):
            for rule in sorted(change.rules):
                yield f"{change.name} {change.direction}: {rule.traffic} with {rule.source}", rule.source


def _protected(draft: Plan, desired: Desired) -> Iterator[tuple[str, Source]]:
    if draft.changed and not desired.allow_lockout:
        yield from ((f"protect: {path}", path.rule.source) for path in desired.protect)
