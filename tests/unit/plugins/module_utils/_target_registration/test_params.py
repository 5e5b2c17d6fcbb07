# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration import kinds
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Minimum,
    Target,
    TargetGroup,
    TargetRegistrationError,
    wanted,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.params import from_params
from hypothesis import given
from hypothesis import strategies as st

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-web/0123456789abcdef"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:shop"
BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/0123456789abcdef"
INSTANCE = "i-0123456789abcdef0"
GROUPS = {
    "instance": TargetGroup("web", "arn:1", "instance", 80),
    "ip": TargetGroup("ips", "arn:2", "ip", 80),
    "ipv6": TargetGroup("six", "arn:3", "ip", 80, address_type="ipv6"),
    "lambda": TargetGroup("fn", "arn:4", "lambda"),
    "alb": TargetGroup("alb", "arn:5", "alb", 80),
    "geneve": TargetGroup("gwlb", "arn:6", "instance", 6081, "GENEVE"),
}


def params(*targets: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "target_groups": ["shop-web"],
        "targets": list(targets),
        "state": "present",
        "exclusive": False,
        "minimum_healthy": "1",
        "wait": True,
        "wait_timeout": None,
        **others,
    }


def test_all_findings_are_told_at_once_with_their_places() -> None:
    bad = params(
        {"id": " "},
        {"id": INSTANCE, "port": 70000},
        {"id": "10.0.0.1", "availability_zone": "all"},
        {"id": "10.0.0.1"},
        target_groups=["shop_web", "arn:aws:elasticloadbalancing:x"],
        minimum_healthy="101%",
        wait_timeout=-1,
        state="absent",
        exclusive=True,
    )
    with pytest.raises(TargetRegistrationError) as caught:
        from_params(bad)
    places = [line.split(":")[0] for line in str(caught.value).split("\n")]
    assert places == [
        "targets[0].id",
        "targets[1].port",
        "targets[3].availability_zone",
        "minimum_healthy",
        "wait_timeout",
        "exclusive",
        "target_groups[0]",
        "target_groups[1]",
    ]


@pytest.mark.parametrize("text", ["", "-1", "many", "1.5", "50 %", "%"])
def test_a_minimum_is_a_number_or_a_percentage(text: str) -> None:
    with pytest.raises(TargetRegistrationError, match="minimum_healthy"):
        from_params(params(minimum_healthy=text))


def test_minima() -> None:
    assert from_params(params(minimum_healthy="50%")).minimum == Minimum(50, True)
    assert from_params(params(minimum_healthy=" 3 ")).minimum == Minimum(3)


@given(st.integers(0, 100), st.integers(0, 1000))
def test_percentages_are_rounded_up(percent: int, registered: int) -> None:
    number = Minimum(percent, True).of(registered)
    assert number * 100 >= percent * registered > (number - 1) * 100


def test_no_target_group_is_a_finding() -> None:
    with pytest.raises(TargetRegistrationError, match="no target group is named"):
        from_params(params(target_groups=[]))


def test_an_arn_names_a_group() -> None:
    assert from_params(params(target_groups=[ARN, ARN])).groups == (ARN,)


def test_omitted_ports_are_the_groups_and_duplicates_are_one_target() -> None:
    request = from_params(params({"id": INSTANCE}, {"id": INSTANCE, "port": 80}, {"id": INSTANCE, "port": 81}))
    assert wanted(request, GROUPS["instance"]).present == {Target(INSTANCE, 80), Target(INSTANCE, 81)}


def test_addresses_are_compared_in_one_form() -> None:
    request = from_params(params({"id": "2001:DB8::0:1"}, {"id": "2001:db8::1"}))
    assert wanted(request, GROUPS["ipv6"]).present == {Target("2001:db8::1", 80)}


def test_absent_tells_ids_with_and_without_port_apart() -> None:
    request = from_params(params({"id": INSTANCE, "port": 81}, {"id": "i-0123456789abcdef1"}, state="absent"))
    item = wanted(request, GROUPS["instance"])
    assert item.absent == {Target(INSTANCE, 81)}
    assert item.absent_ids == {"i-0123456789abcdef1"}


@pytest.mark.parametrize(
    ("kind", "target", "finding"),
    [
        ("instance", {"id": INSTANCE, "port": 81}, ""),
        ("instance", {"id": "10.0.0.1"}, "is not the id of an instance"),
        ("instance", {"id": "i-xyz"}, "is not the id of an instance"),
        ("instance", {"id": INSTANCE, "availability_zone": "all"}, "has the availability zone all"),
        ("ip", {"id": "10.0.0.1", "availability_zone": "all"}, ""),
        ("ip", {"id": INSTANCE}, "is not an IP address of version 4"),
        ("ip", {"id": "2001:db8::1"}, "is not an IP address of version 4"),
        ("ipv6", {"id": "2001:db8::1"}, ""),
        ("ipv6", {"id": "10.0.0.1"}, "is not an IP address of version 6"),
        ("lambda", {"id": FUNCTION}, ""),
        ("lambda", {"id": FUNCTION + ":live", "availability_zone": "all"}, ""),
        ("lambda", {"id": INSTANCE}, "is not the ARN of a Lambda function"),
        ("lambda", {"id": FUNCTION, "port": 80}, "has a port"),
        ("alb", {"id": BALANCER}, ""),
        ("alb", {"id": BALANCER, "port": 80}, ""),
        ("alb", {"id": BALANCER, "port": 443}, "port 443 is not 80"),
        ("alb", {"id": FUNCTION}, "is not the ARN of an Application Load Balancer"),
        ("geneve", {"id": INSTANCE, "port": 80}, "port 80 is not 6081"),
    ],
)
def test_targets_fit_the_groups_type(kind: str, target: dict[str, Any], finding: str) -> None:
    found = kinds.misfits(from_params(params(target)), [GROUPS[kind]])
    assert len(found) == bool(finding)
    assert all(line.startswith("targets[0]: ") and finding in line for line in found)


def test_misfits_of_all_groups_are_told_at_once() -> None:
    found = kinds.misfits(from_params(params({"id": "x"})), [GROUPS["instance"], GROUPS["ip"]])
    assert len(found) == 2


def test_two_functions_do_not_fit_into_one_group() -> None:
    request = from_params(params({"id": FUNCTION}, {"id": FUNCTION + "2"}))
    assert kinds.misfits(request, [GROUPS["lambda"]]) == [
        "targets: target group fn (target type lambda) takes one target, not 2"
    ]
