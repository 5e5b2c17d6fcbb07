# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the role network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._network import plan


def network_plan(declared: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """See the documentation beside this file."""
    return plan.network_plan(declared, found)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"network_plan": network_plan}
