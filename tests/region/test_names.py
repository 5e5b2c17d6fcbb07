# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: Route 53 zones, load balancers and instances over real packets, and certificates that a record proves."""

from __future__ import annotations

import socket
import ssl
import struct
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from lab.region.place import namespace_file
from lab.region.sockets import inside_namespace
from tests.region.account import ANYWHERE, Account, Vpc, eventually

A, CNAME, TXT = 1, 5, 16
RESOLVER = "169.254.169.253"


class Asker:
    """Asks the name server of a VPC from inside it, or the region's from this machine."""

    def __init__(self, account: Account, vpc: Vpc | None) -> None:
        place = account.region.place
        self._namespace = namespace_file(place.namespace_of(vpc.id)) if vpc else Path("/proc/self/ns/net")
        self._server = RESOLVER if vpc else place.uplink[1]

    def ask(self, name: str, kind: int = A) -> tuple[int, bytes]:
        """The response code and the bytes of the answers."""
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + bytes(1)
        question = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack(">HH", kind, 1)
        with inside_namespace(self._namespace, lambda: socket.socket(type=socket.SOCK_DGRAM)) as link:
            link.settimeout(5)
            link.connect((self._server, 53))
            link.send(question)
            answer = link.recv(4096)
        return answer[3] & 15, answer[len(question) :]

    def finds(self, name: str, *addresses: str) -> bool:
        """Whether a name has these addresses, and how many."""
        try:
            code, answers = self.ask(name)
        except OSError:
            return False
        found = all(IPv4Address(address).packed in answers for address in addresses)
        return code == 0 and found and bool(answers) == bool(addresses)


@pytest.fixture
def vpc(account: Account) -> Vpc:
    return account.vpc()


def change(account: Account, zone: str, *records: dict[str, Any]) -> None:
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]
    account.cloud.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def record(name: str, kind: str, *values: str) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value} for value in values]}


def public_zone(account: Account, name: str) -> str:
    made = account.cloud.client("route53").create_hosted_zone(Name=name, CallerReference=name)
    return str(made["HostedZone"]["Id"])


def test_zones_and_machines_have_their_names(account: Account, vpc: Vpc) -> None:
    route53 = account.cloud.client("route53")
    inside, outside = Asker(account, vpc), Asker(account, None)
    public = public_zone(account, "example.org")
    private = route53.create_hosted_zone(
        Name="example.org",
        CallerReference="2",
        VPC={"VPCRegion": "eu-central-1", "VPCId": vpc.id},
        # moto asks for it.
        HostedZoneConfig={"Comment": "", "PrivateZone": True},
    )["HostedZone"]["Id"]
    change(
        account,
        public,
        record("www.example.org", "A", "192.0.2.1", "192.0.2.2"),
        record("*.example.org", "A", "192.0.2.9"),
        record("alias.example.org", "CNAME", "www.example.org."),
        record("_x.example.org", "CNAME", "_y.acm-validations.aws."),
        record("example.org", "TXT", '"one, \\"two\\""'),
    )
    change(account, private, record("www.example.org", "A", "10.91.0.77"))
    assert eventually(lambda: outside.finds("www.example.org", "192.0.2.1", "192.0.2.2"), 10)
    assert outside.finds("alias.example.org", "192.0.2.1", "192.0.2.2")
    assert outside.finds("any.example.org", "192.0.2.9")
    assert b"acm-validations" in outside.ask("_x.example.org", CNAME)[1]
    assert b'one, "two"' in outside.ask("example.org", TXT)[1]
    assert eventually(lambda: inside.finds("www.example.org", "10.91.0.77"), 10)
    assert not inside.finds("any.example.org", "192.0.2.9")

    instance = account.launch(vpc.public, vpc.group, public=True)
    told = account.instance(instance)
    assert eventually(lambda: inside.finds(told["PrivateDnsName"], told["PrivateIpAddress"]), 10)
    assert eventually(lambda: outside.finds(told["PublicDnsName"], told["PublicIpAddress"]), 10)
    assert inside.finds(told["PublicDnsName"], told["PrivateIpAddress"])
    assert not outside.finds(told["PrivateDnsName"], told["PrivateIpAddress"])

    change(account, public, record("www.example.org", "A", "192.0.2.3"))
    assert eventually(lambda: outside.finds("www.example.org", "192.0.2.3"), 10)


