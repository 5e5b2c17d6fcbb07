# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a run fails in a gap, the rules that it took away for others that did not come are given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries, reached
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.account import words_of
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.changes import (
    Authorize,
    Gap,
    without,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    Rules,
    SecurityGroupsError,
    State,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.sending import OUTDATED, Sender


def restore(sender: Sender, read: Callable[[], State], retries: Retries) -> Iterator[str]:
    """Close the gaps of a run that failed, each with a budget of its own; says what came of it."""
    for gap in sender.gaps.values():
        revoke, authorize = gap.steps
        begun = sender.account.has(revoke) or sender.account.may_have(revoke)
        if begun and not sender.account.has(authorize):
            retries.renew()
            yield from _restored(gap, sender, read, retries)


def _restored(gap: Gap, sender: Sender, read: Callable[[], State], retries: Retries) -> Iterator[str]:
    revoke, authorize = gap.steps
    known = sender.account.has(revoke) and not sender.account.may_have(authorize)
    back = Authorize(gap.name, gap.direction, gap.revoked)
    while True:
        try:
            with retries.patience(), reached():
                back = Authorize(gap.name, gap.direction, gap.revoked if known else missing(gap, read()))
                known = False
                _make(sender, back)
                break
        except (AwsError, SecurityGroupsError) as error:
            yield f"Not restored, so do it by hand: {'; '.join(words_of([back]))}. {error}"
            return
    if back.rules:
        yield f"Restored: {'; '.join(words_of([back]))}."


def missing(gap: Gap, state: State) -> Rules:
    """What a gap took away and is not there, unless the rules that it was for are."""
    group = state.get(gap.key)
    there = group.rules(gap.direction) if group else {}
    return without(gap.revoked, there) if group and without(gap.rules, there) else {}


def _make(sender: Sender, back: Authorize) -> None:
    """Authorize the rules; raises AwsError, a passing one where the rules were not what they were taken for."""
    try:
        if back.rules:
            sender.make(back)
    except AwsError as error:
        raise error.but(passing=True) if error.code in OUTDATED else error from error
