# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role load_balancer: what there is in the account afterwards, and what it says before."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lab.cloud import ControlPlane, certificates
from tests.cloud.provisioning.playbook import Run, run
from tests.cloud.shop import IMAGE

OWNED = {"gatehouse:platform": "shop"}
# As provision.yml plays the role, with a region for all modules.
AS_PROVISION: list[dict[str, Any]] = [
    {
        "name": "Play the role",
        "module_defaults": {"group/gatehouse.platform.aws": {"region": "eu-central-1"}},
        "block": [{"name": "Role", "ansible.builtin.import_role": {"name": "gatehouse.platform.load_balancer"}}],
    }
]
SHOP: dict[str, Any] = {"name": "shop", "host": "@", "port": 5000, "fleet": "web", "listen": 8000}
API: dict[str, Any] = {
    "name": "api",
    "host": "api",
    "paths": ["/v1"],
    "port": 5001,
    "fleet": "web",
    "listen": 8001,
    "health": {"path": "/ready"},
    "stickiness": 3600,
    "health_check": {"interval": 5, "timeout": 2, "healthy": 4, "unhealthy": 2, "codes": "200-299"},
}
FILTER = "platform_services | gatehouse.platform.platform_"


class Site:
    """An account with a default VPC that the load balancer stands in."""

    def __init__(self, cloud: ControlPlane, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.ec2, self.elbv2, self.acm = (cloud.client(name) for name in ("ec2", "elbv2", "acm"))
        subnets = sorted(self.ec2.describe_subnets()["Subnets"], key=lambda one: str(one["AvailabilityZone"]))
        self.vpc = str(subnets[0]["VpcId"])
        made = self.ec2.create_security_group(GroupName="web", Description="web", VpcId=self.vpc)
        self.ids = {
            "load_balancer_vpc_id": self.vpc,
            "load_balancer_subnets": [one["SubnetId"] for one in subnets[:2]],
            "load_balancer_security_groups": [made["GroupId"]],
        }

    def run(
        self,
        *services: dict[str, Any],
        check: bool = False,
        succeeds: bool = True,
        balancer: dict[str, Any] | None = None,
        **variables: Any,
    ) -> Run:
        told = {
            "load_balancer_platform": "shop",
            **self.ids,
            "platform_services": list(services),
            "platform_load_balancer": balancer or {},
            "load_balancer_target_groups": f"{{{{ {FILTER}target_groups(platform_load_balancer) }}}}",
            "load_balancer_listeners": f"{{{{ {FILTER}listeners('shop.example', platform_load_balancer) }}}}",
            "load_balancer_certificate": f"{{{{ {FILTER}certificate('shop.example', platform_load_balancer) }}}}",
            **variables,
        }
        return run(self.cloud, self.folder, AS_PROVISION, told, *(["--check"] if check else []), succeeds=succeeds)

    def balancer(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = self.elbv2.describe_load_balancers()["LoadBalancers"]
        return next(one for one in found if one["LoadBalancerName"] == "shop-lb")

    def listeners(self) -> dict[int, dict[str, Any]]:
        arn = self.balancer()["LoadBalancerArn"]
        return {one["Port"]: one for one in self.elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]}

    def rules(self, port: int = 80) -> dict[int, tuple[list[str], list[str], dict[str, Any]]]:
        """By priority, hosts, paths and action."""
        found = {}
        for rule in self.elbv2.describe_rules(ListenerArn=self.listeners()[port]["ListenerArn"])["Rules"]:
            if not rule["IsDefault"]:
                told = {
                    one["Field"]: one.get("HostHeaderConfig") or one["PathPatternConfig"] for one in rule["Conditions"]
                }
                places = (told["host-header"]["Values"], told["path-pattern"]["Values"])
                found[int(rule["Priority"])] = (*places, rule["Actions"][0])
        return found

    def groups(self) -> dict[str, dict[str, Any]]:
        return {one["TargetGroupName"]: one for one in self.elbv2.describe_target_groups()["TargetGroups"]}

    def tags(self, arn: str) -> dict[str, str]:
        told = self.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
        return {tag["Key"]: tag["Value"] for tag in told}

    def attributes(self, arn: str) -> dict[str, str]:
        if ":targetgroup/" in arn:
            told = self.elbv2.describe_target_group_attributes(TargetGroupArn=arn)
        else:
            told = self.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)
        return {one["Key"]: one["Value"] for one in told["Attributes"]}

    def certificates(self) -> set[str]:
        return {one["CertificateArn"] for one in self.acm.list_certificates()["CertificateSummaryList"]}


@pytest.fixture
def site(cloud: ControlPlane, tmp_path: Path) -> Site:
    return Site(cloud, tmp_path)


