# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import guard
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.changes import Describe, Gap, Swap
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.declare import from_params
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.limits import weight_of
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    OWNER_TAG,
    Group,
    Rule,
    SecurityGroupsError,
    Source,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import Plan, plan
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.quota import Limits, fitted
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.text import diff

EVERYWHERE = Rule("-1", -1, -1, Source("ipv4", "0.0.0.0/0"))


def tcp(port: int, other: str) -> Rule:
    kind = "group" if "/" not in other else "ipv6" if ":" in other else "ipv4"
    kind = {"sg-": "group_id", "pl-": "prefix_list"}.get(other[:3], kind)
    return Rule("tcp", port, port, Source(kind, other.lower(), shown=other))


def group(name: str, *ingress: Rule, owner: str = "shop", **others: Any) -> Group:
    tags = {**({OWNER_TAG: owner} if owner else {}), **others.pop("tags", {})}
    return Group(name, f"sg-{name}", name, tags=tags, ingress=dict.fromkeys(ingress, ""), **others)


def state(*groups: Group) -> dict[str, Group]:
    return {item.key: item for item in groups}


def planned(current: dict[str, Group], *groups: dict[str, Any], **others: Any) -> Plan:
    return plan(current, from_params({"vpc_id": "vpc-1", "owner": "shop", "groups": groups, **others}))


def opened(port: int, *sources: str, **others: Any) -> dict[str, Any]:
    return {"ports": port, "sources": sources, **others}


def refusal(current: dict[str, Group], *groups: dict[str, Any], **others: Any) -> str:
    with pytest.raises(SecurityGroupsError) as raised:
        planned(current, *groups, **others)
    return str(raised.value)


def test_a_set_is_created_whole_before_a_rule_is_added() -> None:
    found = planned(
        {},
        {"name": "app", "ingress": [opened(8080, "lb", "app")], "tags": {"Tier": "app"}},
        {"name": "lb", "ingress": [opened(80, "0.0.0.0/0")], "egress": [opened(8080, "app")]},
    )
    assert found.sentences() == [
        "app: new",
        "lb: new",
        "app: opens 8080/tcp from app",
        "app: opens 8080/tcp from lb",
        "lb: opens 80/tcp from 0.0.0.0/0",
        "lb: opens the way out for 8080/tcp to app",
        "lb: closes the way out for all traffic to 0.0.0.0/0",
    ]
    after = found.after({})
    assert after["app"].egress == {EVERYWHERE: ""}
    assert dict(after["app"].tags) == {OWNER_TAG: "shop", "Tier": "app"}
    assert after["app"].description == "app"


def test_what_aws_gives_a_new_group_is_neither_added_nor_removed_when_it_is_declared() -> None:
    everywhere = {"protocol": "-1", "sources": ["0.0.0.0/0"]}
    assert planned({}, {"name": "app", "egress": [everywhere]}).sentences() == ["app: new"]


def test_a_changed_description_is_updated_in_place() -> None:
    current = state(group("app", tcp(80, "10.0.0.0/8")))
    found = planned(current, {"name": "app", "ingress": [opened(80, "10.0.0.0/8", description="web")]})
    assert found.sentences() == ["app: describes 80/tcp from 10.0.0.0/8 as 'web'"]


def test_a_rule_is_described_as_aws_tells_it() -> None:
    told = Rule("50", -1, -1, Source("ipv4", "10.0.0.0/8"), found=(0, 65535))
    entry = {"protocol": "esp", "sources": ["10.0.0.0/8"], "description": "tunnel"}
    (change,) = planned(state(group("app", told)), {"name": "app", "ingress": [entry]}).changes
    assert isinstance(change, Describe)
    assert [rule.found for rule in change.rules] == [(0, 65535)]


