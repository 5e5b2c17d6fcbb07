# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a region wants of its networks, from what the API says."""

from __future__ import annotations

import itertools
from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from lab.region import vpc
from lab.region.place import Place
from lab.region.state import (
    Interface,
    InternetGateway,
    NatGateway,
    Route,
    RouteTable,
    State,
    Subnet,
    Vpc,
)

PLACE = Place("unit", 222)
VPC = Vpc("vpc-0000000000000000a", (IPv4Network("10.5.0.0/16"), IPv4Network("10.6.0.0/16")))
PUBLIC = Subnet("subnet-000000000000000aa", VPC.id, "eu-central-1a", IPv4Network("10.5.0.0/24"))
PRIVATE = Subnet("subnet-000000000000000bb", VPC.id, "eu-central-1b", IPv4Network("10.5.1.0/24"))
GATEWAY = InternetGateway("igw-1", VPC.id)
NAT = NatGateway("nat-1", PUBLIC.id, "eni-0000000000000000c")
TO_GATEWAY = RouteTable("rtb-1", VPC.id, False, (PUBLIC.id,), (Route("0.0.0.0/0", GATEWAY.id),))
TO_NAT = RouteTable("rtb-2", VPC.id, True, (), (Route("10.5.0.0/16", "local"), Route("0.0.0.0/0", NAT.id)))


def interface(name: str, owner: str | None, subnet: Subnet, private: str, public: str | None = None) -> Interface:
    return Interface(name, VPC.id, subnet.id, owner, 0, private, public, "02:00:00:00:00:01", (), "")


STATE = State(
    vpcs=(VPC,),
    subnets=(PUBLIC, PRIVATE),
    route_tables=(TO_GATEWAY, TO_NAT),
    internet_gateways=(GATEWAY,),
    nat_gateways=(NAT,),
    interfaces=(
        interface("eni-0000000000000000a", "i-1", PUBLIC, "10.5.0.4", "10.222.128.1"),
        interface("eni-0000000000000000b", "i-2", PRIVATE, "10.5.1.4"),
        interface("eni-0000000000000000c", "nat-1", PUBLIC, "10.5.0.5", "10.222.128.2"),
        interface("eni-0000000000000000d", None, PRIVATE, "10.5.1.9"),
    ),
)


def added(state: State, resource: str) -> list[str]:
    return [add for add, _remove in vpc.wanted(PLACE, state)[PLACE.namespace_of(resource)].lines]


def routes(state: State, subnet: Subnet) -> list[str]:
    """The routes of a subnet's own table, without the last resort."""
    table = f" table {vpc.number(subnet.id)}"
    found = [line.removesuffix(table) for line in added(state, VPC.id) if line.endswith(table)]
    return [line.removeprefix("route replace ") for line in found if "metric" not in line]


def test_every_vpc_and_every_owner_of_an_interface_has_a_namespace() -> None:
    names = {"region", VPC.id, "i-1", "i-2", "nat-1"}
    assert set(vpc.wanted(PLACE, STATE)) == {PLACE.namespace_of(name) for name in names}


def test_a_subnet_follows_its_own_table_else_the_main_one() -> None:
    assert routes(STATE, PUBLIC) == ["0.0.0.0/0 via 169.254.0.1 dev uplink onlink"]
    assert routes(STATE, PRIVATE) == ["0.0.0.0/0 via 10.5.0.5 dev v-00000000000c onlink"]


@pytest.mark.parametrize("target", ["igw-of-another", "pcx-1", "eni-0000000000000000d", ""])
def test_a_target_that_leads_nowhere_is_no_route(target: str) -> None:
    table = replace(TO_NAT, routes=(Route("0.0.0.0/0", target),))
    assert routes(replace(STATE, route_tables=(TO_GATEWAY, table)), PRIVATE) == []


def test_addresses_of_the_vpc_that_no_subnet_has_stay_inside() -> None:
    assert {"route replace unreachable 10.5.0.0/16", "route replace unreachable 10.6.0.0/16"} <= set(
        added(STATE, VPC.id)
    )


def test_public_addresses_are_translated_one_to_one_while_there_is_a_gateway() -> None:
    rules = vpc.wanted(PLACE, STATE)[PLACE.namespace_of(VPC.id)].rules
    assert "elements = { 10.222.128.1 : 10.5.0.4, 10.222.128.2 : 10.5.0.5 };" in rules
    assert "10.222.128.1/32 via 169.254.0.2 dev r-00000000000a onlink" in " ".join(added(STATE, "region"))
    without = replace(STATE, internet_gateways=())
    assert "10.222.128.1" not in vpc.wanted(PLACE, without)[PLACE.namespace_of(VPC.id)].rules
    assert "10.222.128.1" not in " ".join(added(without, "region"))


def test_every_line_can_be_taken_back() -> None:
    for wiring in vpc.wanted(PLACE, STATE).values():
        for add, remove in wiring.lines:
            kind = add.split()[0]
            assert remove.split()[:1] == [kind] or (kind, remove) == ("link", "")


def test_names_of_interfaces_are_short_enough_for_the_kernel() -> None:
    for wiring in vpc.wanted(PLACE, STATE).values():
        words = " ".join(add for add, _remove in wiring.lines).split()
        assert all(len(word) <= 15 for previous, word in itertools.pairwise(words) if previous == "dev")
