# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each call of a change of targets goes wrong in each way: the next run ends right, and enough targets stay healthy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    TargetRegistrationError,
)

from lab.cloud import ControlPlane
from tests.cloud.shop import Shop
from tests.faults.playbook import play
from tests.faults.results import Results

KINDS = ("refused", "throttled", "error", "timeout", "lost")
GROUPS = ["web", "admin"]
MINIMUM = 2
MIDDLE = 8
# A group whose delay cannot be read is taken to have AWS's longest one; instances that cannot be are AWS's to refuse.
NOT_NEEDED = ("DescribeTargetGroupAttributes", "DescribeInstances")


class Change:
    """Three of four targets are exchanged in two groups, one of the new ones still draining from before."""

    def __init__(self, cloud: ControlPlane) -> None:
        self.shop = Shop(cloud)
        self.ids = self.shop.instances(6)
        self.arns = {name: self.shop.serving(name, self.ids[:4], delay=30) for name in GROUPS}
        self.wanted = [*self.ids[:2], *self.ids[4:]]
        for arn in self.arns.values():
            elbv2 = self.shop.elbv2
            elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": self.ids[4]}])
            cloud.clock.advance(60)
            elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": self.ids[4]}])
        cloud.calls.clear()

    @property
    def options(self) -> dict[str, Any]:
        return {"exclusive": True, "minimum_healthy": str(MINIMUM)}

    def run(self) -> dict[str, Any]:
        return self.shop.run(GROUPS, self.wanted, **self.options)

    def failure(self) -> str:
        """What a run says that fails, or nothing."""
        try:
            self.run()
        except (AwsError, TargetRegistrationError) as error:
            return str(error)
        return ""

    def assert_ends_right(self) -> None:
        """One more run without faults brings the declared state, and the one after it has nothing to do."""
        self.shop.cloud.faults.clear()
        self.run()
        assert self.run()["plan"] == []
        for arn in self.arns.values():
            assert self.shop.states(arn) == dict.fromkeys(self.wanted, "healthy")

    def assert_enough_stayed_healthy(self) -> None:
        """By the log: what was last seen healthy, without what was deregistered then, is never below the minimum."""
        healthy: dict[str, set[str]] = {}
        for call in self.shop.cloud.calls.entries:
            if not call.took_effect:
                continue
            arn = call.parameters.get("TargetGroupArn", "")
            if call.operation == "DescribeTargetHealth":
                told = call.answer["TargetHealthDescriptions"]
                healthy[arn] = {item["Target"]["Id"] for item in told if item["TargetHealth"]["State"] == "healthy"}
            elif call.operation == "DeregisterTargets":
                healthy[arn] -= {target["Id"] for target in call.parameters["Targets"]}
                assert len(healthy[arn]) >= MINIMUM, call


def go_through(cloud: ControlPlane, kind: str, number: int) -> None:
    """One fault at one call, and what comes of it."""
    change = Change(cloud)
    cloud.faults.add(kind, number=number)
    said = change.failure()
    may_do_without = cloud.calls.entries[number - 1].operation in NOT_NEEDED
    if kind == "refused" and not may_do_without:
        assert "AccessDenied" in said or "UnauthorizedOperation" in said
    else:
        assert said == ""
    change.assert_ends_right()
    change.assert_enough_stayed_healthy()


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_survives_every_call_that_goes_wrong(
    cloud: ControlPlane, results: Results, every_position: bool, kind: str
) -> None:
    change = Change(cloud)
    change.run()
    total = cloud.calls.total
    assert total > MIDDLE
    for number in range(1, total + 1) if every_position else [MIDDLE]:
        position = f"targets, a call {kind}/{number:02}"
        if results.known(position) is None:
            with results.position(position):
                cloud.reset()
                go_through(cloud, kind, number)


@pytest.mark.parametrize("kind", KINDS)
def test_a_playbook_survives_a_call_that_goes_wrong(cloud: ControlPlane, tmp_path: Path, kind: str) -> None:
    change = Change(cloud)
    cloud.faults.add(kind, operation="RegisterTargets")
    # Real time does not pass for the targets while a playbook would wait.
    options = {"target_groups": GROUPS, "targets": [{"id": item} for item in change.wanted], "wait": False}
    run = play(cloud, tmp_path, {"gatehouse.platform.target_registration": options})
    assert (run.returncode == 0) == (kind != "refused"), run.stdout
    assert ("AccessDenied" in run.stdout) == (kind == "refused"), run.stdout
    change.assert_ends_right()
