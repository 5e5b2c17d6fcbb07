# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role security against an account: derived groups are made, kept and removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.account import group, vpc
from tests.cloud.provisioning.playbook import Run, run

DECLARATION: dict[str, Any] = {
    "platform_services": [{"name": "shop", "host": "@", "port": 5000, "fleet": "web", "listen": 8000}],
    "platform_operators": ["203.0.113.0/24"],
    "platform_topology": "bastion",
    "platform_load_balancer": {"https": True},
    "platform_fleets": [{"name": "web"}],
}
DERIVE = (
    "{{{{ platform_services | gatehouse.platform.{}('shop', topology=platform_topology, operators=platform_operators, "
    "load_balancer=platform_load_balancer, fleets=platform_fleets) }}}}"
)
ROLE = {
    "security_platform": "shop",
    "security_groups": DERIVE.format("platform_security_groups"),
    "security_protect": DERIVE.format("platform_security_protect"),
    "security_health_checks": DERIVE.format("platform_health_checks"),
    "security_tags": {"Team": "shop"},
}


@pytest.fixture
def where(cloud: ControlPlane) -> str:
    return vpc(cloud.client("ec2"))


def play(cloud: ControlPlane, folder: Path, vpc_id: str, *options: str, succeeds: bool = True, **more: Any) -> Run:
    variables = {**DECLARATION, **ROLE, "security_vpc_id": vpc_id, **more}
    return run(cloud, folder, "security", variables, *options, succeeds=succeeds)


def found(cloud: ControlPlane, vpc_id: str) -> dict[str, Any]:
    """The groups of a VPC by name, without its default one."""
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    told = cloud.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    return {entry["GroupName"]: entry for entry in told if entry["GroupName"] != "default"}


def test_the_set_is_made_once_and_removed_with_foreign_groups_left_alone(
    cloud: ControlPlane, where: str, tmp_path: Path
) -> None:
    empty = play(cloud, tmp_path, "", "--check")
    assert (empty.changed, empty.facts["security_result"]["groups"]["shop-web"]) == (1, "")
    foreign = group(cloud.client("ec2"), "foreign", where)
    made = play(cloud, tmp_path, where)
    groups = found(cloud, where)
    assert made.changed == 1
    assert made.facts["security_result"] == {
        "groups": {name: entry["GroupId"] for name, entry in groups.items() if name != "foreign"}
    }
    web = groups["shop-web"]
    assert {tag["Key"]: tag["Value"] for tag in web["Tags"]} == {
        "Name": "shop-web",
        "Team": "shop",
        "gatehouse:platform": "shop",
    }
    assert [
        (entry["FromPort"], [pair["GroupId"] for pair in entry["UserIdGroupPairs"]])
        for entry in sorted(web["IpPermissions"], key=lambda entry: str(entry["FromPort"]))
    ] == [(22, [groups["shop-bastion"]["GroupId"]]), (8000, [groups["shop-alb"]["GroupId"]])]
    for options in ((), ("--check",)):
        again = play(cloud, tmp_path, where, *options)
        assert (again.changed, again.facts) == (0, made.facts)
    foreseen = play(cloud, tmp_path, where, "--check", security_state="absent")
    assert (foreseen.changed, set(found(cloud, where))) == (1, set(groups))
    assert play(cloud, tmp_path, where, security_state="absent").facts["security_result"] == {"groups": {}}
    assert [entry["GroupId"] for entry in found(cloud, where).values()] == [foreign]
    assert play(cloud, tmp_path, "", security_state="absent").changed == 0


def test_what_cannot_be_right_is_refused_before_anything_is_asked(
    cloud: ControlPlane, where: str, tmp_path: Path
) -> None:
    checks = [{"service": "shop", "group": "shop-web", "port": 8001, "source": "shop-alb"}]
    told = play(
        cloud,
        tmp_path,
        where,
        succeeds=False,
        platform_operators=["0.0.0.0/0"],
        security_health_checks=checks,
    ).stdout
    assert "group shop-bastion opens port 22 to everybody (0.0.0.0/0)" in told
    assert "the health check asks port 8001 of shop-web, which does not admit shop-alb there" in told
    nobody = play(cloud, tmp_path, where, succeeds=False, platform_operators=[]).stdout
    assert "platform_operators is empty, so nobody would get in" in nobody
    assert not [name for name in cloud.calls.count() if "SecurityGroup" in name]


def test_a_group_of_somebody_else_and_the_way_in_are_left_as_they_are(
    cloud: ControlPlane, where: str, tmp_path: Path
) -> None:
    ec2 = cloud.client("ec2")
    other = group(ec2, "shop-web", where)
    told = play(cloud, tmp_path, where, succeeds=False).stdout
    assert "shop-web" in told
    assert set(found(cloud, where)) == {"shop-web"}
    ec2.delete_security_group(GroupId=other)
    play(cloud, tmp_path, where)
    own = [{"group": "shop-bastion", "port": 22, "source": "203.0.113.7/32"}]
    told = play(
        cloud, tmp_path, where, succeeds=False, platform_operators=["198.51.100.0/24"], security_protect=own
    ).stdout
    assert "203.0.113.7/32" in told
    sources = found(cloud, where)["shop-bastion"]["IpPermissions"][0]["IpRanges"]
    assert [entry["CidrIp"] for entry in sources] == ["203.0.113.0/24"]


def test_a_run_that_broke_off_is_continued(cloud: ControlPlane, where: str, tmp_path: Path) -> None:
    cloud.faults.add("refused", number=3, operation="CreateSecurityGroup")
    assert "not authorized" in play(cloud, tmp_path, where, succeeds=False).stdout
    assert len(found(cloud, where)) == 2
    half = play(cloud, tmp_path, where, "--check")
    assert half.facts["security_result"]["groups"]["shop-alb"].startswith("sg-")
    assert play(cloud, tmp_path, where).changed == 1
    assert play(cloud, tmp_path, where).changed == 0
