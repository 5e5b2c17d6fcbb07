# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads networks and instances from the API alone, through boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from lab.region.state import (
    Client,
    Instance,
    Interface,
    InternetGateway,
    MetadataOptions,
    NatGateway,
    Route,
    RouteTable,
    State,
    Subnet,
    Vpc,
    pages,
)


def read(client: Client, further: Iterable[Callable[[Client], object]] = ()) -> State:
    """``client`` gives a boto3 client for the name of a service.

    What refers to others is read before them, so that they are there although something is made meanwhile.
    """
    ec2 = client("ec2")
    instances = tuple(
        instance(found, reservation)
        for reservation in pages(ec2, "describe_instances", "Reservations")
        for found in reservation["Instances"]
    )
    nats = tuple(nat for found in pages(ec2, "describe_nat_gateways", "NatGateways") for nat in nat_gateways(found))
    owners = {nat.interface: nat.id for nat in nats}
    parts = [reader(client) for reader in further]
    interfaces = tuple(
        interface(found, owners) for found in pages(ec2, "describe_network_interfaces", "NetworkInterfaces")
    )
    return State(
        instances=instances,
        nat_gateways=nats,
        interfaces=interfaces,
        route_tables=tuple(route_table(found) for found in pages(ec2, "describe_route_tables", "RouteTables")),
        internet_gateways=tuple(
            InternetGateway(found["InternetGatewayId"], attachment["VpcId"])
            for found in pages(ec2, "describe_internet_gateways", "InternetGateways")
            for attachment in found.get("Attachments", [])
        ),
        # Those for IPv6 alone have no range here.
        subnets=tuple(subnet(found) for found in pages(ec2, "describe_subnets", "Subnets") if found.get("CidrBlock")),
        vpcs=tuple(vpc(found) for found in pages(ec2, "describe_vpcs", "Vpcs")),
        keys={
            found["KeyName"]: found.get("PublicKey", "").strip()
            for found in ec2.describe_key_pairs(IncludePublicKey=True)["KeyPairs"]
        },
        parts={type(part): part for part in parts},
    )


def vpc(found: dict[str, Any]) -> Vpc:
    associations = found.get("CidrBlockAssociationSet") or [found]
    ranges = [IPv4Network(entry["CidrBlock"]) for entry in associations]
    first = IPv4Network(found["CidrBlock"])
    return Vpc(found["VpcId"], (first, *sorted(other for other in ranges if other != first)))


def subnet(found: dict[str, Any]) -> Subnet:
    return Subnet(found["SubnetId"], found["VpcId"], found["AvailabilityZone"], IPv4Network(found["CidrBlock"]))


def route_table(found: dict[str, Any]) -> RouteTable:
    associations = found.get("Associations", [])
    return RouteTable(
        found["RouteTableId"],
        found["VpcId"],
        any(association.get("Main") for association in associations),
        tuple(sorted(association["SubnetId"] for association in associations if association.get("SubnetId"))),
        tuple(
            Route(entry["DestinationCidrBlock"], route_target(entry))
            for entry in found.get("Routes", [])
            if entry.get("DestinationCidrBlock")
        ),
    )


def route_target(entry: dict[str, Any]) -> str:
    """What a route leads to, by whichever of the API's fields says it."""
    fields = ("NatGatewayId", "NetworkInterfaceId", "InstanceId", "VpcPeeringConnectionId", "GatewayId")
    return next((str(entry[name]) for name in fields if entry.get(name)), "")


def nat_gateways(found: dict[str, Any]) -> Iterator[NatGateway]:
    if found["State"] in ("pending", "available"):
        for address in found.get("NatGatewayAddresses", [])[:1]:
            yield NatGateway(found["NatGatewayId"], found["SubnetId"], address["NetworkInterfaceId"])


def interface(found: dict[str, Any], owners: Mapping[str, str]) -> Interface:
    name, attachment = found["NetworkInterfaceId"], found.get("Attachment") or {}
    balancer = name if found.get("Description", "").startswith("ELB ") else None
    return Interface(
        name,
        found["VpcId"],
        found["SubnetId"],
        attachment.get("InstanceId") or owners.get(name) or balancer,
        int(attachment.get("DeviceIndex") or 0),
        str(IPv4Address(found["PrivateIpAddress"])),
        (found.get("Association") or {}).get("PublicIp"),
        found["MacAddress"],
        tuple(sorted(group["GroupId"] for group in found.get("Groups", []))),
        found.get("Description", ""),
        found.get("SourceDestCheck", True),
    )


def instance(found: dict[str, Any], reservation: dict[str, Any]) -> Instance:
    return Instance(
        id=found["InstanceId"],
        state=found["State"]["Name"],
        image=found["ImageId"],
        type=found["InstanceType"],
        zone=found["Placement"]["AvailabilityZone"],
        key=found.get("KeyName"),
        vpc=found.get("VpcId", ""),
        subnet=found.get("SubnetId", ""),
        private=found.get("PrivateIpAddress", ""),
        public=found.get("PublicIpAddress"),
        private_name=found.get("PrivateDnsName", ""),
        public_name=found.get("PublicDnsName", ""),
        profile=(found.get("IamInstanceProfile") or {}).get("Arn"),
        launched=found["LaunchTime"].isoformat(),
        launch_index=int(found.get("AmiLaunchIndex", 0)),
        reservation=reservation["ReservationId"],
        owner=reservation["OwnerId"],
        metadata=metadata_options(found.get("MetadataOptions") or {}),
        tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in found.get("Tags", []))),
        groups=tuple(sorted((group["GroupId"], group["GroupName"]) for group in found.get("SecurityGroups", []))),
    )


def metadata_options(found: dict[str, Any]) -> MetadataOptions:
    return MetadataOptions(
        enabled=found.get("HttpEndpoint") != "disabled",
        token_required=found.get("HttpTokens") == "required",
        hop_limit=int(found.get("HttpPutResponseHopLimit") or 1),
        tags=found.get("InstanceMetadataTags") == "enabled",
    )
