# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the sources of services on the controller and sends to the host what it does not have yet."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._inventory import inventory_directory
from ansible_collections.gatehouse.platform.plugins.module_utils._secret_references import is_reference
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import source
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.findings import findings
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.secrets import PACKAGE
from ansible_collections.gatehouse.platform.plugins.plugin_utils.installing import InstallingAction
from ansible_collections.gatehouse.platform.plugins.plugin_utils.operator import operator

# Archives up to this size in all travel with the module itself: that saves two round trips.
INLINE = 512 * 1024
CONFIDENTIAL = ("environment", "secrets")
# What the module gets by way of ``prepared``, which no log shows: a source's URL may hold a password.
ON_THE_CONTROLLER = (*CONFIDENTIAL, "source", "release_source")


class ActionModule(InstallingAction):
    """One execution of the module, or two with an upload between when an archive is large."""

    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the list, read the sources, call the module; every finding at once, before the host is touched."""
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        services = self._task.args.get("services")
        wrong = findings(services, place="services")
        if wrong:
            return result | {"failed": True, "msg": "\n".join(wrong)}
        # Variables come as they are written: a state directory may be told with others.
        cache = self._templar.template(task_vars.get("platform_state_dir") or "~/.cache/gatehouse")
        inventory = inventory_directory(task_vars.get("ansible_inventory_sources") or [])
        sources, wrong = _read_sources(services, inventory, os.path.expanduser(str(cache)))
        if wrong:
            return result | {"failed": True, "msg": "\n".join(wrong)}
        prepared = {service["name"]: _prepared(service, sources.get(service["name"])) for service in services}
        archives = {name: read.archive() for name, read in sources.items() if read.tree}
        if sum(map(len, archives.values())) <= INLINE:
            for name, content in archives.items():
                prepared[name]["archive"] = base64.b64encode(content).decode()
        answer = self._call(prepared, task_vars)
        if answer.get("needs"):
            first = answer.get("plan", [])
            answer = self._send(prepared, archives, task_vars)
            answer["plan"] = [*first, *answer.get("plan", [])]
        return result | answer

    def _call(self, prepared: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        services = [
            {key: value for key, value in service.items() if key not in ON_THE_CONTROLLER}
            for service in self._task.args["services"]
        ]
        arguments = {
            "operator": operator(),
            **self._task.args,
            "services": services,
            "packages": [*(self._task.args.get("packages") or []), *_packages(self._task.args["services"])],
            "prepared": json.dumps(prepared, sort_keys=True),
        }
        return self.call("gatehouse.platform.web_services", arguments, task_vars)

    def _send(
        self, prepared: dict[str, Any], archives: Mapping[str, bytes], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        """Put archives into Ansible's directory for temporary files on the host, and ask again."""
        directory = self._make_tmp_path()
        try:
            for name, content in archives.items():
                with tempfile.NamedTemporaryFile(prefix="gatehouse-") as local:
                    local.write(content)
                    local.flush()
                    prepared[name]["path"] = self._transfer_file(
                        local.name, self._connection._shell.join_path(directory, f"{name}.tar.gz")
                    )
            self._fixup_perms2((directory, *(prepared[name]["path"] for name in archives)))
            return self._call(prepared, task_vars)
        finally:
            self._remove_tmp_path(directory, force=True)


def _packages(services: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the host needs besides: secrets that a service only refers to are read there."""
    referring = any(is_reference(value) for service in services for value in (service.get("secrets") or {}).values())
    return [PACKAGE] if referring else []


def _read_sources(
    services: Sequence[Mapping[str, Any]], inventory: str, cache: str
) -> tuple[dict[str, source.Source], list[str]]:
    found: dict[str, source.Source] = {}
    wrong = []
    for index, service in enumerate(services):
        key = "release_source" if service.get("release") else "source"
        if service.get("state") == "absent" or not service.get(key):
            continue
        try:
            found[service["name"]] = source.read(service[key], inventory, cache)
        except WebServiceError as error:
            wrong.append(f"services[{index}].{key} ({service['name']}): {error}")
    return found, wrong


def _prepared(service: Mapping[str, Any], read: source.Source | None) -> dict[str, Any]:
    prepared: dict[str, Any] = {key: service.get(key) or {} for key in CONFIDENTIAL}
    if read is not None:
        prepared |= {"source": read.sentence, "fingerprint": read.fingerprint, "requirements": read.requirements}
        prepared |= {"empty": not read.tree, "fetched": bool(service.get("release"))}
    return prepared
