# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the role network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._network import plan
from ansible_collections.gatehouse.platform.plugins.module_utils._network.layout import LayoutError


def subnet_layout(
    cidr: str,
    zones: Sequence[str],
    tiers: Sequence[str],
    prefix: int = 0,
    given: Iterable[Mapping[str, str]] = (),
) -> list[dict[str, str]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return plan.layout_rows(cidr, zones, tiers, prefix, given)
    except LayoutError as error:
        raise AnsibleFilterError(f"The subnets cannot be made: {error}") from error


def network_plan(declared: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """See the documentation beside this file."""
    return plan.network_plan(declared, found)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"subnet_layout": subnet_layout, "network_plan": network_plan}
