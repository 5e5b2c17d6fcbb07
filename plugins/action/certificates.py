# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs what the module ``certificates`` needs."""

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.plugin_utils.installing import InstallingAction


class ActionModule(InstallingAction):
    """The module, after its packages."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the module."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result | self.call("gatehouse.platform.certificates", self._task.args, task_vars or {})
