# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``platform_records``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._names import PublicNameError
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.derive import records

Told = Mapping[str, Any]


def platform_records(
    services: Sequence[Told],
    domain: str,
    hosts: Sequence[Told] = (),
    fleets: Sequence[Told] = (),
    load_balancer: Told | None = None,
    instances: Mapping[str, Told] | None = None,
) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return records(services, domain, hosts, fleets, load_balancer, instances)
    except PublicNameError as error:
        raise AnsibleFilterError(f"The public names cannot be derived: {error}") from error


class FilterModule:
    """Where public names lead."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {"platform_records": platform_records}
