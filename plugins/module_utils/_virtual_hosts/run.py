# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring Apache's virtual hosts to the declared state: the one place that sees plan, tree and Apache."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts import apache, tree
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import (
    Entry,
    File,
    Link,
    VirtualHostsError,
    from_params,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.plan import Change, Plan, plan

RELOAD = "loads what an earlier run left unloaded"


def bring_to_state(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Plan, validate, put in place and load; returns the module's result.

    Raises VirtualHostsError; unless its text says otherwise nothing was changed.
    """
    desired = from_params(params)
    if not check_mode:
        tree.sweep()
    required = [path for site in desired.sites for path in site.requires]
    installed = apache.installed()
    current = tree.read(apache.ROOT)
    planned = plan(current, desired, tree.surroundings(apache.ROOT, [*required, *desired.directories]))
    if not installed and not check_mode:
        if not planned.changed or not (desired.sites or desired.configurations):
            return _result(Plan(), [], [])
        raise VirtualHostsError("Apache is not installed on this host: install the package apache2 first")
    duties = _duties(planned, required) if installed else []
    if installed and (planned.changed or duties):
        _execute(planned, duties, check_mode)
    return _result(planned, duties, _diff(planned, duties))


def _duties(planned: Plan, required: list[str]) -> list[str]:
    """What Apache itself needs beside the changes of files, in words."""
    service = apache.service()
    duties = [] if service.enabled else ["starts Apache at boot"]
    if not service.active:
        duties.append("starts Apache")
    elif not planned.changes and tree.newest_change(apache.ROOT, required) > apache.loaded_at():
        duties.append(RELOAD)
    return duties


def _execute(planned: Plan, duties: list[str], check_mode: bool) -> None:
    with tree.copied(apache.ROOT, planned.changes) as copy:
        apache.validate(copy)
    if check_mode:
        return
    for path in planned.new_directories:
        os.makedirs(path, mode=0o755, exist_ok=True)
    if "starts Apache at boot" in duties:
        apache.enable()
    try:
        tree.apply(apache.ROOT, planned.changes)
        if planned.changes or set(duties) - {"starts Apache at boot"}:
            apache.load(planned.needs_restart)
    except (OSError, CommandError, VirtualHostsError) as error:
        raise VirtualHostsError(f"{error}\n{_restore(planned)}") from error


def _restore(planned: Plan) -> str:
    """Take the changes back and load what was there before; says how that went."""
    if not planned.changes:
        return "No file was changed."
    try:
        tree.apply(apache.ROOT, tree.inverse(planned.changes))
        apache.load(planned.needs_restart)
    except (OSError, CommandError, VirtualHostsError) as error:
        return f"The previous files were put back, but Apache did not load them: {error}"
    return "The previous configuration was put back and is being served."


def _result(planned: Plan, duties: list[str], diff: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "changed": planned.changed or bool(duties),
        "plan": planned.sentences() + duties,
        "waiting": [{"site": item.site, "missing": list(item.missing)} for item in planned.waiting],
        "diff": diff,
    }


def _diff(planned: Plan, duties: list[str]) -> list[dict[str, str]]:
    """The plan in words, then every file; links are in the words already."""
    if not planned.changed and not duties:
        return []
    words = "\n".join(planned.sentences() + duties)
    changes = [change for change in planned.changes if isinstance(change.after or change.before, File)]
    return [{"prepared": words}, *(_file_diff(change) for change in changes)]


def _file_diff(change: Change) -> dict[str, str]:
    path = os.path.join(apache.ROOT, change.path)
    return {
        "before_header": path if change.before else f"{path} (absent)",
        "after_header": path if change.after else f"{path} (absent)",
        "before": _shown(change.before),
        "after": _shown(change.after),
    }


def _shown(entry: Entry | None) -> str:
    if isinstance(entry, File):
        return entry.content.encode("utf-8", "replace").decode()
    return f"-> {entry.target}\n" if isinstance(entry, Link) else ""