def pair(folder: Path, *names: str) -> dict[str, str]:
    """Files with a certificate of an authority, its key and the authority's certificate."""
    now = datetime.datetime.now(datetime.timezone.utc)
    authority = key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    texts = []
    for subject in (issuer, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])):
        key = authority if subject == issuer else ec.generate_private_key(ec.SECP256R1())
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        texts.append(builder.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM).decode())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    files = {"chain": texts[0], "certificate": texts[1], "private_key": secret}
    for name, text in files.items():
        (folder / f"{name}.pem").write_text(text, encoding="ascii")
    return {name: str(folder / f"{name}.pem") for name in files}


def test_from_nothing_to_a_load_balancer_that_a_second_run_leaves_alone(site: Site) -> None:
    nothing = {"load_balancer_vpc_id": "", "load_balancer_subnets": ["", ""], "load_balancer_security_groups": [""]}
    foreseen = site.run(SHOP, API, check=True, **nothing)
    assert foreseen.words == [
        "load balancer shop-lb, internet-facing",
        "listener 80: new, HTTP, what no rule is for is answered with 404",
        "listener 80: rule 100 for api.shop.example /v1 /v1/*: new, to a new target group",
        "listener 80: rule 200 for shop.example /*: new, to a new target group",
    ]
    assert "+shop-api: HTTP 8001 of api" in foreseen.stdout
    assert foreseen.facts["load_balancer_result"]["target_groups"] == {"shop": "", "api": ""}
    assert not site.groups()

    made = site.run(SHOP, API, load_balancer_tags={"team": "one"}, load_balancer_idle_timeout=30)
    result, balancer = made.facts["load_balancer_result"], site.balancer()
    assert (result["arn"], result["dns_name"]) == (balancer["LoadBalancerArn"], balancer["DNSName"])
    assert result["zone_id"] == balancer["CanonicalHostedZoneId"]
    assert site.tags(result["arn"]) == {**OWNED, "Name": "shop-lb", "team": "one"}
    attributes = site.attributes(result["arn"])
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["idle_timeout.timeout_seconds"] == "30"
    groups = site.groups()
    assert result["target_groups"] == {name: groups[f"shop-{name}"]["TargetGroupArn"] for name in ("shop", "api")}
    api = groups["shop-api"]
    assert site.tags(api["TargetGroupArn"]) == {**OWNED, "gatehouse:service": "api", "Name": "shop-api", "team": "one"}
    assert (api["Port"], api["HealthCheckPath"], api["HealthCheckIntervalSeconds"]) == (8001, "/ready", 5)
    assert (api["HealthyThresholdCount"], api["Matcher"]) == (4, {"HttpCode": "200-299"})
    assert (api["UnhealthyThresholdCount"], api["HealthCheckTimeoutSeconds"]) == (2, 2)
    assert (api["HealthCheckProtocol"], api["HealthCheckPort"]) == ("HTTP", "traffic-port")
    attributes = site.attributes(api["TargetGroupArn"])
    assert attributes["stickiness.lb_cookie.duration_seconds"] == "3600"
    assert (attributes["stickiness.enabled"], attributes["deregistration_delay.timeout_seconds"]) == ("true", "30")
    rules = site.rules()
    assert {number: rule[:2] for number, rule in rules.items()} == {
        100: (["api.shop.example"], ["/v1", "/v1/*"]),
        200: (["shop.example"], ["/*"]),
    }
    assert rules[100][2]["TargetGroupArn"] == api["TargetGroupArn"]
    default = site.listeners()[80]["DefaultActions"][0]
    assert default["FixedResponseConfig"]["StatusCode"] == "404"

    again = site.run(SHOP, API, load_balancer_tags={"team": "one"}, load_balancer_idle_timeout=30)
    assert (again.changed, again.facts["load_balancer_result"]) == (0, result)
    foreseen = site.run(SHOP, API, check=True, load_balancer_tags={"team": "one"}, load_balancer_idle_timeout=30)
    assert (foreseen.changed, foreseen.words) == (0, [])


