# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each call of a change of security groups goes wrong in each way: the next run ends right, nothing is cut before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, counted
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api, coverage
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.changes import Gap, Revoke
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.declare import from_params
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import SecurityGroupsError
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.run import Run, bring_to_state

from lab.cloud import ControlPlane
from tests.faults.playbook import play
from tests.faults.replay import Cut, cuts
from tests.faults.results import Results
from tests.faults.scenarios import AFTER, EXCHANGE, SCENARIOS, Scenario

KINDS = ("refused", "throttled", "error", "timeout", "lost")

State = dict[str, Any]


def bring(cloud: ControlPlane, params: dict[str, Any]) -> dict[str, Any]:
    """One run, which waits without time passing for anybody else."""
    seconds = [0.0]

    def sleep(pause: float) -> None:
        seconds[0] += pause

    calls = Calls()
    retries = Retries(60, clock=Clock(lambda: seconds[0], sleep))
    return bring_to_state(params, lambda service: counted(cloud.client(service), calls), calls, retries, False)


def prepare(cloud: ControlPlane, scenario: Scenario) -> str:
    """A VPC with the groups as they were; returns its id. What is called from then on is in the log."""
    cloud.reset()
    cloud.rules_per_group = scenario.quota
    told = cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=scenario.ipv6)
    vpc_id = str(told["Vpc"]["VpcId"])
    bring(cloud, scenario.params(vpc_id, scenario.before))
    cloud.calls.clear()
    return vpc_id


def there(cloud: ControlPlane, vpc_id: str) -> State:
    """What a user would compare: tags and rules by the names of groups."""
    groups = api.groups(cloud.client("ec2"), vpc_id)
    return {key: (group.tags, group.ingress, group.egress) for key, group in groups.items()}


def undisturbed(cloud: ControlPlane, scenario: Scenario) -> tuple[list[str], State]:
    """The calls of the change when nothing goes wrong, and what it leads to."""
    vpc_id = prepare(cloud, scenario)
    bring(cloud, scenario.changing(vpc_id))
    return [call.operation for call in cloud.calls.entries], there(cloud, vpc_id)


def assert_ends_right(cloud: ControlPlane, scenario: Scenario, vpc_id: str, wanted: State) -> None:
    """One more run without faults brings everything to the declared state, and the one after it has nothing to do."""
    cloud.faults.clear()
    bring(cloud, scenario.changing(vpc_id))
    assert bring(cloud, scenario.changing(vpc_id))["plan"] == []
    assert there(cloud, vpc_id) == wanted


def failure(cloud: ControlPlane, params: dict[str, Any]) -> str:
    """What a run says that fails, or nothing."""
    try:
        bring(cloud, params)
    except (AwsError, SecurityGroupsError) as error:
        return str(error)
    return ""


def gaps_of(cloud: ControlPlane, scenario: Scenario, vpc_id: str) -> list[Revoke]:
    """What the plan says that it closes before it opens something."""
    run = Run(from_params(scenario.changing(vpc_id)), cloud.client, Retries(0))
    gaps = [gap for gap in run.plan(run.read()).of("gap") if isinstance(gap, Gap)]
    assert bool(gaps) == scenario.gap
    return [step for gap in gaps for step in gap.steps if isinstance(step, Revoke)]


def unnamed(found: Iterable[Cut], gaps: list[Revoke]) -> list[Cut]:
    """Cuts that no gap of the plan names."""
    return [
        cut
        for cut in found
        if not any(
            (gap.key, gap.direction) == (cut.key, cut.side) and coverage.covered(cut.traffic, gap.rules) for gap in gaps
        )
    ]


def go_through(cloud: ControlPlane, scenario: Scenario, kind: str, number: int, wanted: State) -> None:
    """One fault at one call, and what comes of it."""
    vpc_id = prepare(cloud, scenario)
    before = api.groups(cloud.client("ec2"), vpc_id)
    gaps = gaps_of(cloud, scenario, vpc_id)
    cloud.calls.clear()
    cloud.faults.add(kind, number=number)
    said = failure(cloud, scenario.changing(vpc_id))
    words = expected(kind, cloud.calls.entries[number - 1].operation, scenario)
    assert words in said
    assert bool(words) == bool(said)
    assert_ends_right(cloud, scenario, vpc_id, wanted)
    assert not unnamed(cuts(cloud.client("ec2"), vpc_id, before, cloud.calls.entries), gaps)


def expected(kind: str, operation: str, scenario: Scenario) -> str:
    """What a run says when this is what goes wrong: nothing where it goes on without."""
    if kind != "refused" or operation in ("DescribeVpcs", "DescribeSecurityGroupReferences"):
        return ""
    if operation == "GetServiceQuota":
        # AWS's default is taken for the account's quota.
        return "RulesPerSecurityGroupLimitExceeded" if scenario.quota < 60 else ""
    return "UnauthorizedOperation"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_change_survives_every_call_that_goes_wrong(
    cloud: ControlPlane, results: Results, every_position: bool, scenario: Scenario, kind: str
) -> None:
    operations, wanted = undisturbed(cloud, scenario)
    middle = operations.index(scenario.middle) + 1
    for number in range(1, len(operations) + 1) if every_position else [middle]:
        position = f"security groups, {scenario.name}, a call {kind}/{number:02}"
        if results.known(position) is None:
            with results.position(position):
                go_through(cloud, scenario, kind, number, wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_a_playbook_survives_a_call_that_goes_wrong(cloud: ControlPlane, tmp_path: Path, kind: str) -> None:
    _operations, wanted = undisturbed(cloud, EXCHANGE)
    vpc_id = prepare(cloud, EXCHANGE)
    before = api.groups(cloud.client("ec2"), vpc_id)
    cloud.calls.clear()
    cloud.faults.add(kind, operation="AuthorizeSecurityGroupIngress")
    options = {"vpc_id": vpc_id, "owner": "shop", "purge_groups": True, "groups": AFTER}
    run = play(cloud, tmp_path, {"gatehouse.platform.security_groups": options})
    assert (run.returncode == 0) == (kind != "refused"), run.stdout
    if run.returncode:
        assert "Nothing was revoked." in run.stdout
        assert "Not added: " in run.stdout
        assert not any(call.operation.startswith("Revoke") for call in cloud.calls.entries)
    assert_ends_right(cloud, EXCHANGE, vpc_id, wanted)
    assert not cuts(cloud.client("ec2"), vpc_id, before, cloud.calls.entries)