def test_a_reference_by_id_is_the_one_by_name() -> None:
    current = state(group("app", tcp(80, "lb")), Group("LB", "sg-0abc", "LB", tags={OWNER_TAG: "shop"}))
    assert planned(current, {"name": "app", "ingress": [opened(80, "sg-0abc")]}).sentences() == []
    text = refusal(
        current,
        {"name": "lb"},
        {"name": "app", "ingress": [opened(80, "sg-0abc", description="a"), opened(80, "lb", description="b")]},
    )
    assert "by its name and by its id, with the descriptions 'a' and 'b'" in text


def test_tags_are_brought_to_the_declared_ones() -> None:
    current = state(group("app", tags={"Tier": "web", "Old": "x", "aws:cloudformation:stack-name": "y"}))
    found = planned(current, {"name": "app", "tags": {"Tier": "app"}})
    assert found.sentences() == ["app: sets the tag Tier to 'app'", "app: removes the tag Old"]
    assert planned(current, {"name": "app"}).sentences() == []


def test_a_group_of_somebody_else_is_refused_unless_it_is_adopted() -> None:
    current = state(group("App", owner=""), group("db", owner="other"))
    text = refusal(current, {"name": "app"}, {"name": "db"})
    assert "app: sg-App of that name is there already and has no tag gatehouse:platform: give another name" in text
    assert "db: sg-db of that name is there already and belongs to 'other'" in text
    assert planned(current, {"name": "app"}, adopt=True).sentences() == ["App: taken over by 'shop' from nobody"]


@pytest.mark.parametrize("options", [{}, {"adopt": True}, {"owner": None}])
def test_a_group_of_another_platform_is_never_changed(options: dict[str, Any]) -> None:
    text = refusal(state(group("app", tcp(80, "10.0.0.0/8"), owner="other")), {"name": "app", "ingress": []}, **options)
    assert text == (
        "app: sg-app of that name is there already and belongs to 'other': give another name, or that owner, or remove "
        "its tag gatehouse:platform first if that platform is gone"
    )


def test_without_an_owner_a_group_of_nobodys_is_managed_and_others_may_be_declared_as_they_are() -> None:
    current = state(group("app", tcp(80, "10.0.0.0/8"), owner=""), group("db", owner="other"))
    found = planned(current, {"name": "app", "ingress": []}, {"name": "db", "ingress": []}, owner=None)
    assert found.sentences() == ["app: closes 80/tcp to 10.0.0.0/8"]


def test_another_description_of_a_group_is_refused_unless_it_is_accepted() -> None:
    current = state(group("app"))
    text = refusal(current, {"name": "app", "description": "new"})
    assert text.startswith("app: its description is 'app', and AWS cannot change it to 'new'")
    assert not planned(current, {"name": "app", "description": "new"}, accept_description=True).changed


def test_groups_that_left_the_set_go_after_what_refers_to_them() -> None:
    current = state(
        group("app", tcp(80, "old")), group("old", tcp(80, "old"), tcp(81, "older")), group("older", tcp(82, "old"))
    )
    found = planned(current, {"name": "app"}, purge_groups=True)
    assert found.sentences() == [
        "app: closes 80/tcp to old, which goes",
        "old: closes 81/tcp to older, which goes",
        "older: closes 82/tcp to old, which goes",
        "old: goes",
        "older: goes",
    ]
    assert set(found.after(current)) == {"app"}


def test_a_declared_reference_to_a_group_that_goes_is_refused() -> None:
    current = state(group("app"), Group("old", "sg-0abc", tags={OWNER_TAG: "shop"}))
    text = refusal(current, {"name": "app", "ingress": [opened(80, "sg-0abc")]}, purge_groups=True)
    assert text == "app ingress: 80/tcp with old is declared, but that group goes"


def test_foreign_references_are_named_and_refused_or_cleared() -> None:
    current = state(group("app"), group("theirs", tcp(80, "app"), owner="other"))
    text = refusal(current, state="absent")
    assert text.startswith("app: cannot go, because theirs (sg-theirs), which belongs to 'other', refers to it in its")
    found = planned(current, state="absent", clear_foreign_references=True)
    assert found.sentences() == ["theirs: closes 80/tcp to app, which goes", "app: goes"]


