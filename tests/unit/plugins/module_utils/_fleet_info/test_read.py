# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scaling policies and failed activities, read with a scripted client."""

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_info.read import failed, policy, read


class Client:
    """Answers two pages of policies."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def describe_policies(self, **asked: Any) -> dict[str, Any]:
        self.tokens.append(asked.get("NextToken", ""))
        name = f"{asked['AutoScalingGroupName']}-{len(self.tokens)}"
        more = {} if asked.get("NextToken") else {"NextToken": "more"}
        return {"ScalingPolicies": [{"PolicyName": name}], **more}

    def describe_scaling_activities(self, **_asked: Any) -> dict[str, Any]:
        return {"Activities": [{"StatusCode": "Successful"}]}


def test_all_pages_of_all_groups_are_read() -> None:
    client = Client()
    found = read(client, ["shop-web"], Retries())
    assert [one["name"] for one in found["policies"]["shop-web"]] == ["shop-web-1", "shop-web-2"]
    assert client.tokens == ["", "more"]
    assert found["failed_activities"] == {"shop-web": ""}


def test_a_target_tracking_policy_is_told_in_the_words_of_the_declaration() -> None:
    metric = {"PredefinedMetricType": "ASGAverageCPUUtilization"}
    tracking = {"TargetValue": 60.0, "DisableScaleIn": True, "PredefinedMetricSpecification": metric}
    told = {"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": tracking}
    assert policy({**told, "EstimatedInstanceWarmup": 30}) == {
        "name": "cpu",
        "kind": "TargetTrackingScaling",
        "metric": "ASGAverageCPUUtilization",
        "label": "",
        "target": 60.0,
        "scale_in": False,
        "warm_up": 30,
    }


def test_the_last_failure_is_told_with_its_reason() -> None:
    launch = {"Description": "Launching a new EC2 instance", "StatusCode": "Failed"}
    newer = {"StatusCode": "Successful", "Description": "Terminating"}
    assert failed([newer, {**launch, "StatusMessage": "no capacity"}, {**launch, "StatusMessage": "older"}]) == (
        "Launching a new EC2 instance: Failed: no capacity"
    )
    assert failed([newer]) == ""
