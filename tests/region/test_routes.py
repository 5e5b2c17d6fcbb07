# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route tables and gateways, over real packets."""

from __future__ import annotations

import errno
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

from lab.region.namespaces import Namespaces, Wiring
from lab.region.place import API_ADDRESS, namespace_file
from lab.region.sockets import inside_namespace
from tests.region.account import Account, Vpc, eventually

# The region's API is outside of every VPC.
OUTSIDE = f"curl -s -o /dev/null -m 3 -w '%{{http_code}}' http://{API_ADDRESS}/ || true"


def package_registries() -> set[str]:
    """Where this machine has its packages from: the archives of apt, the index of pip."""
    sites = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)"], check=True, capture_output=True, text=True
    )
    # pip tells its index, as it is set up here, where it explains its options.
    pip = [sys.executable, "-m", "pip", "install", "--help"]
    told = subprocess.run(pip, check=True, capture_output=True, text=True, env={**os.environ, "COLUMNS": "500"}).stdout
    index = re.search(r"--index-url.*?\(default (\S+?)\)", told, re.DOTALL)
    assert index, told
    return {*sites.stdout.split(), index[1]}


def ask(address: str) -> str:
    return f"curl --silent --output /dev/null --max-time 10 --write-out '%{{http_code}}' {shlex.quote(address)} || true"


def bastion_and_private(account: Account, vpc: Vpc) -> tuple[str, str]:
    """Addresses of an instance in each subnet."""
    key = account.key_pair()
    first = account.launch(vpc.public, vpc.group, public=True, KeyName=key)
    second = account.launch(vpc.private, vpc.group, KeyName=key)
    public, private = account.instance(first)["PublicIpAddress"], account.instance(second)["PrivateIpAddress"]
    account.trust(first, public)
    account.trust(second, private)
    assert eventually(lambda: account.ssh(private, "true", through=public).returncode == 0, 30)
    return public, private


def test_a_private_host_reaches_the_outside_through_a_nat_route_alone(account: Account) -> None:
    vpc = account.vpc()
    public, private = bastion_and_private(account, vpc)

    def reaches() -> bool:
        asked = account.ssh(private, OUTSIDE, through=public)
        assert asked.returncode == 0, asked.stderr
        assert asked.stdout
        return asked.stdout != "000"

    def answers(address: str) -> str:
        """The status with which a package registry answers the private host, as a number."""
        return account.ssh(private, ask(address), through=public).stdout

    registries = {address: subprocess.getoutput(ask(address)) for address in package_registries()}
    assert any(status != "000" for status in registries.values()), "this machine reaches no package registry"
    assert account.ssh(public, OUTSIDE).stdout not in ("", "000")
    assert not reaches()
    assert {answers(address) for address in registries} == {"000"}
    elastic = account.ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = account.ec2.create_nat_gateway(SubnetId=vpc.public, AllocationId=elastic)["NatGateway"]["NatGatewayId"]
    assert not reaches()
    account.route(vpc.private_routes, NatGatewayId=nat)
    assert eventually(reaches, 5)
    assert {address: answers(address) for address in registries} == registries
    update = "sudo apt-get --option APT::Update::Error-Mode=any --quiet update"
    updated = account.ssh(private, update, through=public)
    assert updated.returncode == 0, updated.stderr
    account.ec2.delete_route(RouteTableId=vpc.private_routes, DestinationCidrBlock="0.0.0.0/0")
    assert eventually(lambda: not reaches(), 5)
    account.ec2.delete_nat_gateway(NatGatewayId=nat)
    account.ec2.release_address(AllocationId=elastic)


def test_of_what_is_outside_of_this_machine_an_instance_reaches_the_package_registries_alone(account: Account) -> None:
    vpc = account.vpc()
    instance = account.launch(vpc.public, vpc.group, public=True)
    assert account.becomes(instance, "running")
    namespace = namespace_file(account.region.place.namespace_of(instance))
    # Refused by the region itself, before anything leaves this machine (a network for documentation, RFC 5737).
    for port in (22, 25, 8080):
        assert connect("203.0.113.9", port, namespace) == errno.ECONNREFUSED
    machine = account.region.place.uplink[0]
    with socket.create_server((machine, 0)) as server:
        assert connect(machine, server.getsockname()[1], namespace) == errno.ECONNREFUSED


