# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups made through the API, and what packets then do between namespaces with their rules."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab.cloud import ControlPlane
from lab.region import firewall, state_security_groups
from lab.region.firewall import Behind
from tests.region.namespaces import PATIENCE, Namespace, Network, plug

OUTSIDE = "198.51.100.7"
EVERYWHERE = [{"CidrIp": "0.0.0.0/0"}]


class World:
    """Instances as namespaces around a router with the rules of their groups, listening on four ports: TCP, and UDP."""

    def __init__(self, cloud: ControlPlane, network: Network) -> None:
        self.cloud, self.network, self.ec2 = cloud, network, cloud.client("ec2")
        self.hosts: dict[str, tuple[Namespace, list[str]]] = {}
        self.sockets: list[socket.socket] = []
        self.outside = self.serving(network.host(OUTSIDE))

    def serving(self, host: Namespace) -> Namespace:
        self.sockets += [*(host.listen(port) for port in (22, 80, 8080)), host.echoes(53)]
        return host

    def group(self, name: str, open_outward: bool = False) -> str:
        """A group, without the rule that lets everything out."""
        group = str(self.ec2.create_security_group(GroupName=name, Description=name)["GroupId"])
        if not open_outward:
            self.ec2.revoke_security_group_egress(
                GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": EVERYWHERE}]
            )
        return group

    def instance(self, *groups: str) -> Namespace:
        made = self.ec2.run_instances(
            ImageId="ami-0deb1300000000001", MinCount=1, MaxCount=1, SecurityGroupIds=list(groups)
        )["Instances"][0]
        host = self.serving(self.network.host(made["PrivateIpAddress"]))
        self.hosts[made["InstanceId"]] = (host, list(groups))
        return host

    def terminate(self, host: Namespace) -> None:
        instance = next(name for name, (known, _groups) in self.hosts.items() if known is host)
        self.ec2.terminate_instances(InstanceIds=[instance])
        del self.hosts[instance]

    def allow(
        self, group: str, protocol: str, port: int = -1, code: int | None = None, **source: Any
    ) -> dict[str, Any]:
        """An ingress rule, and what it was made of."""
        permission = permitted(protocol, port, code, source)
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
        return permission

    def let_out(self, group: str, protocol: str, port: int = -1, **source: Any) -> None:
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[permitted(protocol, port, None, source)])

    def settle(self) -> None:
        """Load what the API says now."""
        state = state_security_groups.read(self.cloud.client)
        plugs = {plug(host.address): Behind(groups, host.address) for host, groups in self.hosts.values()}
        firewall.apply(self.network.router, firewall.ruleset(plugs, state))


def permitted(protocol: str, port: int, code: int | None, source: dict[str, Any]) -> dict[str, Any]:
    ports = {} if protocol == "-1" else {"FromPort": port, "ToPort": port if code is None else code}
    return {"IpProtocol": protocol, **ports, **source}


def of_group(group: str) -> dict[str, Any]:
    return {"UserIdGroupPairs": [{"GroupId": group}]}


def of_range(cidr: str) -> dict[str, Any]:
    return {"IpRanges": [{"CidrIp": cidr}]}


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    with ControlPlane() as cloud:
        yield cloud


@pytest.fixture
def world(control_plane: ControlPlane) -> Iterator[World]:
    control_plane.reset()
    network = Network()
    try:
        made = World(control_plane, network)
        yield made
        for opened in made.sockets:
            opened.close()
    finally:
        network.remove()


def test_what_no_rule_names_is_dropped_in_silence(world: World) -> None:
    host = world.instance(world.group("web"))
    world.settle()
    start = time.monotonic()
    assert not world.outside.reaches(host.address, 80)
    assert time.monotonic() - start >= PATIENCE
    assert not world.outside.exchanges(host.address, 53)
    assert not world.outside.pings(host.address)
    assert not host.reaches(OUTSIDE, 80)
    assert host.reaches("127.0.0.1", 80)
    assert host.reaches(host.address, 80)


def test_a_rule_opens_its_port_and_its_removal_closes_it(world: World) -> None:
    group = world.group("web")
    host = world.instance(group)
    rule = world.allow(group, "tcp", 80, **of_range(f"{OUTSIDE}/32"))
    world.settle()
    assert world.outside.reaches(host.address, 80)
    assert not world.outside.reaches(host.address, 22)
    assert not world.outside.exchanges(host.address, 53)
    world.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])
    world.settle()
    assert not world.outside.reaches(host.address, 80)


def test_a_connection_outlives_the_rule_that_let_it_in(world: World) -> None:
    group = world.group("web")
    host = world.instance(group)
    rule = world.allow(group, "tcp", 80, **of_range("0.0.0.0/0"))
    world.settle()
    with world.outside.connect(host.address, 80) as client, world.sockets[-4 + 1].accept()[0] as server:
        world.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])
        world.settle()
        client.sendall(b"still there?")
        server.settimeout(2)
        assert server.recv(100) == b"still there?"
    assert not world.outside.reaches(host.address, 80)


