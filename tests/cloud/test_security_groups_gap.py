# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gap that was allowed: what is told of it, and what is given back when the run fails in it."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.vpcs import Vpc, make, many, opened

KEPT = opened(1000, *many(9))
ADDING = "AuthorizeSecurityGroupIngress"


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    """A full group: nine rules that stay, and a reference that no CIDR can replace in place."""
    cloud.rules_per_group = 10
    vpc = make(cloud)
    vpc.run({"name": "other"}, {"name": "app", "ingress": [KEPT, opened(9, "other")]})
    return vpc


def after(source: str = "192.0.2.9/32") -> tuple[dict[str, Any], ...]:
    return {"name": "other"}, {"name": "app", "ingress": [KEPT, opened(22, source)]}


def test_what_a_gap_has_revoked_is_told(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.faults.add("throttled", number=1, operation=ADDING)
    cloud.faults.add("refused", number=2, operation=ADDING)
    text = vpc.refuses(*after(), allow_gap=True)
    assert "Nothing was revoked" not in text
    assert "\nDone: app: closes 9/tcp to other.\n" in text
    assert "\nNot done: app: opens 22/tcp from 192.0.2.9/32.\n" in text


@pytest.mark.parametrize("kind", ["refused", "throttled", "error", "timeout"])
def test_what_a_gap_has_revoked_comes_back_when_the_new_rules_do_not(
    vpc: Vpc, cloud: ControlPlane, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    before = vpc.rules("app")
    ended: list[bool] = []

    def sleep(pause: float) -> None:
        vpc.seconds[0] += pause
        if vpc.seconds[0] > 70 and not ended:
            ended.append(True)
            cloud.faults.clear()

    monkeypatch.setattr(vpc, "sleep", sleep)
    if kind == "refused":
        cloud.faults.add(kind, operation=ADDING)
    else:
        cloud.faults.add(kind, number=None, operation=ADDING)
    text = vpc.refuses(*after(), allow_gap=True)
    assert text.endswith("\nRestored: app: opens 9/tcp from other.")
    assert vpc.rules("app") == before


def test_what_cannot_come_back_is_told(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.faults.add("refused", number=None, operation=ADDING)
    text = vpc.refuses(*after(), allow_gap=True)
    assert "\nNot restored, so do it by hand: app: opens 9/tcp from other. Authorize" in text


def test_new_rules_whose_answer_was_lost_are_kept(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.faults.add("lost", operation=ADDING)
    cloud.faults.add("refused", number=2, operation="DescribeSecurityGroups")
    text = vpc.refuses(*after(), allow_gap=True)
    assert "Perhaps done: app: opens 22/tcp from 192.0.2.9/32." in text
    assert "estored" not in text
    assert vpc.run(*after())["plan"] == []
