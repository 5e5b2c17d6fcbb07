# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for what a person wants to see last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._platform_summary.fleet import (
    fleet_findings,
    fleet_states,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_summary.table import platform_summary


class FilterModule:
    """What a person wants to see last."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "fleet_findings": fleet_findings,
            "fleet_states": fleet_states,
            "platform_summary": platform_summary,
        }
