# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the variables of the role compute."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.findings import findings

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJsr5uAxG2C+/RJsEI0TxAIQ3eIGn4Wa7sgzmRUJNh6U ada"
INSTANCE = {"name": "bastion", "subnet": "subnet-1", "security_groups": ["sg-1"]}
FLEET = {"name": "web", "subnets": ["subnet-1"], "security_groups": ["sg-1"]}


def told(instance: dict[str, Any] | None = None, fleet: dict[str, Any] | None = None, **more: Any) -> list[str]:
    return findings(
        {
            "platform": "shop",
            "key": {"name": "operator", "public_key": KEY},
            "image": {"name": "debian-13-*", "owner": "1"},
            "template_versions": 5,
            "instances": [{**INSTANCE, **(instance or {})}],
            "fleets": [{**FLEET, **(fleet or {})}],
            **more,
        }
    )


def test_nothing_is_wrong_with_what_is_right() -> None:
    assert told() == []
    assert told({"profile": "", "subnet": ""}, {"subnets": [""], "security_groups": [""]}) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"platform": "Shop!"}, "give small letters, digits and hyphens"),
        ({"template_versions": 0}, "must be at least 1"),
        ({"key": {"public_key": KEY}}, "has a public key and no name"),
        ({"key": {"name": "a", "public_key": "ecdsa-sha2-nistp256 AAAA"}}, "EC2 takes ssh-ed25519 and ssh-rsa"),
        ({"key": {"name": "a", "public_key": "ssh-rsa " + KEY.split()[1]}}, "is no line as"),
        ({"key": {"name": "a", "public_key": "-----BEGIN RSA PRIVATE KEY-----"}}, "is a private key"),
        ({"replace": ["web1"]}, "names web1, which is no instance: known are bastion"),
        ({"tags": {"gatehouse:role": "x"}}, "is the platform's own or AWS's"),
        ({"tags": {"two words": "x"}}, "cannot be told to instances"),
        ({"tags": {"a": "x" * 257}}, "more than 256 characters"),
        ({"instance": {"image": {"owner": ""}}}, "the image has no name or no owner"),
        ({"instance": {"name": "web"}}, "the name web is given to 2 instances or fleets"),
        ({"instance": {"name": "Web 1"}}, "must be of small letters, digits and hyphens"),
        ({"instance": {"role": "db"}}, "the role 'db' is none of bastion, web"),
        ({"instance": {"security_groups": []}}, "there is no security group"),
        ({"instance": {"user_data": "x" * 16385}}, "more than 16384 bytes"),
        ({"instance": {"volume_size": 0}}, "is no size in GiB"),
        ({"instance": {"subnet": None}}, "there is no subnet: give its id"),
        ({"fleet": {"subnets": []}}, "there are no subnets"),
        ({"fleet": {"min": 0, "max": 0}}, "a fleet that may have no instance is none"),
        ({"fleet": {"min": 2, "desired": 1, "max": 3}}, "wanted is 0 <= min <= desired <= max"),
        ({"fleet": {"health_check": {"kind": "ELB"}}}, "asks a target group, and there is none"),
        ({"fleet": {"health_check": {"kind": "TCP"}}}, "is none of EC2, ELB"),
        ({"fleet": {"health_check": {"grace_period": -1}}}, "grace_period is negative"),
        ({"fleet": {"warm_up": -1}}, "warm_up is negative"),
        ({"fleet": {"hooks": [{"name": "a", "transition": "starting"}]}}, "none of launching, terminating"),
        ({"fleet": {"hooks": [{"name": "a", "transition": "launching", "timeout": 5}]}}, "not between 30 and 7200"),
        ({"fleet": {"hooks": [{"name": "a", "transition": "launching", "default": "x"}]}}, "neither abandon nor"),
        ({"fleet": {"hooks": [{"name": "a", "transition": "launching"}] * 2}}, "2 life-cycle hooks are named a"),
        ({"fleet": {"policies": [{"name": "a", "metric": "Load", "target": 1}]}}, "metric 'Load' is none of"),
        ({"fleet": {"policies": [{"name": "A", "metric": "ASGAverageNetworkIn", "target": 1}]}}, "the name 'A' must"),
        ({"fleet": {"policies": [{"name": "a", "metric": "ASGAverageNetworkIn"}]}}, "a number above 0"),
        ({"fleet": {"policies": [{"name": "a", "metric": "ALBRequestCountPerTarget", "target": 1}]}}, "needs label"),
        ({"fleet": {"refresh": {"min_healthy": 10, "max_healthy": 150}}}, "no more than 100 apart"),
    ],
)
def test_what_is_wrong_is_told(more: dict[str, Any], words: str) -> None:
    found = told(**more)
    assert len(found) == 1, found
    assert words in found[0]