@pytest.fixture
def balancer(account: Account, vpc: Vpc) -> Any:
    other = account.ec2.create_subnet(VpcId=vpc.id, CidrBlock="10.91.2.0/24", AvailabilityZone="eu-central-1b")
    route = account.ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [vpc.public]}])
    table, subnet = route["RouteTables"][0]["RouteTableId"], other["Subnet"]["SubnetId"]
    account.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    group = account.ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc.id)["GroupId"]
    account.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ANYWHERE])
    elbv2 = account.cloud.client("elbv2")
    made = elbv2.create_load_balancer(Name="web", Subnets=[vpc.public, subnet], SecurityGroups=[group])
    return made["LoadBalancers"][0]


def test_a_certificate_is_issued_once_its_record_is_there_and_served_under_an_alias(
    account: Account, vpc: Vpc, balancer: dict[str, Any]
) -> None:
    instance = account.launch(vpc.public, vpc.group, public=True, KeyName=account.key_pair())
    acm, elbv2 = account.cloud.client("acm"), account.cloud.client("elbv2")
    zone, outside = public_zone(account, "example.org"), Asker(account, None)
    target = {"HostedZoneId": balancer["CanonicalHostedZoneId"], "DNSName": balancer["DNSName"]}
    alias = {"Name": "shop.example.org", "Type": "A", "AliasTarget": {**target, "EvaluateTargetHealth": False}}
    arn = acm.request_certificate(DomainName="shop.example.org", ValidationMethod="DNS")["CertificateArn"]

    def certificate() -> Any:
        return acm.describe_certificate(CertificateArn=arn)["Certificate"]

    wanted = certificate()["DomainValidationOptions"][0]["ResourceRecord"]
    assert certificate()["Status"] == "PENDING_VALIDATION"
    change(account, zone, alias, record(wanted["Name"], wanted["Type"], wanted["Value"]))
    assert eventually(lambda: certificate()["Status"] == "ISSUED", 20)

    body = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "hello"}
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": body}],
    )
    found = account.ec2.describe_network_interfaces(
        Filters=[
            {"Name": "description", "Values": [f"ELB {balancer['LoadBalancerArn'].partition('loadbalancer/')[2]}"]}
        ]
    )["NetworkInterfaces"]
    nodes = [interface["Association"]["PublicIp"] for interface in found]
    assert len(nodes) == 2
    for name in (balancer["DNSName"].lower(), "shop.example.org"):
        assert eventually(lambda name=name: outside.finds(name, *nodes), 10), name
    context = ssl.create_default_context(cafile=str(account.region.place.directory / "acm" / "ca.pem"))
    for node in nodes:
        assert eventually(lambda node=node: answer(node, context) == "hello", 20)
    address = account.instance(instance)["PublicIpAddress"]
    account.trust(instance, address)
    asked = account.ssh(address, "curl --silent --show-error --max-time 5 https://shop.example.org/")
    assert (asked.stdout, asked.stderr) == ("hello", "")


def answer(address: str, context: ssl.SSLContext) -> str:
    """What a node says over HTTPS, whose certificate is checked."""
    try:
        with (
            socket.create_connection((address, 443), timeout=5) as link,
            context.wrap_socket(link, server_hostname="shop.example.org") as connection,
        ):
            connection.sendall(b"GET / HTTP/1.0\r\nHost: shop.example.org\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode().rpartition("\r\n")[2]
    except OSError:
        return ""
