# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument spec of the module web_services."""

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    DEFAULTS,
    HEALTH_DEFAULTS,
    KINDS,
)

WORDS = {"type": "list", "elements": "str"}

SOURCE: dict[str, Any] = {
    key: {"type": "str"} for key in ("directory", "git", "revision", "archive", "package", "version")
}

RELEASE_SOURCE: dict[str, Any] = {key: SOURCE[key] for key in ("archive", "package", "version")}

HEALTH: dict[str, Any] = {
    "path": {"type": "str", "default": HEALTH_DEFAULTS["path"]},
    "status": {"type": "int", "default": HEALTH_DEFAULTS["status"]},
    "timeout": {"type": "int", "default": HEALTH_DEFAULTS["timeout"]},
}

SERVICE: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": DEFAULTS["state"]},
    "remove_data": {"type": "bool", "default": DEFAULTS["remove_data"]},
    "port": {"type": "int"},
    "source": {"type": "dict", "options": SOURCE},
    "release": {"type": "str"},
    "release_source": {"type": "dict", "options": RELEASE_SOURCE},
    "kind": {"type": "str", "choices": list(KINDS), "default": DEFAULTS["kind"]},
    "application": {"type": "str", "default": DEFAULTS["application"]},
    "command": WORDS,
    "workers": {"type": "int", "default": DEFAULTS["workers"]},
    "threads": {"type": "int", "default": DEFAULTS["threads"]},
    "gunicorn": {"type": "str"},
    "health": {"type": "dict", "options": HEALTH},
    "server_name": {"type": "str", "default": DEFAULTS["server_name"]},
    "environment": {"type": "dict"},
    # The action plugin moves the secrets into `prepared`, so that short ones do not blank out parts of results.
    "secrets": {"type": "dict", "no_log": False},
    "migrate": WORDS,
    "hooks": {"type": "dict", "options": {"before_switch": WORDS, "after_switch": WORDS}},
    "memory_max": {"type": "str", "default": DEFAULTS["memory_max"]},
    "tasks_max": {"type": "int", "default": DEFAULTS["tasks_max"]},
    "keep_releases": {"type": "int", "default": DEFAULTS["keep_releases"]},
    "network": WORDS,
    "instance_role": {"type": "bool", "default": False},
}

SPEC: dict[str, Any] = {
    "services": {"type": "list", "elements": "dict", "required": True, "options": SERVICE},
    "platform": {"type": "str", "default": "platform"},
    "gunicorn": {"type": "str", "default": DEFAULTS["gunicorn"]},
    "reason": {"type": "str", "default": ""},
    "operator": {"type": "str", "default": "unknown"},
    "prepared": {"type": "str", "no_log": True},
}
