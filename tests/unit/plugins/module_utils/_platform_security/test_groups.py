# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups that follow from a platform's declaration, and what is found wrong with a set."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security.declaration import (
    Declaration,
    PlatformSecurityError,
    read,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security.findings import findings
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security.groups import (
    groups,
    health_checks,
    protect,
    tagged,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import declare
from hypothesis import given
from hypothesis import strategies as st

OPERATORS = ["203.0.113.0/24"]
BALANCER = {"access": ["0.0.0.0/0", "::/0"], "certificate": {"arn": "arn:…"}}
FLEETS = [{"name": "web", "min": 1}]
SERVICES = [{"name": "shop", "host": "@", "port": 5000, "fleet": "web", "listen": 8000}]
ALL = ["0.0.0.0/0", "::/0"]


def declared(*services: dict[str, Any], **options: Any) -> Declaration:
    told = {"topology": "bastion", "operators": OPERATORS, "load_balancer": BALANCER, "fleets": FLEETS, **options}
    return read(services or SERVICES, "shop", **told)


def rules(*services: dict[str, Any], **options: Any) -> dict[str, list[tuple[list[int], list[str]]]]:
    found = groups(declared(*services, **options))
    return {group["name"]: [(rule["ports"], rule["sources"]) for rule in group["ingress"]] for group in found}


def test_hosts_are_open_to_the_load_balancer_and_the_bastion_alone() -> None:
    assert rules() == {
        "shop-alb": [([80, 443], ALL)],
        "shop-bastion": [([22], OPERATORS)],
        "shop-web": [([8000], ["shop-alb"]), ([22], ["shop-bastion"])],
    }


def test_without_a_bastion_operators_come_directly() -> None:
    assert rules(topology="direct")["shop-web"] == [([8000], ["shop-alb"]), ([22], OPERATORS)]
    assert "shop-bastion" not in rules(topology="direct")


def test_without_a_load_balancer_hosts_are_public_themselves() -> None:
    system = [{"name": "homepage", "host": "@", "port": 5000}, {"name": "orders", "port": 5001}]
    found = rules(*system, load_balancer=None, fleets=None)
    assert found == {
        "shop-bastion": [([22], OPERATORS)],
        "shop-web": [([80, 443], ALL), ([22], ["shop-bastion"])],
    }
    public = rules({"name": "a", "listen": 5000}, load_balancer={}, fleets=[])
    assert public["shop-web"][0] == ([80, 443, 5000], ALL)
    assert health_checks(declared(*system, load_balancer=None, fleets=None)) == []


def test_a_plain_load_balancer_has_no_443_and_its_own_visitors() -> None:
    for told in ({"https": False}, {}):
        found = rules(load_balancer={**told, "access": ["198.51.100.0/24"]})
        assert found["shop-alb"] == [([80], ["198.51.100.0/24"])]


@pytest.mark.parametrize(
    ("service", "port", "opened"),
    [
        ({"listen": 8000}, 8000, [8000]),
        ({"listen": "9000", "health": {"path": "/ready"}}, 9000, [9000]),
        ({"listen": 8000, "health_check": {"path": "/ready"}}, 8000, [8000]),
        ({"listen": 8000, "health_check": {"port": "traffic-port"}}, 8000, [8000]),
    ],
)
def test_the_port_of_the_health_check_is_open(service: dict[str, Any], port: int, opened: list[int]) -> None:
    one = declared({"name": "shop", **service})
    checks = health_checks(one)
    assert checks == [{"service": "shop", "group": "shop-web", "port": port, "source": "shop-alb"}]
    assert groups(one)[2]["ingress"][0]["ports"] == opened
    assert findings(groups(one), checks) == []


def test_a_health_check_asks_a_port_that_a_service_beside_it_listens_on() -> None:
    shop, health = {"name": "shop", "listen": 8000, "health_check": {"port": 8001}}, {"name": "health", "listen": 8001}
    one = declared(shop, health)
    assert [check["port"] for check in health_checks(one)] == [8001, 8001]
    assert findings(groups(one), health_checks(one)) == []
    with pytest.raises(PlatformSecurityError, match=r"health_check.port 8001, where nothing answers on web"):
        declared(shop)


def test_beside_a_load_balancer_hosts_can_be_public_themselves_but_not_fleets() -> None:
    services = [{"name": "shop", "fleet": "web", "listen": 8000}, {"name": "blog", "fleet": "own"}]
    found = rules(*services, hosts=[{"name": "own"}])
    assert found["shop-web"] == [([8000], ["shop-alb"]), ([22], ["shop-bastion"])]
    assert found["shop-own"] == [([80, 443], ALL), ([22], ["shop-bastion"])]
    with pytest.raises(PlatformSecurityError, match="service blog runs on web behind the load balancer: give listen"):
        declared({"name": "blog"})


def test_each_fleet_has_the_ports_of_its_own_services() -> None:
    services = [{"name": "a", "fleet": "web", "listen": 8000}, {"name": "b", "fleet": "api", "listen": 9000}]
    found = rules(*services, fleets=[{"name": "web"}, {"name": "api"}, {"name": "idle"}])
    assert [found[f"shop-{name}"][0] for name in ("web", "api", "idle")] == [
        ([8000], ["shop-alb"]),
        ([9000], ["shop-alb"]),
        ([22], ["shop-bastion"]),
    ]


def test_the_operators_way_in_is_protected() -> None:
    assert protect(declared()) == [{"group": "shop-bastion", "port": 22, "source": "203.0.113.0/24"}]
    assert protect(declared(topology="direct"), ["203.0.113.7/32"]) == [
        {"group": "shop-web", "port": 22, "source": "203.0.113.7/32"}
    ]


def test_everything_wrong_with_a_declaration_is_told_at_once() -> None:
    with pytest.raises(PlatformSecurityError) as raised:
        read(
            [{"name": "a", "fleet": "api", "listen": "http"}, {"name": "b"}],
            "",
            topology="mesh",
            operators=["203.0.113.7", "10.0.0.0/33"],
            load_balancer={"access": ["everybody"]},
            fleets=[{"name": "web"}, {"name": "Web"}, {"name": "alb"}, {"min": 1}],
        )
    told = str(raised.value).split("; ")
    for words in (
        "platform_name is empty",
        "platform_topology 'mesh' is none: give bastion or direct",
        "platform_operators[0]: '203.0.113.7' is an address without a length: give 203.0.113.7/32",
        "platform_operators[1]: '10.0.0.0/33'",
        "platform_load_balancer.access[0]: 'everybody'",
        "platform_fleets[3] has no name",
        "the name Web is given to two fleets or groups of hosts",
        "no fleet or group of hosts can be named alb",
        "service a runs on 'api', which is not declared: give fleet one of web, Web, alb",
        "service a: listen 'http' is no port",
        "service b runs on web behind the load balancer: give listen",
    ):
        assert [line for line in told if line.startswith(words)], (words, told)
    with pytest.raises(PlatformSecurityError, match="platform_operators is empty"):
        declared(operators=[])


def test_ssh_open_to_everybody_is_refused_also_in_halves() -> None:
    halves = groups(declared(operators=["0.0.0.0/1", "128.0.0.0/1"]))
    assert findings(halves) == [
        "group shop-bastion opens port 22 to everybody (0.0.0.0/0): "
        "narrow platform_operators, or set security_allow_open_ssh: true"
    ]
    assert findings(halves, open_ssh=True) == []
    everything = [{"name": "a", "ingress": [{"protocol": "-1", "sources": ["::/0"]}]}]
    assert "opens port 22 to everybody (::/0)" in findings(everything)[0]


def test_a_set_that_nobody_can_use_is_found() -> None:
    assert findings([])[0].startswith("security_groups is empty")
    nobody = [{"name": "a", "ingress": [{"ports": 80, "sources": ALL}]}]
    assert findings(nobody) == ["no group admits anybody to port 22: give the operators' ranges in platform_operators"]
    broken = [{"name": "a", "ingress": [{"ports": 22, "sources": []}]}]
    assert findings(broken) == ["security_groups[0] a ingress[0]: sources is empty"]


def test_a_health_check_that_no_rule_admits_is_found() -> None:
    found = groups(declared())
    told = findings(
        found,
        [
            {"service": "shop", "group": "shop-web", "port": 8001, "source": "shop-alb"},
            {"service": "other", "group": "shop-api", "port": 8000, "source": "shop-alb"},
            {"service": "foreign", "group": "shop-web", "port": 8000, "source": "elsewhere"},
            {"service": "right", "group": "SHOP-WEB", "port": "8000", "source": "shop-alb"},
        ],
    )
    assert [line.partition(":")[0] for line in told] == ["service shop", "service other", "service foreign"]
    assert "asks port 8001 of shop-web, which does not admit shop-alb there" in told[0]
    assert "which is no group of the set (shop-alb, shop-bastion, shop-web)" in told[1]


def test_tags_are_added_and_what_a_group_says_comes_first() -> None:
    (one,) = tagged([{"name": "a", "tags": {"Tier": "edge"}}], {"Tier": "inner", "Team": "x"})
    assert one["tags"] == {"Name": "a", "Team": "x", "Tier": "edge"}


PORTS = st.integers(1, 65535)


@given(
    topology=st.sampled_from(["bastion", "direct"]),
    balancer=st.sampled_from([None, BALANCER, {"https": False}]),
    fleets=st.lists(st.sampled_from(["web", "api", "jobs"]), unique=True),
    listens=st.lists(st.none() | PORTS, max_size=4),
    checked=st.booleans(),
)
def test_every_derived_set_is_right_by_itself(
    topology: str, balancer: dict[str, Any] | None, fleets: list[str], listens: list[int | None], checked: bool
) -> None:
    places = fleets or ["web"]
    services: list[dict[str, Any]] = [
        {"name": f"s{index}", "fleet": places[index % len(places)], "listen": listen}
        for index, listen in enumerate(listens)
        if listen or not (balancer and fleets)
    ]
    for service in services if checked else ():
        # The first of its place that has a port is asked for the health of all.
        beside = [one["listen"] for one in services if one["fleet"] == service["fleet"] and one["listen"]]
        service["health_check"] = {"port": (beside or [None])[0]}
    declared_fleets = [{"name": name} for name in fleets]
    one = read(services, "shop", topology=topology, operators=OPERATORS, load_balancer=balancer, fleets=declared_fleets)
    found = groups(one)
    assert findings(found, health_checks(one), open_ssh=22 in listens) == []
    assert not declare.findings({"groups": found, "protect": protect(one), "vpc_id": "vpc-1", "owner": "shop"})
    assert {path["group"] for path in protect(one)} <= {group["name"] for group in found}
    if balancer and fleets:
        for group in found[1:]:
            for rule in group["ingress"]:
                assert not set(rule["sources"]) & set(ALL)
