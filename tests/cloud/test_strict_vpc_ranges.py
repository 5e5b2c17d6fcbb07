# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges that a VPC cannot have."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from lab.cloud import ControlPlane
from tests.cloud.account import refused, vpc


def test_a_range_that_is_kept_is_refused(cloud: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    """InvalidVpc.Range: "The specified CIDR block range is not valid."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    monkeypatch.setattr(cloud, "ranges_kept", (IPv4Network("10.222.0.0/16"),))
    ec2 = cloud.client("ec2")
    for taken in ("10.222.0.0/16", "10.222.7.0/24"):
        with refused("InvalidVpc.Range", taken):
            vpc(ec2, taken)
    home = vpc(ec2, "10.221.0.0/16")
    with refused("InvalidVpc.Range"):
        ec2.associate_vpc_cidr_block(VpcId=home, CidrBlock="10.222.0.0/20")
