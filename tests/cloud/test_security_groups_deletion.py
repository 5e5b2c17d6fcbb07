# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is guarded against closing, and what goes when groups go."""

from __future__ import annotations

from collections import Counter

import pytest

from lab.cloud import ControlPlane
from tests.cloud.vpcs import SHOP, Vpc, app, make, opened, permission


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    return make(cloud)


def test_a_run_does_not_cut_its_own_way_in(vpc: Vpc) -> None:
    path = {"group": "bastion", "port": 22, "source": "203.0.113.7/32"}
    bastion = {"name": "bastion", "ingress": [opened(22, "0.0.0.0/0")]}
    vpc.run(bastion)
    for options in ({}, {"check": True}):
        text = vpc.refuses({**bastion, "ingress": [opened(22, "198.51.100.0/24")]}, protect=[path], **options)
        assert "22/tcp from 203.0.113.7/32 into bastion is open, and this would close it" in text
        assert vpc.changes == Counter()
    assert "would close it" in vpc.refuses(state="absent", protect=[path])
    assert "'bastoin' is no group of" in vpc.refuses(bastion, protect=[{**path, "group": "bastoin"}])
    vpc.run({**bastion, "ingress": [opened(22, "203.0.113.7/32")]}, protect=[path])
    vpc.run({**bastion, "ingress": []}, protect=[path], allow_lockout=True)
    assert vpc.rules("bastion") == set()


def test_a_set_goes_whatever_refers_to_whatever_in_it(vpc: Vpc) -> None:
    vpc.run(*SHOP)
    vpc.create("theirs")
    result = vpc.run(state="absent")
    assert set(vpc.groups) == {"default", "theirs"}
    assert result["plan"][-3:] == ["shop-alb: goes", "shop-app: goes", "shop-db: goes"]
    assert vpc.run(state="absent")["calls"] == 1


def test_references_of_somebody_else_are_named_and_kept_unless_told(vpc: Vpc) -> None:
    vpc.run(app("10.0.0.0/8"))
    theirs = vpc.create("theirs", permission(80, UserIdGroupPairs=[{"GroupId": vpc.groups["app"].id}]))
    text = vpc.refuses(state="absent")
    assert f"app: cannot go, because theirs ({theirs}), which is not the platform's, refers to it" in text
    assert vpc.changes == Counter()
    vpc.run(state="absent", clear_foreign_references=True)
    assert set(vpc.groups) == {"default", "theirs"}
    assert vpc.rules("theirs") == set()


def test_interfaces_are_waited_for_and_then_named(vpc: Vpc, monkeypatch: pytest.MonkeyPatch) -> None:
    vpc.run({"name": "app", "ingress": [opened(80, "db")]}, {"name": "db"})
    interface = vpc.interface(vpc.groups["app"].id)
    text = vpc.refuses(state="absent", wait_timeout=30)
    assert text.startswith(f"Still in use after 30 seconds, and not deleted:\napp: {interface} of a batch job (10.0.0.")
    assert vpc.seconds[0] == pytest.approx(30)
    assert vpc.rules("app") == {"80/tcp db"}
    text = vpc.refuses({"name": "new", "ingress": []}, purge_groups=True, wait_timeout=30)
    assert text.endswith("\nDone: new: new.")
    (warning,) = vpc.run(state="absent", check=True)["warnings"]
    assert warning.startswith(f"The run will wait for app: {interface}")
    ended = []

    def sleep(pause: float) -> None:
        vpc.seconds[0] += pause
        if not ended and vpc.seconds[0] > 60:
            ended.append(vpc.ec2.delete_network_interface(NetworkInterfaceId=interface))

    monkeypatch.setattr(vpc, "sleep", sleep)
    vpc.run(state="absent", wait_timeout=120)
    assert set(vpc.groups) == {"default"}


def test_references_over_a_peering_that_become_stale_are_told(vpc: Vpc, cloud: ControlPlane) -> None:
    other = Vpc(cloud, vpc.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"])
    peering = vpc.ec2.create_vpc_peering_connection(VpcId=vpc.id, PeerVpcId=other.id)["VpcPeeringConnection"]
    vpc.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    vpc.run(app("10.0.0.0/8"))
    other.create("peer", permission(80, UserIdGroupPairs=[{"GroupId": vpc.groups["app"].id}]))
    for check in (True, False):
        cloud.faults.add("throttled", operation="DescribeSecurityGroupReferences")
        (warning,) = vpc.run(state="absent", check=check)["warnings"]
        assert warning == (
            f"app: {other.id} refers to it over {peering['VpcPeeringConnectionId']}; "
            "these rules become stale when it goes"
        )
    assert set(vpc.groups) == {"default"}


def test_groups_that_left_the_set_go_only_when_told(vpc: Vpc) -> None:
    vpc.run(*SHOP)
    assert vpc.run(SHOP[0])["plan"] == []
    vpc.run({**SHOP[0], "egress": []}, purge_groups=True)
    assert set(vpc.groups) == {"default", "shop-alb"}
