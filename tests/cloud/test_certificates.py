# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of ACM: pending until their names are proven, then issued by the lab's authority."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.cloud import ControlPlane
from lab.cloud.certificates import private_key
from lab.region import certificates, state_names
from lab.region.authority import Authority
from lab.region.certificates import Certificates, PendingCertificates
from lab.region.state import State
from lab.region.state_names import Names
from tests.cloud.account import refused


class Issuing:
    """An account with a zone, and the adapter that issues."""

    def __init__(self, cloud: ControlPlane, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.acm, self.route53 = cloud.client("acm"), cloud.client("route53")
        self.zone = self.route53.create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]["Id"]
        self.authority = Authority(folder)
        self.changes = 0
        self.adapter = Certificates(self.authority, self.changed)

    def changed(self) -> None:
        self.changes += 1

    def once(self) -> None:
        parts = [state_names.read(self.cloud.client), certificates.read(self.cloud.client)]
        self.adapter.apply(self.adapter.wanted(State(parts={type(part): part for part in parts})))

    def request(self, *more: str, method: str = "DNS") -> str:
        names = {"SubjectAlternativeNames": list(more)} if more else {}
        made = self.acm.request_certificate(DomainName="example.org", ValidationMethod=method, **names)
        return str(made["CertificateArn"])

    def told(self, arn: str) -> dict[str, Any]:
        return dict(self.acm.describe_certificate(CertificateArn=arn)["Certificate"])

    def prove(self, arn: str) -> None:
        """Put the records into the zone that DescribeCertificate asks for, as every playbook does."""
        options = self.told(arn)["DomainValidationOptions"]
        for record in {option["ResourceRecord"]["Name"]: option["ResourceRecord"] for option in options}.values():
            wanted = {
                "Name": record["Name"],
                "Type": "CNAME",
                "TTL": 60,
                "ResourceRecords": [{"Value": record["Value"]}],
            }
            change = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": wanted}]}
            self.route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch=change)


@pytest.fixture
def issuing(cloud: ControlPlane, tmp_path: Path) -> Issuing:
    return Issuing(cloud, tmp_path)


def test_a_certificate_is_issued_once_its_records_are_in_the_zone(issuing: Issuing) -> None:
    arn = issuing.request("*.example.org", "www.example.org")
    issuing.once()
    assert issuing.told(arn)["Status"] == "PENDING_VALIDATION"
    assert "IssuedAt" not in issuing.told(arn)
    with refused("RequestInProgressException"):
        issuing.acm.get_certificate(CertificateArn=arn)
    issuing.prove(arn)
    issuing.once()
    told = issuing.told(arn)
    assert (told["Status"], told["Type"], issuing.changes) == ("ISSUED", "AMAZON_ISSUED", 1)
    assert {option["ValidationStatus"] for option in told["DomainValidationOptions"]} == {"SUCCESS"}
    assert sorted(told["SubjectAlternativeNames"]) == ["*.example.org", "example.org", "www.example.org"]
    issuing.once()
    assert issuing.changes == 1


def test_what_is_issued_can_be_served_and_is_trusted(issuing: Issuing) -> None:
    arn = issuing.request()
    issuing.prove(arn)
    issuing.once()
    got = issuing.acm.get_certificate(CertificateArn=arn)
    assert "IssuedAt" in issuing.told(arn)
    certificate, key = issuing.folder / "certificate", issuing.folder / "key"
    certificate.write_text(got["Certificate"], encoding="ascii")
    key.write_text(private_key(arn), encoding="ascii")
    trust = ["-CAfile", str(issuing.authority.root), "-purpose", "sslserver", "-verify_hostname", "example.org"]
    assert openssl("verify", *trust, str(certificate)).endswith("OK\n")
    assert openssl("x509", "-in", str(certificate), "-noout", "-pubkey") == openssl("pkey", "-in", str(key), "-pubout")
    assert got["CertificateChain"] == issuing.authority.root.read_text(encoding="ascii")


def test_without_validation_by_dns_nothing_is_issued(issuing: Issuing) -> None:
    arn = issuing.request(method="EMAIL")
    assert all("ResourceRecord" not in option for option in issuing.told(arn)["DomainValidationOptions"])
    issuing.once()
    assert issuing.told(arn)["Status"] == "PENDING_VALIDATION"


def test_the_root_stays_the_same(issuing: Issuing) -> None:
    issuing.authority.ensure()
    before = issuing.authority.root.read_bytes()
    Authority(issuing.folder).issue(("a.example.org",))
    assert issuing.authority.root.read_bytes() == before


def test_names_are_read_with_their_records(issuing: Issuing) -> None:
    vpc = issuing.cloud.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    issuing.route53.create_hosted_zone(
        Name="inside.org",
        CallerReference="2",
        HostedZoneConfig={"PrivateZone": True},
        VPC={"VPCRegion": "eu-central-1", "VPCId": vpc},
    )
    wanted = {"Name": "*.example.org", "Type": "A", "TTL": 30, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": wanted}]}
    issuing.route53.change_resource_record_sets(HostedZoneId=issuing.zone, ChangeBatch=change)
    found: Names = state_names.read(issuing.cloud.client)
    public, private = found.zones
    assert (public.name, public.vpcs, private.name, private.vpcs) == ("example.org", set(), "inside.org", {vpc})
    assert state_names.Record("*.example.org", "A", ("192.0.2.1",), ttl=30) in public.records
    assert certificates.read(issuing.cloud.client) == PendingCertificates(())


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True, timeout=20).stdout
