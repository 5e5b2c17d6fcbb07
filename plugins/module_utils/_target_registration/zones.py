# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which availability zone is said of an address; pure.

The zone of an address in one of the VPC's subnets is known to AWS and must not be said; of any other address
it has to be, and is ``all`` unless the user asks for another. It is the subnets that count, not the VPC's ranges.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Target,
    TargetRegistrationError,
)

ALL = "all"
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html
OUTSIDE = tuple(
    ipaddress.ip_network(range_) for range_ in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)


def zones(
    targets: Iterable[Target], asked: Mapping[Target, str], subnets: Iterable[Mapping[str, Any]]
) -> dict[Target, str]:
    """The zone to register each address with, for those that need one.

    Raises TargetRegistrationError, with all findings at once, for addresses that AWS does not take.
    """
    ranges = [(network, subnet) for subnet in subnets for network in networks_of(subnet)]
    found, findings = {}, []
    for target in targets:
        address = ipaddress.ip_address(target.id)
        inside = next((subnet for network, subnet in ranges if address in network), None)
        zone = asked.get(target, "")
        if inside is None:
            found[target] = zone or ALL
            if address.version == 4 and not any(address in network for network in OUTSIDE):
                findings.append(
                    f"{target.id} is in no subnet of the target group's VPC, and outside of it AWS takes private "
                    f"addresses only ({', '.join(map(str, OUTSIDE))})"
                )
        elif zone and zone != inside["AvailabilityZone"]:
            place = f"in {inside['SubnetId']} and so in the availability zone {inside['AvailabilityZone']}"
            findings.append(f"{target.id} is {place}, not in {zone}")
    if findings:
        raise TargetRegistrationError("\n".join(findings))
    return found


def networks_of(subnet: Mapping[str, Any]) -> list[Any]:
    """The address ranges of a subnet: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Subnet.html"""
    ranges = [subnet.get("CidrBlock")]
    ranges += [told.get("Ipv6CidrBlock") for told in subnet.get("Ipv6CidrBlockAssociationSet") or ()]
    return [ipaddress.ip_network(range_) for range_ in ranges if range_]
