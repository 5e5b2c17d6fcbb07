# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What security groups let through after each call of a log, out of what the calls took effect on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api, coverage, rules
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import ANYWHERE, Group, Rule

from lab.cloud import Call

Ways = dict[tuple[str, str], set[Rule]]


def ways(state: Mapping[str, Group]) -> Ways:
    """The rules of groups, by the group's name and the direction."""
    return {(key, side): set(group.rules(side)) for key, group in state.items() for side in ("ingress", "egress")}


@dataclass
class Replay:
    """The groups of a VPC while a log of calls is gone through; ``egress`` is what AWS gives its new groups."""

    now: Ways
    names: dict[str, tuple[str, str]]
    egress: frozenset[Rule] = frozenset(ANYWHERE[:1])
    rule_ids: dict[str, tuple[str, Rule]] = field(default_factory=dict)

    def after_each(self, calls: Iterable[Call]) -> Iterator[tuple[Call, Ways]]:
        """What is let through after each call that took effect."""
        for call in calls:
            if call.took_effect:
                self._take(call)
                yield call, self.now

    def _take(self, call: Call) -> None:
        given = call.parameters
        if call.operation == "CreateSecurityGroup":
            key = given["GroupName"].lower()
            self.names[call.answer["GroupId"]] = (given["GroupName"], "")
            self.now[key, "ingress"], self.now[key, "egress"] = set(), set(self.egress)
        elif call.operation == "DeleteSecurityGroup":
            for side in ("ingress", "egress"):
                del self.now[self._key(given), side]
        elif call.operation.startswith(("AuthorizeSecurityGroup", "RevokeSecurityGroup")):
            side = "egress" if call.operation.endswith("Egress") else "ingress"
            told = set(rules.from_permissions(given["IpPermissions"], self.names))
            found = self.now[self._key(given), side]
            self.now[self._key(given), side] = found | told if call.operation.startswith("A") else found - told
        elif call.operation == "DescribeSecurityGroupRules":
            for item in call.answer["SecurityGroupRules"]:
                side = "egress" if item["IsEgress"] else "ingress"
                self.rule_ids[item["SecurityGroupRuleId"]] = side, rules.from_rule(item, self.names)
        elif call.operation == "ModifySecurityGroupRules":
            self._modify(given)

    def _modify(self, given: Mapping[str, Any]) -> None:
        for item in given["SecurityGroupRules"]:
            (side, old), request = self.rule_ids[item["SecurityGroupRuleId"]], dict(item["SecurityGroupRule"])
            if "ReferencedGroupId" in request:
                request["ReferencedGroupInfo"] = {"GroupId": request["ReferencedGroupId"]}
            new = rules.from_rule(request, self.names)
            self.rule_ids[item["SecurityGroupRuleId"]] = side, new
            self.now[self._key(given), side] = self.now[self._key(given), side] - {old} | {new}

    def _key(self, given: Mapping[str, Any]) -> str:
        return self.names[given["GroupId"]][0].lower()


@dataclass(frozen=True)
class Cut:
    """Traffic that was let through before and at the end, and not after some call in between."""

    operation: str
    key: str
    side: str
    traffic: coverage.Traffic


def cuts(ec2: Any, vpc_id: str, before: Mapping[str, Group], calls: Iterable[Call]) -> list[Cut]:
    """All cuts of a log; it has to lead from what was there before to what is there now."""
    names = {group.id: (group.name, "") for group in before.values()}
    first, last = ways(before), ways(api.groups(ec2, vpc_id))
    replay = Replay(dict(first), names, frozenset(ANYWHERE if api.has_ipv6(ec2, vpc_id) else ANYWHERE[:1]))
    found = [
        Cut(call.operation, key, side, traffic)
        for call, now in replay.after_each(calls)
        for key, side in first.keys() & last.keys()
        for traffic in coverage.cut(first[key, side], last[key, side], now.get((key, side), set()))
    ]
    assert replay.now == last
    return found
