# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters from the platform's list of services to what the role web_service works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.derive import (
    absent_services,
    result_lines,
    role_services,
)


def web_services(
    services: Sequence[Mapping[str, Any]],
    domain: str = "",
    only: Sequence[str] | str = (),
    load_balancer: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """The role's list of services."""
    try:
        return role_services(services, domain, only, load_balancer)
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"web_services: {error}") from error


def absent_web_services(names: Sequence[str], remove_data: bool = False) -> list[dict[str, Any]]:
    """The role's list of services to remove."""
    return absent_services(names, remove_data)


def web_service_lines(result: Mapping[str, Any]) -> list[str]:
    """What runs now, as lines."""
    return result_lines(result)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "web_services": web_services,
            "absent_web_services": absent_web_services,
            "web_service_lines": web_service_lines,
        }
