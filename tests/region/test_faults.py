# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that the control plane injects strikes who uses the API, and never what makes it real."""

from __future__ import annotations

import botocore.exceptions
import pytest

from lab.cloud.faults import KINDS
from lab.region.hosts import containers
from tests.region.account import ANYWHERE, Account, eventually
from tests.region.test_routes import connect

FAILURES = (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)


def test_what_was_done_becomes_real_and_nothing_else_does(account: Account) -> None:
    vpc, image = account.vpc(), account.image()
    for kind in KINDS:
        account.cloud.faults.add(kind, operation="RunInstances")
        with pytest.raises(FAILURES):
            account.launch(vpc.public, vpc.group, ImageId=image)
    assert eventually(lambda: containers(account.region.place), 30)
    (lost,) = containers(account.region.place)
    assert account.becomes(lost, "running")
    known = account.ec2.describe_instances()["Reservations"]
    assert [instance["InstanceId"] for reservation in known for instance in reservation["Instances"]] == [lost]


def test_whoever_makes_it_real_gets_through(account: Account) -> None:
    """All calls of everybody else fail meanwhile."""
    vpc, image = account.vpc(), account.image()
    for kind in KINDS:
        instance = account.launch(vpc.private, vpc.group, ImageId=image)
        account.cloud.faults.add(kind, number=None)
        with pytest.raises(FAILURES):
            account.ec2.describe_vpcs()
        assert eventually(lambda instance=instance: instance in containers(account.region.place), 30)
        account.cloud.faults.clear()
        assert account.becomes(instance, "running")


def test_a_rule_whose_answer_is_lost_is_in_force(account: Account) -> None:
    vpc = account.vpc()
    instance = account.launch(vpc.public, vpc.group, public=True)
    address = account.instance(instance)["PublicIpAddress"]
    assert eventually(lambda: connect(address, 22) == 0, 60)
    account.cloud.faults.add("lost", operation="RevokeSecurityGroupIngress")
    with pytest.raises(botocore.exceptions.BotoCoreError):
        account.ec2.revoke_security_group_ingress(GroupId=vpc.group, IpPermissions=[ANYWHERE])
    assert eventually(lambda: connect(address, 22) != 0, 5)
