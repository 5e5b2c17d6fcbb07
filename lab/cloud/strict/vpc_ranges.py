# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ranges of VPCs: some are not to be had.

https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from lab.cloud.strict.behavior import Request, refuse, strict


@strict("ec2", "CreateVpc", "AssociateVpcCidrBlock")
def check_range(request: Request) -> Any:
    """Whoever runs the control plane keeps some for himself, as AWS does ("Some services use [them]")."""
    told = request.parameters.get("CidrBlock")
    for kept in request.cloud.ranges_kept if told else ():
        if IPv4Network(told, strict=False).overlaps(kept):
            raise refuse("InvalidVpc.Range", f"The CIDR '{told}' is invalid: {kept} is used by the region itself.")
    return request.proceed()
