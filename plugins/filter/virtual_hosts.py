# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of services as virtual hosts of Apache, and what is wrong with virtual hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts import findings, services
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError


def virtual_hosts(
    value: Sequence[Mapping[str, Any]], domain: str, certificate_name: str | None = None
) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return services.virtual_hosts(value, domain, certificate_name)
    except VirtualHostsError as error:
        raise AnsibleFilterError(f"The virtual hosts cannot be made: {error}") from error


def virtual_host_findings(value: Sequence[Mapping[str, Any]]) -> list[str]:
    """See the documentation beside this file."""
    return findings.findings(value)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"virtual_hosts": virtual_hosts, "virtual_host_findings": virtual_host_findings}
