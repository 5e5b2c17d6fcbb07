# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Health,
    Target,
    TargetGroup,
    TargetRegistrationError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.remote import Remote
from botocore.exceptions import ClientError, EndpointConnectionError

WEB, API = TargetGroup("web", "arn:web", port=80), TargetGroup("api", "arn:api", port=80)
ANSWER = {"TargetHealthDescriptions": [{"Target": {"Id": "i-0a"}, "TargetHealth": {"State": "healthy"}}]}
FOUND = {Target("i-0a", 80): Health("healthy")}


class Elb:
    """Answers each group with what comes next for it; the last goes on."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def describe_target_groups(self, **_arguments: Any) -> dict[str, Any]:
        return self.answer("groups")

    def describe_target_health(self, **arguments: str) -> dict[str, Any]:
        return self.answer(arguments["TargetGroupArn"].partition(":")[2])

    def answer(self, name: str) -> dict[str, Any]:
        self.asked.append(name)
        answer = self.answers[name].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeTargetHealth")


def remote(elbv2: Elb) -> Remote:
    passed: list[float] = []
    unused: Callable[[], Any] = dict
    return Remote(elbv2, unused, Retries(clock=Clock(lambda: sum(passed), passed.append, lambda: 0.5)))


def test_only_groups_that_did_not_answer_are_asked_again() -> None:
    elbv2 = Elb(web=[refusal("Throttling"), ANSWER], api=[ANSWER])
    assert remote(elbv2).targets([WEB, API]) == {"arn:web": FOUND, "arn:api": FOUND}
    assert sorted(elbv2.asked) == ["api", "web", "web"]


def test_refusals_of_all_groups_are_told_at_once() -> None:
    elbv2 = Elb(web=[refusal("AccessDenied")], api=[refusal("TargetGroupNotFound")])
    with pytest.raises(TargetRegistrationError) as caught:
        remote(elbv2).targets([WEB, API])
    assert str(caught.value) == (
        "web: DescribeTargetHealth: AccessDenied: no\n"
        "api: the target group was deleted while this ran (DescribeTargetHealth: TargetGroupNotFound: no)"
    )


def test_a_network_that_is_down_is_an_error_at_once_only_where_nobody_has_answered_yet() -> None:
    down = EndpointConnectionError(endpoint_url="http://nowhere")
    elbv2 = Elb(groups=[down])
    with pytest.raises(AwsError, match="DescribeTargetGroups: Could not connect"):
        remote(elbv2).groups(["web"])
    assert elbv2.asked == ["groups"]
    assert remote(Elb(web=[down, ANSWER])).targets([WEB]) == {"arn:web": FOUND}
    waiting = remote(Elb(web=[down, ANSWER]))
    assert waiting.glance([WEB]) == {}
    assert waiting.last_error
    assert waiting.glance([WEB]) == {"arn:web": FOUND}
    assert not waiting.last_error
