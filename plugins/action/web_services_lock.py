# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says who locks, unless the task does."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.gatehouse.platform.plugins.plugin_utils.operator import operator


class ActionModule(ActionBase):
    """The module, with an owner."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fill in the owner and call the module."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        answer: dict[str, Any] = self._execute_module(
            module_name="gatehouse.platform.web_services_lock",
            module_args={"owner": operator(), **self._task.args},
            task_vars=task_vars or {},
        )
        return result | answer