def test_absent_takes_all_of_the_owner_or_the_declared_names() -> None:
    others = [group("theirs", owner="other"), group("nobodys", owner=""), group("default")]
    current = state(group("app"), group("db"), *others)
    assert planned(current, state="absent").sentences() == ["app: goes", "db: goes"]
    assert planned(current, {"name": "DB"}, {"name": "gone"}, state="absent").sentences() == ["db: goes"]
    assert "it is not deleted" in refusal(current, {"name": "nobodys"}, state="absent", adopt=True)


def test_the_diff_shows_the_groups_that_change_and_no_others() -> None:
    current = state(group("app", tcp(80, "10.0.0.0/8")), group("db"))
    found = planned(current, {"name": "app", "ingress": [opened(443, "10.0.0.0/8", description="web")]}, {"name": "db"})
    words, texts = diff(current, found)
    assert words["prepared"] == "app: opens 443/tcp from 10.0.0.0/8\napp: closes 80/tcp to 10.0.0.0/8\n"
    rest = "app:\n  description: app\n  tags:\n    gatehouse:platform: shop\n  ingress:\n    {}\n  egress: none\n"
    assert texts["before"] == rest.format("80/tcp from 10.0.0.0/8")
    assert texts["after"] == rest.format("443/tcp from 10.0.0.0/8 (web)")
    assert diff(current, Plan()) == []


# The quota.


def many(number: int, start: int = 0) -> list[str]:
    return [f"10.0.{start + index}.0/24" for index in range(number)]


def fit(current: dict[str, Group], sources: list[str], limit: int, gap: bool = False, **weights: Any) -> Plan:
    draft = planned(current, {"name": "app", "ingress": [opened(80, *sources)] if sources else []})
    return fitted(draft, current, Limits(limit, "from Service Quotas", **weights), gap)


def full(*sources: str) -> dict[str, Group]:
    return state(group("app", *(tcp(80, source) for source in sources)))


def test_rules_of_one_kind_are_swapped_in_place_at_the_quota() -> None:
    found = fit(full(*many(5)), many(3, start=100), limit=6)
    assert [change.phase for change in found.changes] == ["authorize", "swap", "revoke"]
    assert found.sentences() == [
        "app: opens 80/tcp from 10.0.100.0/24",
        "app: opens 80/tcp from 10.0.101.0/24 and closes 80/tcp to 10.0.0.0/24, in place, because the group is at "
        "its quota",
        "app: opens 80/tcp from 10.0.102.0/24 and closes 80/tcp to 10.0.1.0/24, in place, because the group is at "
        "its quota",
        "app: closes 80/tcp to 10.0.2.0/24",
        "app: closes 80/tcp to 10.0.3.0/24",
        "app: closes 80/tcp to 10.0.4.0/24",
    ]


def test_what_no_old_rule_can_become_is_added_while_there_is_room() -> None:
    found = fit(full(*many(5)), ["app", *many(2, start=100)], limit=6)
    assert [str(rule.source) for change in found.of("authorize") for rule in change.opened()] == ["app"]
    assert len(found.of("swap")[0].opened()) == 2


def test_without_room_and_partner_the_run_refuses_with_numbers() -> None:
    with pytest.raises(SecurityGroupsError) as raised:
        fit(full(*many(6)), ["app"], limit=6)
    assert str(raised.value) == (
        "app ingress: old and new rules do not fit side by side: together 7 IPv4 rules, and the quota is 6 (from "
        "Service Quotas); 1 of the new ones (group) cannot replace an old one in place, which works between sources of "
        "one type: have the quota raised, or give allow_gap: true to remove before adding"
    )