def test_access_logs_are_turned_on_and_off(site: Site) -> None:
    site.cloud.client("s3").create_bucket(
        Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    logs = {"load_balancer_access_logs": {"bucket": "logs", "prefix": "shop"}}
    site.run(SHOP, **logs)
    arn = site.balancer()["LoadBalancerArn"]
    names = [f"access_logs.s3.{name}" for name in ("enabled", "bucket", "prefix")]
    assert [site.attributes(arn)[name] for name in names] == ["true", "logs", "shop"]
    assert site.run(SHOP, **logs).changed == 0
    site.run(SHOP)
    assert site.attributes(arn)[names[0]] == "false"
    assert site.run(SHOP).changed == 0


def test_what_changes_is_added_before_the_old_goes(site: Site) -> None:
    first = site.run(SHOP, API)
    old = first.facts["load_balancer_result"]["target_groups"]["api"]
    made = site.ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=site.ids["load_balancer_subnets"][0])
    instance = made["Instances"][0]["InstanceId"]
    site.elbv2.register_targets(TargetGroupArn=old, Targets=[{"Id": instance}])
    site.cloud.calls.clear()
    files = pair(site.folder, "shop.example", "*.shop.example")
    moved = {**API, "listen": 9001, "stickiness": 0, "traffic": {"api": 3, "shop": 1}}
    balancer = {"certificate": {"import": files}, "responses": [{"paths": ["/internal"], "status": 403}]}
    changed = site.run({**SHOP, "aliases": ["www"]}, moved, balancer=balancer)
    result = changed.facts["load_balancer_result"]
    new = result["target_groups"]["api"]
    assert set(site.groups()) == {"shop-shop", new.split("/")[1]}
    targets = site.elbv2.describe_target_health(TargetGroupArn=new)["TargetHealthDescriptions"]
    assert [(one["Target"]["Id"], one["Target"]["Port"]) for one in targets] == [(instance, 9001)]
    listeners = site.listeners()
    assert listeners[80]["DefaultActions"][0]["RedirectConfig"]["Port"] == "443"
    assert listeners[443]["Certificates"] == [{"CertificateArn": result["certificate_arn"]}]
    assert listeners[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert site.rules(80) == {}
    rules = site.rules(443)
    assert [rule[1] for rule in rules.values()] == [["/internal", "/internal/*"], ["/v1", "/v1/*"], ["/*"]]
    fixed = next(iter(rules.values()))[2]
    assert (fixed["Type"], fixed["FixedResponseConfig"]["StatusCode"]) == ("fixed-response", "403")
    shares = rules[200][2]["ForwardConfig"]["TargetGroups"]
    assert next((one["TargetGroupArn"], one["Weight"]) for one in shares) == (new, 3)
    tags = site.acm.list_tags_for_certificate(CertificateArn=result["certificate_arn"])["Tags"]
    assert {"Key": "gatehouse:platform", "Value": "shop"} in tags
    assert "PRIVATE KEY" not in changed.stdout
    calls = [entry.operation for entry in site.cloud.calls.entries]
    assert calls.index("ModifyListener") > max(place for place, name in enumerate(calls) if name == "CreateRule")
    assert calls.index("DeleteTargetGroup") > calls.index("DeleteRule") > calls.index("ModifyListener")
    # Another certificate, and a service less: both go at last.
    balancer = {"certificate": {"import": pair(site.folder, "shop.example")}}
    policy = "ELBSecurityPolicy-TLS13-1-3-2021-06"
    fewer = site.run(SHOP, balancer=balancer, load_balancer_tls_policy=policy)
    assert site.listeners()[443]["SslPolicy"] == policy
    assert (
        site.certificates() == {fewer.facts["load_balancer_result"]["certificate_arn"]} != {result["certificate_arn"]}
    )
    assert (set(site.groups()), set(site.rules(443))) == ({"shop-shop"}, {400})


def test_all_that_is_wrong_is_told_before_anything_is_changed(site: Site) -> None:
    site.elbv2.create_load_balancer(Name="shop-lb", Subnets=site.ids["load_balancer_subnets"])
    Path(pair(site.folder, "other.example")["private_key"]).rename(site.folder / "wrong.pem")
    files = {**pair(site.folder, "elsewhere.example"), "private_key": str(site.folder / "wrong.pem")}
    site.cloud.calls.clear()
    failed = site.run(
        SHOP,
        balancer={"certificate": {"import": files}},
        succeeds=False,
        load_balancer_subnets=site.ids["load_balancer_subnets"][:1],
        load_balancer_tls_policy="ELBSecurityPolicy-2016-08",
    )
    for words in (
        "there is a load balancer shop-lb that does not carry the tag gatehouse:platform: shop",
        "subnets has 1, and a load balancer needs two at least",
        "certificate.import: private_key does not belong to certificate",
        "certificate is not for shop.example, but for elsewhere.example",
        "tls_policy ELBSecurityPolicy-2016-08 allows TLS 1.0 or 1.1",
    ):
        assert words in failed.stdout, failed.stdout
    assert not [entry for entry in site.cloud.calls.entries if not entry.operation.startswith(("Describe", "List"))]
    site.elbv2.delete_load_balancer(LoadBalancerArn=site.balancer()["LoadBalancerArn"])
    site.elbv2.create_target_group(Name="shop-api", Protocol="HTTP", Port=80, VpcId=site.vpc)
    failed = site.run(SHOP, API, succeeds=False)
    assert "there is a target group shop-api that does not carry the tag gatehouse:platform: shop" in failed.stdout
    assert set(site.groups()) == {"shop-api"}
    assert not site.elbv2.describe_load_balancers()["LoadBalancers"]


def test_a_certificate_is_requested_proven_by_a_record_and_waited_for(site: Site) -> None:
    route53 = site.cloud.client("route53")
    zone = route53.create_hosted_zone(Name="shop.example", CallerReference="1")["HostedZone"]["Id"]
    balancer = {"certificate": {"request": True, "zone": "shop.example", "wait": 2}}
    failed = site.run(SHOP, API, balancer=balancer, succeeds=False)
    assert "ACM has not issued the certificate within 2 seconds, because it does not see these records" in failed.stdout
    [arn] = site.certificates()
    told = site.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert set(told["SubjectAlternativeNames"]) == {"shop.example", "api.shop.example"}
    records = {one["ResourceRecord"]["Name"].rstrip(".") for one in told["DomainValidationOptions"]}
    assert all(f"is proven by the record {name} CNAME" in failed.stdout for name in records)
    found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert {one["Name"].rstrip(".") for one in found if one["Type"] == "CNAME"} == records
    files = pair(site.folder, "shop.example", "api.shop.example")
    texts = [Path(files[name]).read_text(encoding="ascii") for name in ("certificate", "private_key", "chain")]
    certificates.issued(arn, *texts)
    done = site.run(SHOP, API, balancer=balancer)
    assert done.facts["load_balancer_result"]["certificate_arn"] == arn
    assert site.listeners()[443]["Certificates"] == [{"CertificateArn": arn}]
    assert site.run(SHOP, API, balancer=balancer).changed == 0


def test_a_run_that_failed_is_continued_by_the_next(site: Site) -> None:
    site.cloud.faults.add("refused", operation="ModifyTargetGroupAttributes")
    assert "not authorized" in site.run(SHOP, API, succeeds=False).stdout
    site.cloud.faults.add("refused", number=2, operation="CreateRule")
    assert "not authorized" in site.run(SHOP, API, succeeds=False).stdout
    foreseen = site.run(SHOP, API, check=True)
    assert "listener 80: rule 200 for shop.example /*: new, to shop" in foreseen.stdout
    assert (foreseen.changed, foreseen.words) == (1, [])
    site.run(SHOP, API)
    assert (len(site.rules()), set(site.groups())) == (2, {"shop-shop", "shop-api"})
    attributes = site.attributes(site.groups()["shop-api"]["TargetGroupArn"])
    assert attributes["stickiness.enabled"] == "true"


def test_nothing_is_removed_when_the_new_could_not_be_added(site: Site) -> None:
    site.run(SHOP, API)
    before = site.rules()
    site.cloud.faults.add("refused", operation="CreateRule")
    failed = site.run(SHOP, {**API, "paths": ["/v2"]}, succeeds=False)
    assert "not authorized" in failed.stdout
    assert site.rules() == before
    site.run(SHOP, {**API, "paths": ["/v2"]})
    assert sorted(rule[1] for rule in site.rules().values()) == [["/*"], ["/v2", "/v2/*"]]


def test_only_what_carries_the_tag_is_removed_and_interfaces_are_waited_for(site: Site) -> None:
    foreign = site.elbv2.create_target_group(Name="shop-other", Protocol="HTTP", Port=80, VpcId=site.vpc)
    certificate = site.acm.request_certificate(DomainName="shop.example", ValidationMethod="DNS")["CertificateArn"]
    files = pair(site.folder, "shop.example", "*.shop.example")
    site.run(SHOP, balancer={"certificate": {"import": files}}, load_balancer_deletion_protection=True)
    absent = {"load_balancer_state": "absent"}
    failed = site.run(SHOP, succeeds=False, **absent)
    assert "The load balancer shop-lb cannot be removed, because it is protected" in failed.stdout
    off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
    site.elbv2.modify_load_balancer_attributes(LoadBalancerArn=site.balancer()["LoadBalancerArn"], Attributes=off)
    assert site.run(SHOP, check=True, **absent).changed == 3
    assert "shop-shop" in site.groups()
    site.cloud.interfaces_linger = 3
    site.run(SHOP, **absent)
    assert not site.elbv2.describe_load_balancers()["LoadBalancers"]
    assert not site.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert set(site.groups()) == {"shop-other"}
    assert site.certificates() == {certificate}
    assert foreign["TargetGroups"][0]["TargetGroupArn"] == site.groups()["shop-other"]["TargetGroupArn"]
    assert site.run(SHOP, **absent).changed == 0
