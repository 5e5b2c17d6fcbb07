# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic IPs of instances."""

from __future__ import annotations

import itertools

from lab.cloud import ControlPlane
from tests.cloud.account import vpc


def test_the_address_of_a_terminated_instance_is_free(cloud: ControlPlane) -> None:
    """It is associated with the instance's network interface, which goes with the instance; what is not associated can
    be released: "You must disassociate the Elastic IP address before you can release it."

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html
    """
    ec2 = cloud.client("ec2")
    (machine,) = ec2.run_instances(ImageId="ami-0deb1300000000001", MinCount=1, MaxCount=1)["Instances"]
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(InstanceId=machine["InstanceId"], AllocationId=allocation)
    ec2.terminate_instances(InstanceIds=[machine["InstanceId"]])
    (address,) = ec2.describe_addresses()["Addresses"]
    assert not address.get("AssociationId")
    ec2.release_address(AllocationId=allocation)


def test_private_addresses_do_not_run_out(cloud: ControlPlane) -> None:
    """ "A private IPv4 address … is released when the instance is terminated", but nobody else gets it at once.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html
    """
    ec2 = cloud.client("ec2")
    subnet = ec2.create_subnet(VpcId=vpc(ec2), CidrBlock="10.0.0.0/28")["Subnet"]["SubnetId"]
    found: list[str] = []
    for _time in range(20):
        options = {"ImageId": "ami-0deb1300000000001", "MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
        (machine,) = ec2.run_instances(**options)["Instances"]
        ec2.terminate_instances(InstanceIds=[machine["InstanceId"]])
        found.append(machine["PrivateIpAddress"])
    assert all(one != other for one, other in itertools.pairwise(found))