@pytest.mark.parametrize(
    ("old", "new"), [("app", "10.0.0.0/8"), ("app", "pl-1"), ("pl-1", "2001:db8::/32"), ("pl-1", "app")]
)
def test_a_rule_becomes_none_with_another_type_of_source(old: str, new: str) -> None:
    with pytest.raises(SecurityGroupsError, match="cannot replace an old one in place"):
        fit(full(old), [new], limit=1)


def test_a_gap_that_is_allowed_is_told_in_the_plan() -> None:
    found = fit(full(*many(2)), ["app"], limit=2, gap=True)
    assert found.sentences() == [
        "app: closes its ingress rules below before it opens the new ones, because the quota has no room for both: "
        "between them traffic is cut (allow_gap)",
        "app: closes 80/tcp to 10.0.0.0/24",
        "app: opens 80/tcp from app",
        "app: closes 80/tcp to 10.0.1.0/24",
    ]


def test_a_gap_removes_what_nothing_replaces_first_and_no_more_than_is_needed() -> None:
    found = fit(full("10.1.0.0/16", "10.1.0.0/24", "10.2.0.0/24"), ["10.1.0.0/16", "app"], limit=3, gap=True)
    assert found.sentences()[1:] == [
        "app: closes 80/tcp to 10.2.0.0/24",
        "app: opens 80/tcp from app",
        "app: closes 80/tcp to 10.1.0.0/24",
    ]
    three = {"pl-1": ("IPv6", 1), "pl-2": ("IPv6", 1), "pl-3": ("IPv6", 3)}
    found = fit(full(*three), ["app", "sg-1", "sg-2"], limit=5, gap=True, weights=three)
    assert "app: closes 80/tcp to pl-3" in found.sentences()[:2]
    assert [change.phase for change in found.changes] == ["gap", "revoke"]


def test_more_rules_than_the_quota_are_refused_with_or_without_a_gap() -> None:
    for gap in (False, True):
        with pytest.raises(SecurityGroupsError, match=r"would have 7 IPv4 rules, and the quota is 6 .*: 1 are there"):
            fit(full("10.0.0.0/24"), many(7), limit=6, gap=gap)


def test_address_families_are_counted_apart_and_groups_in_both() -> None:
    six = [f"2001:db8:{index}::/48" for index in range(3)]
    assert not fit(full(*many(3)), [*many(3), *six], limit=3).of("swap")
    limits = Limits(60, weights={"pl-1": ("IPv6", 20), "pl-2": ("", 5)})
    assert dict(limits.of(tcp(80, "app"))) == dict(limits.of(tcp(80, "sg-1"))) == {"IPv4": 1, "IPv6": 1}
    assert dict(limits.of(tcp(80, "pl-1"))) == {"IPv6": 20}
    assert dict(limits.of(tcp(80, "pl-2"))) == {"IPv4": 5, "IPv6": 5}
    assert dict(limits.of(tcp(80, "pl-3"))) == {"IPv4": 1, "IPv6": 1}


def test_a_prefix_list_counts_for_its_size() -> None:
    with pytest.raises(SecurityGroupsError, match="would have 61 IPv4 rules"):
        fit(full("10.0.0.0/24"), ["10.0.0.0/24", "pl-1"], limit=60, weights={"pl-1": ("IPv4", 60)})


@pytest.mark.parametrize(
    ("told", "weight"),
    [
        ({"PrefixListName": "offices", "MaxEntries": 20}, 20),
        ({"PrefixListName": "com.amazonaws.global.cloudfront.origin-facing"}, 55),
        ({"PrefixListName": "com.amazonaws.global.ipv6.cloudfront.origin-facing"}, 55),
        ({"PrefixListName": "com.amazonaws.eu-central-1.s3"}, 1),
        ({"PrefixListName": "com.amazonaws.eu-central-1.ipv6.vpc-lattice"}, 10),
        ({"PrefixListName": "com.amazonaws.eu-central-1.new"}, 0),
        ({}, 0),
    ],
)
def test_the_weight_of_a_prefix_list(told: dict[str, Any], weight: int) -> None:
    assert weight_of(told) == weight


