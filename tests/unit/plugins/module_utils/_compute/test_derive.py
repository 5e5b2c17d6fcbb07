# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that follow from a platform's declaration."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.derive import ComputeError, machines
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.findings import findings

SERVICES = [
    {"name": "shop", "host": "@", "port": 5000, "fleet": "web", "listen": 8000},
    {"name": "blog", "port": 5001, "fleet": "web1"},
]
BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/shop/50dc"
TARGETS = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/shop-shop/73e2"
MADE: dict[str, Any] = {
    "network": {
        "subnets": {"public": [{"id": "pub-a"}, {"id": "pub-b"}], "private": [{"id": "pri-a"}, {"id": "pri-b"}]}
    },
    "security": {"groups": {"shop-bastion": "sg-b", "shop-web": "sg-w", "shop-web1": "sg-h"}},
    "identity": {"profiles": {"web": {"name": "shop-web", "arn": "arn:profile"}}},
    "load_balancer": {"arn": BALANCER, "target_groups": {"shop": TARGETS}},
}
FLEETS = [
    {
        "name": "web",
        "min": 1,
        "desired": 2,
        "max": 4,
        "instance_type": "t3.small",
        "policies": [{"name": "requests", "metric": "ALBRequestCountPerTarget", "target": 100}],
    }
]
HOSTS = [{"name": "web1", "elastic_address": True}]


def derived(topology: str = "bastion", made: dict[str, Any] | None = None) -> dict[str, Any]:
    return machines(SERVICES, "shop", topology, FLEETS, HOSTS, {}, MADE if made is None else made)


def test_the_bastion_is_in_the_first_public_subnet_and_fleets_are_private() -> None:
    found = derived()
    bastion, host = found["instances"]
    assert (bastion["name"], bastion["role"], bastion["subnet"]) == ("bastion", "bastion", "pub-a")
    assert (bastion["security_groups"], bastion["public_address"]) == (["sg-b"], True)
    assert (host["subnet"], host["elastic_address"], host["services"]) == ("pub-a", True, ["blog"])
    (fleet,) = found["fleets"]
    assert (fleet["subnets"], fleet["public_address"], fleet["services"]) == (["pri-a", "pri-b"], False, ["shop"])
    assert (fleet["profile"], fleet["target_groups"], fleet["type"]) == ("arn:profile", [TARGETS], "t3.small")
    assert fleet["policies"][0]["label"] == "app/shop/50dc/targetgroup/shop-shop/73e2"


def test_with_the_topology_direct_there_is_no_bastion_and_all_is_public() -> None:
    found = derived("direct")
    assert [entry["name"] for entry in found["instances"]] == ["web1"]
    assert (found["fleets"][0]["subnets"], found["fleets"][0]["public_address"]) == (["pub-a", "pub-b"], True)


def test_what_does_not_exist_yet_has_an_empty_id_and_nothing_is_wrong_with_it() -> None:
    subnets = {tier: [{"id": ""}] for tier in ("public", "private")}
    made = {"network": {"subnets": subnets}, "load_balancer": {"arn": "", "target_groups": {"shop": ""}}}
    found = derived(made=made)
    (fleet,) = found["fleets"]
    assert (fleet["subnets"], fleet["security_groups"], fleet["target_groups"]) == ([""], [""], [""])
    assert fleet["policies"][0]["label"] == ""
    image = {"name": "debian-13-*", "owner": "1"}
    told = findings({"platform": "shop", "image": image, "template_versions": 5, **found})
    assert told == []


def test_all_that_cannot_be_derived_is_told_at_once() -> None:
    services = [{"name": "shop", "fleet": "nowhere"}]
    with pytest.raises(ComputeError) as error:
        machines(services, "shop", "star", FLEETS, HOSTS, {}, {})
    for words in ("runs on 'nowhere'", "platform_topology 'star'", "no public subnet", "no subnet for the fleets"):
        assert words in str(error.value)