def test_vpcs_with_the_same_range_do_not_meet(account: Account) -> None:
    one, other = account.vpc(), account.vpc()
    public, private = bastion_and_private(account, one)
    assert account.becomes(account.launch(other.private, other.group), "running")
    assert account.ssh(private, "hostname -I", through=public).stdout.split() == [private]
    assert account.ssh(public, "ping -c 1 -W 1 10.91.1.5").returncode != 0


def test_the_range_of_a_vpc_is_refused_on_this_machine(account: Account) -> None:
    vpc = account.vpc("10.93")
    assert account.becomes(account.launch(vpc.private, vpc.group), "running")
    assert subprocess.run(["ip", "route", "get", "10.93.1.4"], check=False, capture_output=True).returncode != 0
    assert "unreachable 10.93.0.0/16" in subprocess.getoutput("ip route")
    account.cloud.reset()
    assert eventually(lambda: "10.93.0.0/16" not in subprocess.getoutput("ip route"), 10)


def test_a_link_that_was_made_in_part_is_made_anew(account: Account) -> None:
    """As a process leaves it that is killed before it has noted that the link is there."""
    vpc, place = account.vpc(), account.region.place
    instance = account.launch(vpc.public, vpc.group, public=True)
    assert account.becomes(instance, "running")
    address = account.instance(instance)["PublicIpAddress"]
    assert eventually(lambda: connect(address, 22) == 0, 60)
    (place.directory / "link").unlink()
    subprocess.run(["ip", "link", "delete", place.link], check=True)
    assert connect(address, 22) != 0
    account.cloud.changes.add()
    assert eventually(lambda: connect(address, 22) == 0, 10)


def test_a_namespace_that_was_made_in_part_is_finished(tmp_path: Path) -> None:
    """As a process leaves it that is killed after the first of several commands."""
    namespaces = Namespaces(f"gh-part-{os.getpid()}-", tmp_path)
    name = f"gh-part-{os.getpid()}-router"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        namespaces.apply({name: Wiring((("address replace 10.0.0.1/32 dev lo", ""),))})
        inside = f"ip netns exec {name}"
        assert "UP" in subprocess.getoutput(f"{inside} ip link show lo")
        assert subprocess.getoutput(f"{inside} cat /proc/sys/net/ipv4/ip_forward") == "1"
    finally:
        namespaces.remove_all()


def test_neighbors_of_this_machine_do_not_get_in(account: Account) -> None:
    vpc = account.vpc()
    instance = account.launch(vpc.public, vpc.group, public=True)
    assert account.becomes(instance, "running")
    address = account.instance(instance)["PublicIpAddress"]
    assert eventually(lambda: connect(address, 22) == 0, 60)
    number = account.region.place.number
    name, link, here, there = f"neighbor-{number}", f"neighbor-{number}", f"10.{number}.254.1", f"10.{number}.254.2"
    setup = f"""
        ip netns add {name}
        ip link add {link} type veth peer name inside netns {name}
        ip address add {here}/30 dev {link}
        ip link set {link} up
        ip -netns {name} address add {there}/30 dev inside
        ip -netns {name} link set inside up
        ip -netns {name} route add default via {here}
    """
    try:
        subprocess.run(["sh", "-ec", setup], check=True)
        assert connect(here, 1, namespace_file(name)) == errno.ECONNREFUSED
        assert connect(address, 22, namespace_file(name)) != 0
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def connect(address: str, port: int, namespace: Path = Path("/proc/self/ns/net")) -> int:
    """Number of the error; 0 for none."""
    with inside_namespace(namespace, socket.socket) as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, port))


def test_an_address_that_nobody_has_is_refused_at_once(account: Account) -> None:
    began = time.monotonic()
    assert connect(str(account.region.place.public[77]), 22) in (
        errno.ECONNREFUSED,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
    )
    assert time.monotonic() - began < 1
