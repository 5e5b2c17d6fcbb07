# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``declaration_findings``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._declaration.findings import findings


class FilterModule:
    """What is wrong before anything is asked."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {"declaration_findings": findings}
