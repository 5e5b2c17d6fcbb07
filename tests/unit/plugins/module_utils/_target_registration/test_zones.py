# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Target,
    TargetRegistrationError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.zones import zones

SUBNETS: list[dict[str, Any]] = [
    {"SubnetId": "subnet-a", "AvailabilityZone": "eu-central-1a", "CidrBlock": "10.0.0.0/24"},
    {
        "SubnetId": "subnet-b",
        "AvailabilityZone": "eu-central-1b",
        "CidrBlock": "100.64.1.0/24",
        "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2001:db8:1::/64"}],
    },
    {"SubnetId": "subnet-c", "AvailabilityZone": "eu-central-1c", "CidrBlock": "198.51.100.0/24"},
]


@pytest.mark.parametrize(
    ("address", "asked", "said"),
    [
        ("10.0.0.7", "", ""),
        ("10.0.0.7", "eu-central-1a", ""),
        ("10.0.1.7", "", "all"),
        ("10.0.1.7", "eu-central-1b", "eu-central-1b"),
        ("100.64.1.7", "", ""),
        ("2001:db8:1::7", "", ""),
        ("2001:db8:2::7", "", "all"),
        ("198.51.100.7", "", ""),
        ("192.168.0.1", "all", "all"),
    ],
)
def test_a_zone_is_said_for_addresses_outside_of_the_subnets(address: str, asked: str, said: str) -> None:
    target = Target(address, 80)
    assert zones([target], {target: asked}, SUBNETS).get(target, "") == said


def test_all_addresses_that_are_not_taken_are_told_at_once() -> None:
    inside, public = Target("10.0.0.7", 80), Target("203.0.113.7", 80)
    with pytest.raises(TargetRegistrationError) as caught:
        zones([inside, public], {inside: "all"}, SUBNETS)
    assert str(caught.value).split("\n") == [
        "10.0.0.7 is in subnet-a and so in the availability zone eu-central-1a, not in all",
        "203.0.113.7 is in no subnet of the target group's VPC, and outside of it AWS takes private addresses only "
        "(10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16)",
    ]
