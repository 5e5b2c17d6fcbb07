# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout as plain data: laid out, and laid out again backwards when a host has failed; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._rollout import rollback, survey, words
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import (
    ABSENT,
    DRAINING,
    IN_SERVICE,
    PENDING,
    Fleet,
    FleetPlan,
    Host,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.outcome import (
    BROKEN,
    DONE,
    FAILED,
    LACKING,
    LATER,
    LEFT,
    UNCHANGED,
    WAITING,
    Outcome,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.plan import plan, takes_part

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Account:
    """What Auto Scaling and the load balancer tell: groups by name, target groups by ARN."""

    groups: Mapping[str, Told]
    targets: Mapping[str, Told]

    @classmethod
    def of(cls, groups: Sequence[Told], targets: Mapping[str, Told]) -> Account:
        """From M(amazon.aws.autoscaling_group_info) and M(gatehouse.platform.target_registration_info)."""
        return cls(
            {str(group["auto_scaling_group_name"]): group for group in groups},
            {str(group["arn"]): group for group in targets.values()},
        )

    def arns(self, fleet: Fleet) -> list[str]:
        return list((self.groups.get(fleet.group) or {}).get("target_group_arns") or ())

    def stands(self, fleet: Fleet, host: Host) -> Host:
        """The host with its state in both."""
        found = survey.life_cycles(self.groups.get(fleet.group) or {})
        groups = [self.targets[arn] for arn in self.arns(fleet) if arn in self.targets]
        return replace(host, life_cycle=found.get(host.name, ""), standing=survey.standing(host.name, groups))

    def serving(self, fleet: Fleet) -> int:
        found = survey.life_cycles(self.groups.get(fleet.group) or {})
        return sum(1 for state in found.values() if state == IN_SERVICE)


def forward(
    fleets: Sequence[Fleet],
    account: Account,
    surveys: Mapping[str, Told],
    destinations: Sequence[Told] = (),
    stored: Sequence[Told] = (),
    later: bool = False,
) -> dict[str, Any]:
    """The rollout to what is declared, or back to ``destinations``.

    ``stored`` has, in their order, what M(gatehouse.platform.published_release) told.
    """
    plans = []
    back = {str(one["fleet"]): (one, there) for one, there in zip(destinations, stored, strict=True)}
    for fleet in fleets:
        asked = rollback.asked(fleet, surveys)
        if fleet.name in back:
            hosts = rollback.hosts(asked, *back[fleet.name], later)
        else:
            hosts = [survey.by_declaration(name, told) for name, told in asked.items()]
        stands = [account.stands(fleet, host) for host in hosts]
        found = plan(fleet, stands, account.serving(fleet), bool(account.arns(fleet)), later)
        plans.append((found, stands))
    told = _told([found for found, _hosts in plans], account)
    codes = {str(one["fleet"]): one["code"] for one in destinations}
    return {**told, "back": False, "outcomes": _expected(plans, later), "codes": codes}


def backward(
    fleets: Sequence[Fleet], account: Account, outcomes: Mapping[str, Outcome], stay: bool = False
) -> dict[str, Any]:
    """The way back of the fleets of which a host has failed.

    With ``stay`` no release is changed any more: only what is out of the load balancer comes in again.
    """
    plans = []
    for fleet in fleets:
        mine = {name: one for name, one in outcomes.items() if one["fleet"] == fleet.name}
        if any(one["state"] == FAILED for one in mine.values()):
            hosts = [account.stands(fleet, _former(name, one, stay)) for name, one in mine.items() if _touched(one)]
            # Waiting for what did not become healthy before would change nothing.
            hosts = [host for host in hosts if host.changes or host.standing in (ABSENT, DRAINING)]
            plans.append(plan(fleet, hosts, account.serving(fleet), bool(account.arns(fleet)), later=True))
    return {**_told(plans, account), "back": True}


def targets(fleets: Sequence[Told], groups: Sequence[Told], hosts: Sequence[str]) -> list[dict[str, Any]]:
    """By fleet, its target groups and those of the hosts that have to be in them because they are in service."""
    account = Account.of(groups, {})
    found = []
    for fleet in map(Fleet.of, fleets):
        states = survey.life_cycles(account.groups.get(fleet.group) or {})
        serve = [{"id": host} for host in fleet.members if host in hosts and states.get(host) == IN_SERVICE]
        if serve and account.arns(fleet):
            told = {"target_groups": account.arns(fleet), "targets": serve, "timeout": fleet.timeout}
            found.append({"name": fleet.name, **told})
    return found


def hosts_of_the_round(fleets: Sequence[Told], former: Told, outcomes: Mapping[str, Outcome]) -> list[str]:
    """Hosts that no round has seen, and those that came too late for the ``former`` one; none where that failed."""
    if former.get("findings") or any(one["state"] in BROKEN for one in outcomes.values()):
        return []
    seen = {host for host, one in outcomes.items() if one["state"] != LATER}
    return [host for fleet in fleets for host in fleet["members"] if host not in seen]


def retreat(outcomes: Mapping[str, Outcome]) -> list[str]:
    """All hosts of the fleets of which one has failed."""
    fleets = {one["fleet"] for one in outcomes.values() if one["state"] == FAILED}
    return [host for host, one in outcomes.items() if one["fleet"] in fleets and one["state"] in (DONE, FAILED)]


def _touched(outcome: Outcome) -> bool:
    """Whether a host was worked on, and had something before."""
    live = (outcome.get("before") or {}).values()
    return outcome["state"] in (DONE, FAILED) and any(one.get("release") for one in live)


def _former(name: str, outcome: Outcome, stay: bool) -> Host:
    now, before = outcome.get("now") or {}, outcome.get("before") or {}
    releases = {
        service: str(live["release"])
        for service, live in before.items()
        if live.get("release") and (now.get(service) or {}).get("release") not in (None, live["release"])
    }
    releases = {} if stay else releases
    return Host(name, changes=bool(releases), before=before, releases=releases)


def _told(plans: Sequence[FleetPlan], account: Account) -> dict[str, Any]:
    batches = [batch for one in plans for batch in one.batches]
    findings = [finding for one in plans for finding in one.findings]
    if findings:
        batches = []
    return {
        "hosts": [host for batch in batches for host in batch],
        "serial": [len(batch) for batch in batches],
        "steps": {host: step.told() for one in plans for host, step in one.steps.items()},
        "fleets": {
            one.fleet.name: {
                "target_groups": account.arns(one.fleet),
                "minimum_healthy": str(one.fleet.minimum) if one.serving > 1 else "0",
                "timeout": one.fleet.timeout,
            }
            for one in plans
        },
        "findings": findings,
        "lines": [line for one in plans for line in words.plan_lines(one)],
    }


def _expected(plans: Sequence[tuple[FleetPlan, list[Host]]], later: bool) -> dict[str, Outcome]:
    """Outcomes before anything is done."""
    found: dict[str, Outcome] = {}
    for one, hosts in plans:
        for host in hosts:
            why = one.left.get(host.name, "")
            lacking, pending = host.lacks and takes_part(host, later), host.life_cycle.startswith(PENDING)
            left = LACKING if lacking else LATER if pending else LEFT
            state = left if why else UNCHANGED if host.stays else WAITING
            before = {service: dict(live) for service, live in host.before.items()}
            found[host.name] = {"fleet": one.fleet.name, "state": state, "message": why, "before": before}
    return found


def batch_of(rollout: Told, batch: Sequence[str]) -> dict[str, Any]:
    """What the tasks of a batch need to know of it."""
    steps = {host: rollout["steps"][host] for host in batch}
    fleet = next(iter(steps.values()))["fleet"]
    return {
        "fleet": fleet,
        **rollout["fleets"][fleet],
        "drain": [{"id": host} for host, step in steps.items() if step["drain"]],
    }
