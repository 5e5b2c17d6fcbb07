# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts together what the module ``release_publication`` is to publish, out of what only the controller knows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_core
from ansible_collections.gatehouse.platform.plugins.module_utils._inventory import inventory_directory

COLLECTION = Path(__file__).resolve().parents[2]
# The roles that an instance applies to itself, and what it is told otherwise or not at all.
ROLES = ("apache_proxy", "web_service")
TOLD_OTHERWISE = ("apache_proxy_state", "apache_proxy_virtual_hosts", "web_service_reason", "web_service_services")


class ActionModule(ActionBase):
    """The module, on the controller."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fill in sources, settings and versions, and call the module."""
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        prepared: dict[str, Any] = {"services": arguments.pop("services", [])}
        if arguments.get("virtual_hosts") is not None:
            prepared["settings"] = self._settings(arguments, task_vars)
        cache = self._templar.template(task_vars.get("platform_state_dir") or "~/.cache/gatehouse")
        filled = {
            "ansible_core": ansible_core,
            "collection": str(COLLECTION),
            "inventory": inventory_directory(task_vars.get("ansible_inventory_sources") or []),
            "cache": os.path.expanduser(str(cache)),
        }
        answer: dict[str, Any] = self._execute_module(
            module_name="gatehouse.platform.release_publication",
            module_args={**filled, **arguments, "services": [], "prepared": json.dumps(prepared)},
            task_vars=task_vars,
        )
        return result | answer

    def _settings(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Variables of the roles as they are set for this host, and how instances are asked for their health."""
        names = {name for role in ROLES for name in _options(role)} - set(TOLD_OTHERWISE)
        variables = {name: self._templar.template(task_vars[name]) for name in sorted(names) if name in task_vars}
        checks = [
            {"port": group["port"], **{key: group["health_check"].get(key) for key in ("path", "codes")}}
            for group in arguments.pop("target_groups", None) or []
        ]
        return {
            "variables": {**variables, "apache_proxy_virtual_hosts": arguments.pop("virtual_hosts")},
            "checks": checks,
        }


def _options(role: str) -> list[str]:
    text = (COLLECTION / "roles" / role / "defaults" / "main.yml").read_text(encoding="utf-8")
    return list(yaml.safe_load(text))
