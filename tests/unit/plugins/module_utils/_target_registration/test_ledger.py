# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.ledger import Ledger
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Target,
    TargetGroup,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.plan import (
    GroupPlan,
    Plan,
)

WEB = TargetGroup("web", "arn:web", port=80)


def part(*names: str) -> GroupPlan:
    return GroupPlan(WEB, register=tuple(Target(name, 80) for name in names))


def send(ledger: Ledger, sent: GroupPlan, error: AwsError | None = None) -> None:
    with ledger.sending(sent):
        if error:
            raise error


def test_what_was_sent_is_done_or_unsure_or_neither() -> None:
    ledger = Ledger()
    assert not ledger.changed
    assert ledger.balance(Plan((part("a"),))) == ""
    with pytest.raises(AwsError):
        send(ledger, part("a"), AwsError("RegisterTargets", "slow down", throttled=True))
    assert not ledger.changed
    with pytest.raises(AwsError):
        send(ledger, part("b"), AwsError("RegisterTargets", "no answer", uncertain=True))
    assert ledger.changed
    send(ledger, part("d"))
    send(ledger, part("c"))
    assert ledger.balance(Plan((part("a", "b", "c", "d"),))) == (
        "\nDone before that: web: registers c:80; web: registers d:80."
        "\nPerhaps done: web: registers b:80."
        "\nNot done: web: registers a:80."
    )


def test_a_look_tells_what_became_of_lost_answers() -> None:
    ledger = Ledger()
    with pytest.raises(AwsError):
        send(ledger, part("a", "b"), AwsError("RegisterTargets", "no answer", uncertain=True))
    ledger.looked(Plan((part("b"),)))
    assert ledger.done == ["web: registers a:80"]
    assert not ledger.unsure
