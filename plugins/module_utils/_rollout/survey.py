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


def by_release(surveys: Mapping[str, Told], service: str, code: str, stored: Told) -> list[Host]:
    """From M(gatehouse.platform.web_services_info), for a rollback of one service to the same code on all hosts.

    A host that was launched later does not have it, and gets it as the release store has it (``stored``, as
    M(gatehouse.platform.published_release) tells it).
    """
    # The order of a host's releases is that of their names: it gets this one under the name that others have.
    good = [each for told in surveys.values() for each in _good(_live(told, service)) if short(each) == code]
    source = {**stored, "release": max(good, default=stored.get("release"))}
    return [_to(name, told, service, code, source) for name, told in surveys.items()]


def refused(hosts: Sequence[Host], stored: Told) -> Sequence[Host]:
    """The hosts; where none can go there, that is a problem of each. A single one keeps nobody else from it."""
    if any(host.problem or not host.lacks for host in hosts):
        return hosts
    live = {short(str(found.get("release"))) for host in hosts for found in host.before.values()}
    others = ", ".join(code for code in stored.get("available") or () if code not in live)
    more = f"; the release store has {others}, of which -e release=CODE takes one" if others else ""
    return [replace(host, problem=host.lacks + more) for host in hosts]


def lacking(surveys: Mapping[str, Told], service: str, code: str) -> bool:
    """Whether a host that answers has another code live, and not this one to go back to."""
    return any(_to(name, told, service, code, {}).lacks for name, told in surveys.items())


def code_of(surveys: Mapping[str, Told], service: str, release: str) -> str:
    """The code to go back to: the named one, or the one before the newest live one, so that a second run after a killed
    one goes on where that was. Empty where there is none.
    """
    if release != PREVIOUS:
        return short(release)
    found = [_live(told, service) for told in surveys.values()]
    live = [one for one in found if one.get("release")]
    newest = short(max((str(one["release"]) for one in live), default=""))
    # A host that was launched with the code that is live has none before it.
    before = [str(one["previous"]) for one in live if short(str(one["release"])) == newest and one.get("previous")]
    return short(max(before, default=""))


def _live(told: Told, service: str) -> Told:
    return (told.get("services") or {}).get(service) or {}


def _to(name: str, told: Told, service: str, code: str, stored: Told) -> Host:
    found = _live(told, service)
    live = {"release": found.get("release"), "color": found.get("color")}
    problem = _problem(told)
    host = Host(name, changes=short(str(live["release"])) != code, before={service: live}, problem=problem)
    lacks = _lacks(service, found, code) if host.changes and not problem else ""
    if lacks and code and stored.get("source"):
        # Ansible's own kind of dictionary is not to be copied.
        source = {str(key): str(value) for key, value in stored["source"].items()}
        return replace(host, releases={service: str(stored["release"])}, sources={service: source})
    unread = f", and it does not come from the release store: {stored['msg']}" if lacks and stored.get("msg") else ""
    return replace(host, releases={service: code}, lacks=lacks + unread)


def _lacks(service: str, found: Told, code: str) -> str:
    if not found.get("release"):
        return f"{service} is not on this host"
    if not code:
        return f"{service} has no earlier good release to go back to"
    good = _good(found)
    return "" if code in map(short, good) else f"{service} has no good release {code}, only {', '.join(good) or 'none'}"


def _good(found: Told) -> list[str]:
    """Releases of a host that have been live."""
    return sorted(name for name, state in (found.get("releases") or {}).items() if state in (VERIFIED, ROLLED_BACK))


def _problem(told: Told) -> str:
    if told.get("unreachable"):
        way = "leave it out with --limit 'all:!NAME,localhost' or let it be replaced"
        return f"cannot be reached, {way}: {told.get('msg')}"
    return "" if "services" in told else str(told.get("msg") or told.get("exception") or "was not asked")
