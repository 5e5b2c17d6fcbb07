# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says who locks, and in which run, unless the task does."""

from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock.run import identity
from ansible_collections.gatehouse.platform.plugins.plugin_utils.operator import operator


class ActionModule(ActionBase):
    """The module, with an owner and a run."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fill in owner and run, and call the module."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        # Tasks run in children of the process that lasts as long as the run.
        process = os.getppid()
        answer: dict[str, Any] = self._execute_module(
            module_name="gatehouse.platform.fleet_lock",
            module_args={"owner": operator(), "run": identity(process), **self._task.args},
            task_vars=task_vars or {},
        )
        return result | answer
