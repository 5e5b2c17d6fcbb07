# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API says of networks and instances; ``read_state.py`` reads it.

Security groups, load balancers, Auto Scaling: each in a file ``state_<concern>.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any, TypeVar, cast

Client = Callable[[str], Any]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Vpc:
    id: str
    ranges: tuple[IPv4Network, ...]

    @property
    def resolver(self) -> str:
        """ "The Amazon DNS server is located at … the base of the VPC network range plus two":
        https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
        """
        return str(self.ranges[0][2])


@dataclass(frozen=True)
class Subnet:
    id: str
    vpc: str
    zone: str
    range: IPv4Network

    @property
    def gateway(self) -> str:
        """Address of the VPC's router in this subnet.

        https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
        """
        return str(self.range[1])


@dataclass(frozen=True)
class Route:
    """``target`` is the id of a gateway, a network interface or a peering; ``local`` for the VPC itself."""

    destination: str
    target: str


@dataclass(frozen=True)
class RouteTable:
    id: str
    vpc: str
    main: bool
    subnets: tuple[str, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class InternetGateway:
    id: str
    vpc: str


@dataclass(frozen=True)
class NatGateway:
    id: str
    subnet: str
    interface: str


@dataclass(frozen=True)
class Interface:
    """``owner`` has it: an instance, a NAT gateway; itself when it belongs to a load balancer; else nobody.

    ``public`` is the address by which the Internet reaches it. ``checked``: it neither sends from nor gets what is for
    another address.
    """

    id: str
    vpc: str
    subnet: str
    owner: str | None
    index: int
    private: str
    public: str | None
    mac: str
    groups: tuple[str, ...]
    description: str
    checked: bool = True


@dataclass(frozen=True)
class MetadataOptions:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsResponse.html"""

    enabled: bool = True
    token_required: bool = False
    hop_limit: int = 1
    tags: bool = False


@dataclass(frozen=True)
class Instance:
    id: str
    state: str
    image: str
    type: str
    zone: str
    key: str | None
    vpc: str
    subnet: str
    private: str
    public: str | None
    private_name: str
    public_name: str
    profile: str | None
    launched: str
    launch_index: int
    reservation: str
    owner: str
    metadata: MetadataOptions
    tags: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, str], ...] = ()

    @property
    def hostname(self) -> str:
        return self.private_name.partition(".")[0]

    @property
    def exists(self) -> bool:
        return self.state not in ("shutting-down", "terminated")


@dataclass(frozen=True)
class State:
    """Everything there is. ``parts`` holds what other files read, by its class."""

    vpcs: tuple[Vpc, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    internet_gateways: tuple[InternetGateway, ...] = ()
    nat_gateways: tuple[NatGateway, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    instances: tuple[Instance, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[type, object] = field(default_factory=dict)

    def part(self, kind: type[Part]) -> Part:
        """What one of the further readers found."""
        return cast(Part, self.parts[kind])


def pages(client: Any, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
    """Everything of a list, however many pages it has."""
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[key]