def test_only_the_members_of_a_referenced_group_get_in(world: World) -> None:
    front, back = world.group("front", open_outward=True), world.group("back")
    world.allow(back, "tcp", 8080, **of_group(front))
    member, host = world.instance(front), world.instance(back)
    world.settle()
    assert member.reaches(host.address, 8080)
    assert not member.reaches(host.address, 80)
    assert not world.outside.reaches(host.address, 8080)


def test_members_come_and_go(world: World) -> None:
    front, back = world.group("front", open_outward=True), world.group("back")
    world.allow(back, "tcp", 8080, **of_group(front))
    host = world.instance(back)
    world.settle()
    first = world.instance(front)
    assert not first.reaches(host.address, 8080)
    world.settle()
    assert first.reaches(host.address, 8080)
    world.terminate(first)
    world.settle()
    assert not first.reaches(host.address, 8080)


def test_a_group_may_reference_itself(world: World) -> None:
    cluster = world.group("cluster", open_outward=True)
    world.allow(cluster, "-1", **of_group(cluster))
    one, other = world.instance(cluster), world.instance(cluster)
    world.settle()
    assert one.reaches(other.address, 22)
    assert other.exchanges(one.address, 53)
    assert one.pings(other.address)
    assert not world.outside.reaches(one.address, 22)


def test_groups_may_reference_each_other(world: World) -> None:
    left, right = world.group("left"), world.group("right")
    for group, other, port in ((left, right, 80), (right, left, 8080)):
        world.allow(group, "tcp", port, **of_group(other))
        world.let_out(other, "tcp", port, **of_group(group))
    host, peer = world.instance(left), world.instance(right)
    world.settle()
    assert host.reaches(peer.address, 8080)
    assert peer.reaches(host.address, 80)
    assert not host.reaches(peer.address, 80)
    assert not peer.reaches(host.address, 8080)


def test_egress_is_filtered_and_answers_come_back(world: World) -> None:
    group = world.group("worker")
    world.let_out(group, "tcp", 80, **of_range("198.51.100.0/24"))
    world.let_out(group, "udp", 53, **of_range("198.51.100.0/24"))
    host = world.instance(group)
    world.settle()
    assert host.reaches(OUTSIDE, 80)
    assert host.exchanges(OUTSIDE, 53)
    assert not host.reaches(OUTSIDE, 22)
    assert not host.pings(OUTSIDE)


def test_a_prefix_list_stands_for_its_entries(world: World) -> None:
    entries = [{"Cidr": "198.51.100.0/25"}, {"Cidr": "198.51.100.0/26"}]
    made = world.ec2.create_managed_prefix_list(
        PrefixListName="office", MaxEntries=5, AddressFamily="IPv4", Entries=entries
    )
    group = world.group("web")
    listed = {"PrefixListIds": [{"PrefixListId": made["PrefixList"]["PrefixListId"]}]}
    world.allow(group, "tcp", 22, None, **listed)
    host = world.instance(group)
    world.settle()
    assert world.outside.reaches(host.address, 22)
    assert not world.outside.reaches(host.address, 80)
    assert not world.serving(world.network.host("198.51.100.200")).reaches(host.address, 22)


@pytest.mark.parametrize(
    ("kind", "code", "echo", "timestamp"),
    [(-1, -1, True, True), (8, -1, True, False), (8, 0, True, False), (8, 1, False, False), (13, -1, False, True)],
)
def test_icmp_is_let_in_by_type_and_code(world: World, kind: int, code: int, echo: bool, timestamp: bool) -> None:
    group = world.group("web")
    world.allow(group, "icmp", kind, code, **of_range("0.0.0.0/0"))
    host = world.instance(group)
    world.settle()
    assert world.outside.pings(host.address, 8) is echo
    assert world.outside.pings(host.address, 13) is timestamp
    assert not world.outside.reaches(host.address, 80)


def test_the_rules_of_all_groups_of_a_host_add_up(world: World) -> None:
    groups = [world.group(name) for name in ("web", "shell")]
    for group, port in zip(groups, (80, 22), strict=True):
        world.allow(group, "tcp", port, **of_range("0.0.0.0/0"))
    host = world.instance(*groups)
    world.settle()
    assert world.outside.reaches(host.address, 80)
    assert world.outside.reaches(host.address, 22)
    assert not world.outside.reaches(host.address, 8080)


def test_what_a_host_redirects_is_filtered_by_the_port_that_was_asked_for(world: World) -> None:
    """As a security group sees it, and not as the host has translated it: published ports of containers, for one."""
    group = world.group("web")
    world.allow(group, "tcp", 80, **of_range("0.0.0.0/0"))
    host = world.instance(group)
    redirection = "type nat hook prerouting priority dstnat; tcp dport { 80, 90 } redirect to :8080;"
    firewall.apply(host.path, f"table ip own {{ chain in {{ {redirection} }}; }}")
    world.settle()
    assert world.outside.reaches(host.address, 80)
    assert not world.outside.reaches(host.address, 90)
    assert not world.outside.reaches(host.address, 8080)
