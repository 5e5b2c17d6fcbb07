# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for all plans, whatever the groups are and whatever is declared."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.coverage import covered, cut, traffic
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.declare import from_params
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.info import declared
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    DIRECTIONS,
    OWNER_TAG,
    Group,
    Rule,
    SecurityGroupsError,
    Source,
    State,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import (
    ADDING,
    PHASES,
    Plan,
    plan,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.quota import Limits, fitted
from hypothesis import assume, given, settings
from hypothesis import strategies as st

NAMES = ("shop-a", "shop-b", "shop-c", "shop-d")
CIDRS = ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16", "::/0", "2001:db8::/32")
IDS = {name: f"sg-{index}" for index, name in enumerate(NAMES)}
VPC = "vpc-1"
OFTEN = settings(max_examples=80, deadline=None)


SOURCES = (
    *(Source(f"ipv{ipaddress.ip_network(cidr).version}", cidr) for cidr in CIDRS),
    *(Source("group", name, shown=name) for name in NAMES),
    *(Source("group_id", "sg-f00"), Source("prefix_list", "pl-1"), Source("prefix_list", "pl-2")),
)
TRAFFIC = (
    *(("tcp", *span) for span in ((22, 22), (80, 80), (80, 90), (85, 95), (0, 65535))),
    *(("icmp", *kind) for kind in ((-1, -1), (3, -1), (3, 4))),
    *(("udp", 80, 80), ("-1", -1, -1), ("50", -1, -1)),
)
RULES = tuple(Rule(*let_through, other) for let_through in TRAFFIC for other in SOURCES)


def rules() -> st.SearchStrategy[Rule]:
    return st.sampled_from(RULES)


def described() -> st.SearchStrategy[dict[Rule, str]]:
    """Up to six rules, often some that others overlap."""
    texts = st.sampled_from(["", "web", "of old"])
    return st.lists(st.tuples(rules(), texts), max_size=6).map(dict)


@st.composite
def states(draw: st.DrawFn) -> dict[str, Group]:
    """A VPC: its default group, one of somebody else's, and some of the names, the owner's or nobody's."""
    state = {"default": Group("default", "sg-default", "default VPC security group", egress=draw(described()))}
    theirs = draw(st.sampled_from([{}, {OWNER_TAG: "other"}]))
    state["10.0.0.0/8"] = Group("10.0.0.0/8", "sg-odd", "somebody's", tags=theirs, ingress=draw(described()))
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        owner = draw(st.sampled_from(["shop", "shop", ""]))
        tags = {
            **({OWNER_TAG: owner} if owner else {}),
            **draw(st.sampled_from([{}, {"Tier": "edge"}, {"aws:x": "y"}])),
        }
        state[name] = Group(name, IDS[name], name, tags=tags, ingress=draw(described()), egress=draw(described()))
    return {key: existing(group, state) for key, group in state.items()}


def existing(group: Group, state: State) -> Group:
    """The group without references to groups that do not exist, which AWS does not have."""
    sides = [
        {
            rule: text
            for rule, text in group.rules(side).items()
            if rule.source.kind != "group" or rule.source.value in state
        }
        for side in DIRECTIONS
    ]
    return Group(group.name, group.id, group.description, tags=group.tags, ingress=sides[0], egress=sides[1])


def spelled(rule: Rule, text: str, ends: str) -> dict[str, Any]:
    """A rule as a user may write it."""
    other = rule.source.shown or rule.source.value
    told: dict[str, Any] = {"protocol": rule.protocol, ends: [other], "description": text}
    if rule.protocol in ("tcp", "udp"):
        told["ports"] = f"{rule.first}-{rule.last}" if rule.first != rule.last else rule.first
    if rule.protocol == "icmp":
        told.update(icmp_type=rule.first, icmp_code=rule.last)
    return told


@st.composite
def tasks(draw: st.DrawFn) -> dict[str, Any]:
    """Parameters of a task whose groups refer to one another in any way, by all of its names."""
    groups = []
    for name in NAMES:
        group: dict[str, Any] = {
            "name": name,
            "description": None,
            "tags": draw(st.sampled_from([None, {}, {"Tier": "app"}])),
        }
        for side, ends in (("ingress", "sources"), ("egress", "destinations")):
            told = draw(st.none() | described())
            group[side] = None if told is None else [spelled(rule, text, ends) for rule, text in told.items()]
        groups.append(group)
    flags = {flag: draw(st.booleans()) for flag in ("purge_rules", "purge_groups")}
    return {"vpc_id": VPC, "owner": "shop", "adopt": True, "groups": groups, **flags}


def fitting(state: State, task: dict[str, Any], limits: Limits, gap: bool = False) -> Plan | None:
    """The plan with regard to a quota; None where that refuses it."""
    draft = plan(state, from_params(task))
    try:
        return fitted(draft, state, limits, gap)
    except SecurityGroupsError:
        return None


def steps(state: State, planned: Plan, order: random.Random) -> Iterator[State]:
    """The groups after each change, where those of a phase, which are sent side by side, end in any order."""
    for phase in PHASES:
        changes = list(planned.of(phase))
        order.shuffle(changes)
        for change in changes:
            state = Plan((change,)).after(state)
            yield state


@OFTEN
@given(states())
def test_what_is_there_declared_again_is_no_change(state: State) -> None:
    groups = declared(state, state.values())
    task = {"vpc_id": VPC, "groups": groups, "purge_rules": True}
    assert plan(state, from_params(task)).sentences() == []


@OFTEN
@given(states(), tasks())
def test_a_declared_direction_is_afterwards_as_declared(state: State, task: dict[str, Any]) -> None:
    wanted = from_params({**task, "purge_rules": True})
    after = plan(state, wanted).after(state)
    for group in wanted.groups:
        for side in DIRECTIONS:
            rules_wanted = group.rules(side)
            if rules_wanted is not None:
                assert after[group.key].rules(side) == rules_wanted
            elif group.key in state:
                assert after[group.key].rules(side) == state[group.key].rules(side)
        assert after[group.key].owner == "shop"


@OFTEN
@given(states(), tasks())
def test_nothing_is_to_be_done_after_a_plan(state: State, task: dict[str, Any]) -> None:
    wanted = from_params(task)
    after = plan(state, wanted).after(state)
    assert plan(after, wanted).sentences() == []


@OFTEN
@given(states(), tasks())
def test_without_purge_nothing_is_removed(state: State, task: dict[str, Any]) -> None:
    after = plan(state, from_params({**task, "purge_rules": False, "purge_groups": False})).after(state)
    for key, group in state.items():
        for side in DIRECTIONS:
            assert set(group.rules(side)) <= set(after[key].rules(side))


@OFTEN
@given(states(), tasks(), st.randoms(use_true_random=False))
def test_order_and_duplicates_of_the_input_do_not_matter(
    state: State, task: dict[str, Any], order: random.Random
) -> None:
    groups = []
    for group in task["groups"]:
        sides = {side: group[side] and [*group[side], *group[side][:2]] for side in DIRECTIONS}
        for entries in sides.values():
            order.shuffle(entries or [])
        groups.append({**group, **sides})
    order.shuffle(groups)
    one, other = plan(state, from_params(task)), plan(state, from_params({**task, "groups": groups}))
    assert sorted(one.sentences()) == sorted(other.sentences())
    assert one.after(state) == other.after(state)


@OFTEN
@given(states(), tasks())
def test_what_is_not_the_owners_stays_as_it_is(state: State, task: dict[str, Any]) -> None:
    groups = [group for group in without_unknown(task)["groups"] if group["name"] != "shop-d"]
    wanted = from_params({**task, "groups": groups})
    foreign = {key: group for key, group in state.items() if group.owner != "shop" and key not in NAMES[:3]}
    assume(all(rule.source.value not in NAMES for group in foreign.values() for _side, rule in group.references()))
    after = plan(state, wanted).after(state)
    assert {key: after[key] for key in foreign} == foreign


def without_unknown(task: dict[str, Any]) -> dict[str, Any]:
    """The task without references to names that left it."""
    for group in task["groups"]:
        for side, ends in (("ingress", "sources"), ("egress", "destinations")):
            group[side] = group[side] and [entry for entry in group[side] if entry[ends] != ["shop-d"]]
    return task


@OFTEN
@given(states(), tasks(), st.integers(3, 12), st.randoms(use_true_random=False))
def test_what_is_allowed_before_and_after_is_never_cut(
    state: State, task: dict[str, Any], quota: int, order: random.Random
) -> None:
    planned = fitting(state, task, Limits(quota)) or fitting(state, task, Limits(60))
    assert planned
    after = planned.after(state)
    for between in steps(state, planned, order):
        for key in state.keys() & after.keys():
            for side in DIRECTIONS:
                there = [list(groups[key].rules(side)) for groups in (state, after, between)]
                assert cut(*there) == []


@OFTEN
@given(states(), tasks(), st.integers(3, 12), st.booleans(), st.randoms(use_true_random=False))
def test_the_quota_is_kept_at_every_step(
    state: State, task: dict[str, Any], quota: int, gap: bool, order: random.Random
) -> None:
    limits = Limits(quota, weights={"pl-1": ("IPv4", 2)})
    assume(all(limits.fits(group.rules(side)) for group in state.values() for side in DIRECTIONS))
    planned = fitting(state, task, limits, gap)
    assume(planned)
    for between in steps(state, planned or Plan(), order):
        assert all(limits.fits(group.rules(side)) for group in between.values() for side in DIRECTIONS)


@OFTEN
@given(states(), tasks(), st.integers(3, 12), st.booleans())
def test_what_fits_ends_where_the_draft_ends(state: State, task: dict[str, Any], quota: int, gap: bool) -> None:
    planned = fitting(state, task, Limits(quota), gap) or fitting(state, task, Limits(60), gap)
    assert planned
    assert planned.after(state) == plan(state, from_params(task)).after(state)
    assert bool(planned.of("gap")) <= gap


@OFTEN
@given(states(), tasks(), st.integers(3, 12), st.booleans())
def test_planned_again_after_adding_nothing_is_left_to_add(
    state: State, task: dict[str, Any], quota: int, gap: bool
) -> None:
    planned = fitting(state, task, Limits(quota), gap)
    assume(planned)
    again = fitting(Plan((planned or Plan()).of(*ADDING)).after(state), task, Limits(quota), gap)
    assert again
    assert again.of(*ADDING) == ()


@OFTEN
@given(st.lists(rules(), max_size=6), rules())
def test_coverage_agrees_with_trying_every_packet(given_rules: list[Rule], wanted: Rule) -> None:
    assume(wanted.protocol == "tcp")
    packets = list(packets_of(wanted))
    expected = all(any(lets_through(rule, packet) for rule in given_rules) for packet in packets)
    assert covered(traffic(wanted), given_rules) == expected


# Every port and address at which one of the rules above begins or ends, and one between.
PORTS = (0, 21, 22, 23, 79, 80, 81, 84, 85, 86, 90, 91, 95, 96, 65535)
ADDRESSES = ("9.0.0.1", "10.0.0.1", "10.1.0.1", "10.127.0.1", "10.128.0.1", "::1", "2001:db8::1")


def packets_of(rule: Rule) -> Iterator[tuple[int, str]]:
    for port in PORTS:
        if rule.first <= port <= rule.last:
            for address in [*ADDRESSES, "named"]:
                if matches(rule.source, address, rule.source):
                    yield port, address if address != "named" else repr(rule.source)


def matches(source: Source, address: str, itself: Source) -> bool:
    if source.kind in ("ipv4", "ipv6"):
        if address == "named" or "Source" in address:
            return False
        network = ipaddress.ip_network(source.value)
        return ipaddress.ip_address(address).version == network.version and ipaddress.ip_address(address) in network
    return address in ("named", repr(itself)) and source == itself


def lets_through(rule: Rule, packet: tuple[int, str]) -> bool:
    port, address = packet
    if rule.protocol not in ("tcp", "-1") or (rule.protocol == "tcp" and not rule.first <= port <= rule.last):
        return False
    if "Source" in address:
        return repr(rule.source) == address
    return matches(rule.source, address, rule.source) and rule.source.kind in ("ipv4", "ipv6")
