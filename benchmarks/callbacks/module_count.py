# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts module executions per host and writes them to $MODULE_COUNT_FILE."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: module_count
type: aggregate
short_description: Count module executions per host
description: Counts the results of tasks that execute a module on a host.
author: gatehouse.platform maintainers
requirements: []
"""

# Done on the controller, without a connection to the host.
ON_THE_CONTROLLER = {
    "add_host",
    "assert",
    "debug",
    "fail",
    "gatehouse.platform.ssh_configuration",
    "group_by",
    "import_role",
    "include_role",
    "include_tasks",
    "meta",
    "set_fact",
    "validate_argument_spec",
}


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """See the documentation above."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "module_count"

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Count a result."""
        self._count(result)

    def _count(self, result: Any) -> None:
        task = result._task
        if task.action.removeprefix("ansible.builtin.") in ON_THE_CONTROLLER or task.delegate_to == "localhost":
            return
        self.counts[result._host.get_name()] += 1

    def v2_playbook_on_stats(self, *_stats: Any) -> None:
        """Write what was counted."""
        with open(os.environ["MODULE_COUNT_FILE"], "w", encoding="utf-8") as file:
            json.dump(self.counts, file)
