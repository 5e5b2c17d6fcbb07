# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters from the list of services to what machines are permitted, and about what an account has of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_identity import account, findings, policies
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_identity.policies import IdentityError, Place

Entries = Sequence[Mapping[str, Any]]


def platform_profiles(services: Entries, fleets: Entries = (), hosts: Entries = ()) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return policies.profiles(services, fleets or [], hosts or [])
    except IdentityError as error:
        raise AnsibleFilterError(f"The instance profiles cannot be derived: {error}") from error


def _place(place: Mapping[str, Any]) -> Place:
    return Place(**{**place, "keys": tuple(place.get("keys") or ())})


def identity_policies(profiles: Entries, place: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """See the documentation beside this file."""
    found = policies.policies(profiles, _place(place))
    return {f"{place['platform']}-{name}": document for name, document in found.items()}


def identity_findings(
    profiles: Entries, place: Mapping[str, Any], boundary: str = "", managed: Sequence[str] = ()
) -> list[str]:
    """See the documentation beside this file."""
    return findings.findings(profiles, _place(place), boundary, managed)


def identity_survey(platform: str, roles: Entries, profiles: Entries) -> dict[str, Any]:
    """See the documentation beside this file."""
    return account.survey(platform, roles, profiles)


def identity_leftovers(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[dict[str, str]]:
    """See the documentation beside this file."""
    return account.leftovers(wanted, found)


def identity_result(profiles: Entries, platform: str, roles: Entries, made: Entries) -> dict[str, Any]:
    """See the documentation beside this file."""
    return account.result(platform, [str(entry["name"]) for entry in profiles], roles, made)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "platform_profiles": platform_profiles,
            "identity_policies": identity_policies,
            "identity_findings": identity_findings,
            "identity_leftovers": identity_leftovers,
            "identity_result": identity_result,
            "identity_survey": identity_survey,
            "identity_trust": policies.trust,
        }
