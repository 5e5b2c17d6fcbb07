# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance and its primary network interface are changed together."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.account import group


class Machine:
    """An instance with the group "before"."""

    def __init__(self, cloud: ControlPlane) -> None:
        self.ec2 = cloud.client("ec2")
        self.before, self.after = group(self.ec2, "before"), group(self.ec2, "after")
        options = {"ImageId": "ami-0deb1300000000001", "SecurityGroupIds": [self.before]}
        (made,) = self.ec2.run_instances(MinCount=1, MaxCount=1, **options)["Instances"]
        self.id, self.eni = made["InstanceId"], made["NetworkInterfaces"][0]["NetworkInterfaceId"]

    @property
    def instance(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ec2.describe_instances(InstanceIds=[self.id])["Reservations"][0]["Instances"][0]
        return found

    @property
    def interface(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[self.eni])[
            "NetworkInterfaces"
        ][0]
        return found

    def groups(self) -> list[set[str]]:
        """By the instance, and by its interface."""
        told = (self.instance["SecurityGroups"], self.interface["Groups"])
        return [{entry["GroupId"] for entry in entries} for entries in told]


def test_new_groups_of_an_instance_replace_the_old_ones(cloud: ControlPlane) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html"""
    machine = Machine(cloud)
    machine.ec2.modify_instance_attribute(InstanceId=machine.id, Groups=[machine.after])
    assert machine.groups() == [{machine.after}] * 2
    machine.ec2.delete_security_group(GroupId=machine.before)


def test_new_groups_of_an_interface_replace_those_of_the_instance(cloud: ControlPlane) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html"""
    machine = Machine(cloud)
    machine.ec2.modify_network_interface_attribute(NetworkInterfaceId=machine.eni, Groups=[machine.after])
    assert machine.groups() == [{machine.after}] * 2


@pytest.mark.parametrize("kind", ["instance", "interface"])
def test_the_source_and_destination_check_is_of_both(cloud: ControlPlane, kind: str) -> None:
    """ModifyInstanceAttribute, SourceDestCheck: "Enable or disable source/destination checks"."""
    machine = Machine(cloud)
    off = {"SourceDestCheck": {"Value": False}}
    if kind == "instance":
        machine.ec2.modify_instance_attribute(InstanceId=machine.id, **off)
    else:
        machine.ec2.modify_network_interface_attribute(NetworkInterfaceId=machine.eni, **off)
    assert (machine.instance["SourceDestCheck"], machine.interface["SourceDestCheck"]) == (False, False)
