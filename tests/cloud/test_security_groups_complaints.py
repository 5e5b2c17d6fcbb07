# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of other tools complain about, one test for each complaint."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import coverage

from lab.cloud import ControlPlane
from tests.cloud.vpcs import Vpc, make, opened, permission


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    return make(cloud)


def web(*rules: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"name": "web", "ingress": list(rules), **others}


def test_it_does_not_revoke_before_it_authorizes(vpc: Vpc, cloud: ControlPlane) -> None:
    """terraform-provider-aws 66 and 2382: rules are revoked first, and a failed addition leaves the group bare."""
    vpc.run(web(opened(80, "0.0.0.0/0")))
    before = list(vpc.groups["web"].ingress)
    cloud.faults.add("refused", operation="AuthorizeSecurityGroupIngress")
    text = vpc.refuses(web(opened([80, 443], "10.0.0.0/8")))
    assert "Nothing was revoked." in text
    assert list(vpc.groups["web"].ingress) == before
    vpc.run(web(opened([80, 443], "10.0.0.0/8")))
    after = list(vpc.groups["web"].ingress)
    assert coverage.cut(before, after, [*before, *after]) == []


def test_purging_works_at_the_rule_limit(vpc: Vpc) -> None:
    """ansible/ansible 37160: purging fails at the limit, because the new rules come beside the old ones."""
    old, new = ([f"10.{net}.{number}.0/24" for number in range(60)] for net in (0, 1))
    vpc.run(web(opened(80, *old)))
    vpc.run(web(opened(80, *new)))
    assert vpc.changes == Counter(ModifySecurityGroupRules=1)
    assert vpc.rules("web") == {f"80/tcp {cidr}" for cidr in new}


def test_a_group_refers_to_itself_at_once(vpc: Vpc) -> None:
    """ansible/ansible 68072: a new group that refers to itself times out."""
    vpc.run(web(opened(80, "web"), egress=[opened(80, "web")]))
    assert vpc.rules("web") == vpc.rules("web", "egress") == {"80/tcp web"}
    assert vpc.seconds == [0.0]


def test_check_and_diff_stand_mixed_rules(vpc: Vpc) -> None:
    """amazon.aws 2373 and 2589: diff mode crashes where rules have sources of several kinds, or none has ports."""
    other = vpc.create("other")
    listed = vpc.ec2.create_managed_prefix_list(PrefixListName="offices", MaxEntries=2, AddressFamily="IPv4")
    offices = str(listed["PrefixList"]["PrefixListId"])
    mixed = [
        opened([80, "100-200"], "0.0.0.0/0", "::/0", offices, other, "web", description="mixed"),
        {"protocol": "-1", "sources": ["10.0.0.0/8", other]},
        {"protocol": "icmp", "sources": ["10.0.0.0/8", "web"]},
    ]
    for start in ([], [mixed[1]], [{"protocol": "udp", "ports": 53, "sources": ["::/0", "web", offices]}]):
        vpc.run(web(*start))
        foreseen = vpc.run(web(*mixed), check=True)
        done = vpc.run(web(*mixed))
        assert foreseen["diff"] == done["diff"]
        assert len(vpc.rules("web")) == 14
        assert done["diff"][1]["after"] == "".join(
            [
                "web:\n  description: web\n  tags:\n    gatehouse:platform: shop\n  ingress:\n",
                *(f"    {line}\n" for line in lines_of(vpc, "web")),
                "  egress:\n    all traffic to 0.0.0.0/0\n",
            ]
        )


def lines_of(vpc: Vpc, name: str) -> list[str]:
    return [
        f"{rule.traffic} from {rule.source}" + (f" ({text})" if text else "")
        for rule, text in sorted(vpc.groups[name].ingress.items())
    ]


def test_a_mutual_reference_works_on_the_first_run_as_check_mode_said(vpc: Vpc) -> None:
    """amazon.aws: a reference to a group that comes later fails on the first run, although check mode said changed."""
    groups = [{"name": name, "ingress": [opened(80, other)]} for name, other in ("ab", "bc", "ca")]
    foreseen = vpc.run(*groups, check=True)
    assert vpc.run(*groups)["plan"] == foreseen["plan"]
    assert [vpc.rules(name) for name in "abc"] == [{"80/tcp b"}, {"80/tcp c"}, {"80/tcp a"}]


def test_egress_means_what_is_said_about_it(vpc: Vpc) -> None:
    """amazon.aws: egress that is omitted is never purged, and there is no way to tell it from an empty one."""
    vpc.run(web(egress=[opened(443, "0.0.0.0/0")]))
    assert vpc.run(web())["plan"] == []
    assert vpc.rules("web", "egress") == {"443/tcp 0.0.0.0/0"}
    vpc.run(web(egress=[]))
    assert vpc.rules("web", "egress") == set()


def test_a_changed_description_of_a_group_is_not_ignored(vpc: Vpc) -> None:
    """amazon.aws: a description that differs from the group's is ignored."""
    vpc.run(web(description="old"))
    for check in (True, False):
        text = vpc.refuses(web(opened(80, "web"), description="new"), check=check)
        assert text.startswith("web: its description is 'old', and AWS cannot change it to 'new'")
        assert vpc.changes == Counter()
    assert vpc.run(web(description="new"), accept_description=True)["plan"] == []
    assert vpc.run(web())["plan"] == []


def test_the_number_of_calls_does_not_grow_with_the_rules(vpc: Vpc) -> None:
    """aws-controllers-k8s/community 2186: one call per rule is throttled."""
    vpc.run(web(*(opened(port, "10.0.0.0/8", "::/0", "web") for port in range(80, 95)), egress=[]))
    assert len(vpc.rules("web")) == 45
    assert vpc.changes == Counter(CreateSecurityGroup=1, AuthorizeSecurityGroupIngress=1, RevokeSecurityGroupEgress=1)
    assert vpc.run(*(web(*(opened(port, "10.0.0.0/8") for port in range(80, 110))),))["calls"] == 5
    assert vpc.changes == Counter(AuthorizeSecurityGroupIngress=1, RevokeSecurityGroupIngress=1)


def test_throttling_is_stood(vpc: Vpc, cloud: ControlPlane) -> None:
    """aws-controllers-k8s/community 2186: a throttled call is the end of the run."""
    for number in (1, 3, 5, 7):
        cloud.faults.add("throttled", number=number)
    vpc.run(web(opened(80, "web")))
    assert vpc.rules("web") == {"80/tcp web"}
    assert 0 < vpc.seconds[0] < 60


def test_deletion_clears_what_refers_to_a_group_first(vpc: Vpc) -> None:
    """Deleting a group that another one refers to fails with DependencyViolation in most tools."""
    vpc.run(web(opened(80, "app")), {"name": "app", "ingress": [opened(80, "web")], "egress": [opened(80, "web")]})
    vpc.run(web(), purge_groups=True)
    assert set(vpc.groups) == {"default", "web"}


def test_rules_that_somebody_else_added_are_told_before_they_go(vpc: Vpc) -> None:
    """What goes is said in words: closes 22/tcp to 10.0.0.0/8."""
    vpc.run(web())
    ranges = [{"CidrIp": "10.0.0.0/8", "Description": "debugging"}]
    vpc.ec2.authorize_security_group_ingress(
        GroupId=vpc.groups["web"].id, IpPermissions=[permission(22, IpRanges=ranges)]
    )
    assert vpc.run(web(), check=True)["plan"] == ["web: closes 22/tcp to 10.0.0.0/8"]
