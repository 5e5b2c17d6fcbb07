# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration import api


class Ec2:
    """Keeps the filters that it was asked with; every answer has one interface."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []

    def describe_network_interfaces(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append({told["Name"]: told["Values"] for told in arguments["Filters"]})
        return {"NetworkInterfaces": [{"NetworkInterfaceId": f"eni-{len(self.asked)}"}]}


def test_no_filter_has_more_than_two_hundred_values() -> None:
    ec2, addresses = Ec2(), [f"10.0.{number // 250}.{number % 250}" for number in range(401)]
    found = api.describe_interfaces(ec2, {"addresses.private-ip-address": addresses, "vpc-id": ["vpc-1"]})
    assert [len(filters["addresses.private-ip-address"]) for filters in ec2.asked] == [200, 200, 1]
    assert all(filters["vpc-id"] == ["vpc-1"] for filters in ec2.asked)
    assert [address for filters in ec2.asked for address in filters["addresses.private-ip-address"]] == addresses
    assert len(found) == 3


def test_a_filter_without_values_selects_nothing() -> None:
    ec2 = Ec2()
    assert api.describe_interfaces(ec2, {"vpc-id": []}) == []
    assert not ec2.asked
