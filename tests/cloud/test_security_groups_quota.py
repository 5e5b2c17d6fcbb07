# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quota is looked at before anything is changed."""

from __future__ import annotations

from collections import Counter

import pytest

from lab.cloud import ControlPlane
from tests.cloud.vpcs import Vpc, app, make, many, opened


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    return make(cloud)


def test_the_quota_is_asked_for_only_when_something_is_to_be_added(vpc: Vpc) -> None:
    vpc.run(app("10.0.0.0/8", "10.1.0.0/16"))
    assert vpc.operations["GetServiceQuota"] == 1
    vpc.run(app("10.0.0.0/8"))
    assert vpc.operations == Counter(DescribeSecurityGroups=1, RevokeSecurityGroupIngress=1)


def test_at_the_quota_rules_are_swapped_in_place(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.rules_per_group = 6
    rules = {"ingress": [opened(80, *many(6))], "egress": [opened(80, *many(6))]}
    vpc.run({"name": "app", **rules})
    new = [opened(80, *many(6, start=100), description="new")]
    result = vpc.run({"name": "app", "ingress": new, "egress": new})
    assert vpc.changes == Counter(ModifySecurityGroupRules=2)
    assert all("in place, because the group is at its quota" in line for line in result["plan"])
    assert vpc.rules("app") == vpc.rules("app", "egress") == {f"80/tcp {cidr}" for cidr in many(6, start=100)}
    assert vpc.run({"name": "app", "ingress": new, "egress": new})["plan"] == []


def test_references_are_swapped_in_place_too(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.rules_per_group = 2
    vpc.run({"name": "a"}, {"name": "b"}, {"name": "c"}, app("a", "b"))
    vpc.run({"name": "a"}, {"name": "b"}, {"name": "c"}, app("c", "app", port=81))
    assert vpc.changes == Counter(ModifySecurityGroupRules=1)
    assert vpc.rules("app") == {"81/tcp c", "81/tcp app"}


def test_without_room_the_run_refuses_before_anything_is_changed_or_takes_the_gap(
    vpc: Vpc, cloud: ControlPlane
) -> None:
    cloud.rules_per_group = 2
    vpc.run(app(*many(2)), {"name": "other"})
    text = vpc.refuses(app("other"), {"name": "other"}, {"name": "third"})
    assert "together 3 IPv4 rules, and the quota is 2 (from Service Quotas)" in text
    assert vpc.changes == Counter()
    result = vpc.run(app("other"), {"name": "other"}, allow_gap=True)
    assert "between them traffic is cut (allow_gap)" in result["plan"][0]
    assert vpc.rules("app") == {"80/tcp other"}


def test_more_rules_than_the_quota_are_refused_before_anything_is_changed(vpc: Vpc, cloud: ControlPlane) -> None:
    text = vpc.refuses({"name": "new"}, app(*many(61)), allow_gap=True)
    assert "app ingress: would have 61 IPv4 rules, and the quota is 60 (from Service Quotas)" in text
    assert vpc.changes == Counter()
    cloud.faults.add("refused", number=None, operation="GetServiceQuota")
    text = vpc.refuses(app(*many(61)), check=True)
    assert "the quota is 60 (AWS's default, because the account's own could not be read)" in text


def test_a_quota_that_is_not_told_takes_no_time_from_the_change(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.faults.add("throttled", number=None, operation="GetServiceQuota")
    for number in range(1, 6):
        cloud.faults.add("throttled", number=number, operation="AuthorizeSecurityGroupIngress")
    vpc.run(app("10.0.0.0/8"))
    assert vpc.rules("app") == {"80/tcp 10.0.0.0/8"}
    assert vpc.operations["GetServiceQuota"] < 10


def test_all_that_forbids_a_change_is_told_at_once(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.rules_per_group = 5
    vpc.run(app("10.0.0.0/8", description="old"))
    paths = [{"group": "app", "port": 80, "source": "10.0.0.1/32"}, {"group": "ap", "port": 80, "source": "::/0"}]
    lines = vpc.refuses(app(*many(6, start=100), description="new"), protect=paths).split("\n")
    for line, words in zip(lines, ("description", "would have 6 IPv4", "would close it", "no group of"), strict=True):
        assert words in line


def test_a_raised_quota_is_used(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.rules_per_group = 100
    vpc.run(app(*many(61)))
    assert len(vpc.rules("app")) == 61


def test_address_families_have_a_quota_each(vpc: Vpc, cloud: ControlPlane) -> None:
    cloud.rules_per_group = 4
    vpc.run(app(*many(3), "2001:db8::/48", "2001:db8:1::/48", "2001:db8:2::/48", "app"))
    assert len(vpc.rules("app")) == 7


def test_prefix_lists_are_weighed_when_one_is_declared(vpc: Vpc, cloud: ControlPlane) -> None:
    listed = vpc.ec2.create_managed_prefix_list(PrefixListName="offices", MaxEntries=58, AddressFamily="IPv4")
    offices = str(listed["PrefixList"]["PrefixListId"])
    assert "would have 61 IPv4 rules" in vpc.refuses(app(*many(3), offices))
    vpc.run(app(*many(2), offices))
    assert vpc.operations["DescribeManagedPrefixLists"] == 1
    vpc.run({"name": "other", "ingress": [opened(80, "10.0.0.0/8")]})
    assert "DescribeManagedPrefixLists" not in vpc.operations
    cloud.faults.add("refused", operation="DescribeManagedPrefixLists")
    (warning,) = vpc.run(app(*many(2), offices, port=81), check=True)["warnings"]
    assert f"The weights of {offices} could not be read, and count as 1 each" in warning
