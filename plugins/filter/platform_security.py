# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters from the list of services to the security groups of a platform, and what is wrong with a set of groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security import declaration, findings, groups
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security.declaration import (
    Declaration,
    PlatformSecurityError,
)

Services = Sequence[Mapping[str, Any]]


def _read(services: Services, platform: str, **options: Any) -> Declaration:
    unknown = set(options) - {"topology", "operators", "load_balancer", "fleets", "hosts"}
    if unknown:
        raise AnsibleFilterError(f"unknown option {', '.join(sorted(unknown))}")
    try:
        return declaration.read(services, platform, **options)
    except PlatformSecurityError as error:
        raise AnsibleFilterError(f"The security groups cannot be derived: {error}") from error


def platform_security_groups(services: Services, platform: str, **options: Any) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    return groups.groups(_read(services, platform, **options))


def platform_security_protect(
    services: Services, platform: str, own: str | Sequence[str] = (), **options: Any
) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    ranges = [own] if isinstance(own, str) and own else list(own)
    return groups.protect(_read(services, platform, **options), ranges)


def platform_health_checks(services: Services, platform: str, **options: Any) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    return groups.health_checks(_read(services, platform, **options))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "platform_security_groups": platform_security_groups,
            "platform_security_protect": platform_security_protect,
            "platform_health_checks": platform_health_checks,
            "security_findings": findings.findings,
            "tagged_security_groups": groups.tagged,
        }
