# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter of the playbook that tears a platform down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._teardown.plan import teardown_plan


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"teardown_plan": _teardown_plan}


def _teardown_plan(survey: Mapping[str, Any], platform: str, delete_data: bool = False) -> dict[str, Any]:
    """See the documentation beside this file."""
    return teardown_plan(survey, platform, delete_data)