# The guard against a lock-out.


def guarded(current: dict[str, Group], found: Plan, first: dict[str, Group] | None = None, **others: Any) -> str:
    path = {"group": "bastion", "port": 22, "source": "203.0.113.7/32"}
    desired = from_params({"vpc_id": "vpc-1", "owner": "shop", "protect": [path], **others}, True)
    return "\n".join(guard.watch(first or current, current, found, desired))


def test_closing_a_protected_path_is_refused() -> None:
    current = state(group("bastion", tcp(22, "0.0.0.0/0")))
    found = planned(current, {"name": "bastion", "ingress": [opened(22, "10.0.0.0/8")]})
    assert guarded(current, found) == (
        "protect: 22/tcp from 203.0.113.7/32 into bastion is open, and this would close it; declare a rule that keeps "
        "it open, or allow_lockout: true"
    )
    assert guarded(current, found, allow_lockout=True) == ""
    assert guarded(current, planned(current, state="absent"))


def test_a_path_that_stays_open_or_was_closed_before_is_no_lockout() -> None:
    current = state(group("bastion", tcp(22, "0.0.0.0/0")))
    narrower = planned(current, {"name": "bastion", "ingress": [opened(22, "203.0.113.7/32")]})
    assert guarded(current, narrower) == ""
    closed = state(group("bastion", tcp(22, "10.0.0.0/8")))
    assert guarded(closed, planned(closed, {"name": "bastion", "ingress": []})) == ""
    new = {"name": "bastion", "ingress": []}
    assert guarded({}, planned({}, new), groups=[new]) == ""


def test_a_gap_in_a_protected_path_is_refused() -> None:
    current = state(group("bastion", tcp(22, "0.0.0.0/0")))
    gap = Gap("bastion", "ingress", {tcp(22, "0.0.0.0/0"): ""}, {tcp(22, "203.0.113.7/32"): ""})
    assert "is open, and this would cut it for a moment" in guarded(current, Plan((gap,)))


def test_a_path_that_is_cut_between_a_swap_and_a_gap_is_refused() -> None:
    """The rule that the path needs leaves with the swap, and the one that replaces it comes after the gap."""
    old, unrelated = tcp(22, "203.0.113.7/32"), tcp(9, "sg-0abc")
    current = state(group("bastion", old, unrelated))
    swap = Swap("bastion", "ingress", ((old, tcp(10, "192.0.2.9/32"), ""),))
    gap = Gap("bastion", "ingress", {unrelated: ""}, {tcp(22, "203.0.113.0/24"): ""})
    assert "would cut it for a moment" in guarded(current, Plan((swap, gap)))


@pytest.mark.parametrize(("option", "path"), [("group", {"group": "bastoin"}), ("source", {"source": "ofice"})])
def test_a_path_of_a_group_that_nobody_knows_protects_nothing_and_is_told(option: str, path: dict[str, str]) -> None:
    current = state(group("bastion", tcp(22, "0.0.0.0/0")), group("Office", owner=""))
    protect = [{"group": "sg-bastion", "port": 22, "source": "office", **path}]
    text = guarded(current, Plan(), protect=protect)
    assert f"its {option} '{path[option]}' is no group of vpc-1 and none of this set; known are Office" in text
    assert guarded({}, Plan(), protect=protect, vpc_id="") == ""
    assert guarded(current, Plan(), protect=protect, allow_lockout=True) == ""


def test_a_path_that_was_open_at_first_is_protected_in_later_plans_too() -> None:
    """What is read again may be older than what was read at first."""
    first = state(group("bastion", tcp(22, "0.0.0.0/0")))
    stale = state(group("bastion", tcp(80, "0.0.0.0/0")))
    found = planned(stale, {"name": "bastion", "ingress": []})
    assert "this would close it" in guarded(stale, found, first)
    assert guarded(stale, found) == ""
