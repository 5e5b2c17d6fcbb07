# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of rollouts to fleets: who is in them, what is done to whom, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils import _places
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout import fleets as members
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout import outcome, rollback, rollout, words
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import Fleet, RolloutError

Told = Mapping[str, Any]


def rollout_fleets(
    services: Sequence[Told],
    platform: str,
    groups: Mapping[str, Sequence[str]],
    fleets: Sequence[Told] = (),
    hosts: Sequence[Told] = (),
    only: Sequence[str] | str = (),
    empty: bool = False,
) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        found = members.declared(services, platform, groups, fleets, hosts, only, empty)
    except RolloutError as error:
        raise AnsibleFilterError(f"The fleets cannot be worked on: {error}") from error
    return [fleet.told() for fleet in found]


def rollout_plan(
    value: Sequence[Told],
    auto_scaling: Sequence[Told],
    targets: Told,
    surveys: Mapping[str, Told],
    destinations: Sequence[Told] = (),
    stored: Sequence[Told] = (),
    later: bool = False,
) -> dict[str, Any]:
    """See the documentation beside this file."""
    account = rollout.Account.of(auto_scaling, targets)
    return rollout.forward([Fleet.of(told) for told in value], account, surveys, destinations, stored, later)


def rollout_destinations(
    value: Sequence[Told], surveys: Mapping[str, Told], release: str, former: Told
) -> list[dict[str, Any]]:
    """See the documentation beside this file."""
    return rollback.destinations([Fleet.of(told) for told in value], surveys, release, former)


def rollout_back(
    value: Sequence[Told], auto_scaling: Sequence[Told], targets: Told, outcomes: Mapping[str, Any], stay: bool = False
) -> dict[str, Any]:
    """See the documentation beside this file."""
    account = rollout.Account.of(auto_scaling, targets)
    return rollout.backward([Fleet.of(told) for told in value], account, outcomes, stay)


class FilterModule:
    """Rollouts to fleets."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "fleet_hosts": members.fleet_hosts,
            "standalone_hosts": members.standalone_hosts,
            "services_here": _places.here,
            "fleet_targets": rollout.targets,
            "rollout_fleets": rollout_fleets,
            "rollout_destinations": rollout_destinations,
            "rollout_plan": rollout_plan,
            "rollout_back": rollout_back,
            "rollout_batch": rollout.batch_of,
            "rollout_services": rollback.services_of,
            "rollout_hosts": rollout.hosts_of_the_round,
            "rollout_retreat": rollout.retreat,
            "rollout_failed": outcome.failing,
            "rollout_stopped": outcome.stopped,
            "rollout_ready": outcome.ready,
            "rollout_outcomes": outcome.noted,
            "rollout_lines": words.outcome_lines,
            "rollout_failure": words.failure,
            "rollout_lacking": words.lacking,
        }
