# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the hosts of a fleet stand, out of what Auto Scaling, the load balancer and the hosts tell; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import (
    ABSENT,
    DRAINING,
    HEALTHY,
    Host,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import ROLLED_BACK, VERIFIED, short

Told = Mapping[str, Any]
# From the worst on.
STANDINGS = (ABSENT, DRAINING, "unhealthy", HEALTHY)
PREVIOUS = "previous"


def life_cycles(group: Told) -> dict[str, str]:
    """State in the Auto Scaling group by instance, from M(amazon.aws.autoscaling_group_info)."""
    return {str(one["instance_id"]): str(one["lifecycle_state"]) for one in group.get("instances") or ()}


def standing(name: str, target_groups: Sequence[Told]) -> str:
    """The worst state of a host in the target groups, as M(gatehouse.platform.target_registration_info) tells them."""
    found = [_state(name, group) for group in target_groups]
    return min(found, key=STANDINGS.index, default="")


def _state(name: str, group: Told) -> str:
    states = [str(target["state"]) for target in group["targets"] if target["id"] == name]
    return next((state if state in STANDINGS else "unhealthy" for state in states), ABSENT)


def by_declaration(name: str, told: Told) -> Host:
    """From a run of M(gatehouse.platform.web_services) in check mode."""
    problem = _problem(told)
    services = told.get("services") or {}
    before = {service: found["before"] for service, found in services.items()}
    return Host(name, changes=bool(told.get("changed")), before=before, problem=problem)


def by_releases(surveys: Mapping[str, Told], service: str, release: str) -> list[Host]:
    """From M(gatehouse.platform.web_services_info), for a rollback of one service.

    All hosts go to the same code: the named one, or the one before the newest live one, so that a second run after a
    killed one goes on where that was. A host that was launched later does not have it, and keeps nobody else from it.
    """
    found = {name: (told.get("services") or {}).get(service) or {} for name, told in surveys.items()}
    code = code_of(list(found.values()), release)
    hosts = [_to(name, told, service, found[name], code) for name, told in surveys.items()]
    if any(host.problem or not host.lacks for host in hosts):
        return hosts
    return [replace(host, problem=host.lacks) for host in hosts]


def code_of(found: Sequence[Told], release: str) -> str:
    """The code to go back to; empty where there is none."""
    if release != PREVIOUS:
        return short(release)
    live = [one for one in found if one.get("release")]
    newest = short(max((str(one["release"]) for one in live), default=""))
    # A host that was launched with the code that is live has none before it.
    before = [str(one["previous"]) for one in live if short(str(one["release"])) == newest and one.get("previous")]
    return short(max(before, default=""))


def _to(name: str, told: Told, service: str, found: Told, code: str) -> Host:
    live = {"release": found.get("release"), "color": found.get("color")}
    changes = short(str(live["release"])) != code
    problem = _problem(told)
    lacks = _lacks(service, found, code) if changes and not problem else ""
    return Host(name, changes=changes, before={service: live}, releases={service: code}, problem=problem, lacks=lacks)


def _lacks(service: str, found: Told, code: str) -> str:
    if not found.get("release"):
        return f"{service} is not on this host"
    if not code:
        return f"{service} has no earlier good release to go back to"
    states = found.get("releases") or {}
    good = sorted(name for name, state in states.items() if state in (VERIFIED, ROLLED_BACK))
    return "" if code in map(short, good) else f"{service} has no good release {code}, only {', '.join(good) or 'none'}"


def _problem(told: Told) -> str:
    if told.get("unreachable"):
        way = "leave it out with --limit 'all:!NAME,localhost' or let it be replaced"
        return f"cannot be reached, {way}: {told.get('msg')}"
    return "" if "services" in told else str(told.get("msg") or told.get("exception") or "was not asked")
