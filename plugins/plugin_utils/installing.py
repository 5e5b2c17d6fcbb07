# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions of modules whose work needs packages: what is missing is installed, and the module called again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# What dpkg asks for when an installation was interrupted, in the words of apt and of Ansible's module.
INTERRUPTED = "dpkg --configure"
REPAIR = "dpkg --configure --pending --force-confdef --force-confold"


class InstallingAction(ActionBase):
    """Base of the actions; :meth:`call` is what they do."""

    _supports_check_mode = True

    def call(self, module: str, arguments: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The module's result, after its packages were installed when it named missing ones.

        Check mode installs nothing and says what it would install, first in ``plan``.
        """
        answer = self._module(module, arguments, task_vars)
        missing = answer.get("missing_packages")
        if not missing or answer.get("failed"):
            return answer
        if not self._task.check_mode:
            self._install(missing, task_vars)
            answer = self._module(module, arguments, task_vars)
        plan = [f"installs {', '.join(missing)}", *answer.get("plan", [])]
        return {**answer, "plan": plan, "changed": True}

    def _install(self, packages: Sequence[str], task_vars: dict[str, Any]) -> None:
        arguments = {"name": packages, "install_recommends": False, "update_cache": True, "cache_valid_time": 86400}
        answer = self._module("ansible.builtin.apt", arguments, task_vars)
        if INTERRUPTED in str(answer.get("msg", "")):
            self._module("ansible.builtin.command", {"_raw_params": REPAIR}, task_vars)
            answer = self._module("ansible.builtin.apt", arguments, task_vars)
        if answer.get("failed"):
            raise AnsibleActionFail(f"The packages {', '.join(packages)} cannot be installed: {answer.get('msg')}")

    def _module(self, name: str, arguments: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name=name, module_args=dict(arguments), task_vars=task_vars
        )
        return answer
