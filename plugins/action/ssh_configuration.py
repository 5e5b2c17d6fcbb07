# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the ssh_config and known_hosts of an inventory on the controller."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.gatehouse.platform.plugins.module_utils._ssh_configuration import model, run

VARIABLES = (
    "ansible_connection",
    "ansible_host",
    "ansible_port",
    "ansible_private_key_file",
    "ansible_ssh_host",
    "ansible_ssh_port",
    "ansible_ssh_private_key_file",
    "ansible_ssh_user",
    "ansible_user",
    "platform_host_keys",
)


class ActionModule(ActionBase):
    """Runs in process: no connection is needed, none is made."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Hosts and their variables come from the inventory, everything else from the task."""
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _spec, arguments = self.validate_argument_spec(
            argument_spec={
                "state_directory": {"type": "path", "required": True},
                "topology": {"type": "str", "default": "bastion"},
                "jump_user": {"type": "str", "default": ""},
                "leave_out": {"type": "list", "elements": "str", "default": []},
            }
        )
        groups = task_vars.get("groups", {})
        names = [name for name in groups.get("all", []) if name not in arguments["leave_out"]]
        try:
            configuration = model.from_inventory(
                {name: _variables(task_vars["hostvars"][name]) for name in names},
                groups.get("bastion", []),
                arguments["topology"],
                arguments["jump_user"] or "",
            )
            return result | run.write(configuration, arguments["state_directory"])
        except (model.ConfigurationError, OSError) as error:
            return result | {"failed": True, "msg": str(error)}


def _variables(host_variables: Any) -> dict[str, Any]:
    return {name: host_variables[name] for name in VARIABLES if name in host_variables}
