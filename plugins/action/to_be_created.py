# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says in check mode what cannot be asked for yet, because what it stands on is missing."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Runs in process."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Changed, with a line for each resource; an error outside of check mode."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _spec, arguments = self.validate_argument_spec(
            argument_spec={"resources": {"type": "list", "elements": "str", "required": True}}
        )
        resources = arguments["resources"]
        if resources and not self._task.check_mode:
            listed = "; ".join(resources)
            return {**result, "failed": True, "msg": f"These should exist by now, and were not found: {listed}"}
        after = "".join(f"{resource}\n" for resource in resources)
        diff = {"before_header": "present", "after_header": "to be created", "before": "", "after": after}
        return {**result, "changed": bool(resources), "resources": resources, "diff": diff}
