# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that take a service off its host. What says that it is ours goes last."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.gatehouse.platform.plugins.module_utils import _commands, _files
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import (
    host,
    releases,
    systemd,
    units,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.effects import Step
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    CANDIDATE,
    COLORS,
    TASK,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.slots import Work


def halt(work: Work, _step: Step) -> None:
    name = work.service.name
    for path in host.links(name):
        _files.remove_file(path)
    # A migration of a killed run counts as well: userdel refuses a user with processes.
    slots = (*COLORS, CANDIDATE, TASK)
    systemd.stop(f"{name}.socket", *(f"{name}-{slot}.{kind}" for slot in slots for kind in ("socket", "service")))


def remove_account(work: Work, _step: Step) -> None:
    _commands.run(["userdel", work.service.name])


def remove_data(work: Work, _step: Step) -> None:
    path = host.data_path(work.service.name)
    if os.path.isdir(path) and not os.path.islink(path):
        for entry in sorted(os.listdir(path), key=lambda entry: entry == host.DATA_MARK):
            releases.remove(f"{path}/{entry}")
    releases.remove(path)
    if not work.plan.state.owned:
        forget_lock(work.service.name)


def forget_lock(name: str) -> None:
    """Remove the lock that was taken for a service which is not on this host any more."""
    _files.remove_file(f"{units.base(name)}/deploy.lock")
    with contextlib.suppress(OSError):
        os.rmdir(units.base(name))


def keep_data(work: Work, _step: Step) -> None:
    path = host.data_path(work.service.name)
    _files.write_file(f"{path}/{host.DATA_MARK}", f"Data of the service {work.service.name}, which was removed.\n")
    for directory, names, files in os.walk(path):
        for entry in (*names, *files):
            os.chown(f"{directory}/{entry}", 0, 0, follow_symlinks=False)
    os.chown(path, 0, 0)
    os.chmod(path, 0o700)


def remove(work: Work, _step: Step) -> None:
    name = work.service.name
    for path in (f"{units.UNITS}/{name}.service", *host.links(name)):
        _files.remove_file(path)
    for kind in ("socket", "service"):
        for slot in COLORS:
            _files.remove_file(f"{units.UNITS}/{name}-{slot}.{kind}")
    _files.remove_file(f"{units.UNITS}/{name}.socket")
    for slot in (CANDIDATE, TASK):
        for path in host.slot_paths(name, slot):
            releases.remove(path)
    systemd.reload()
    systemd.forget_failure(f"{name}.socket", *(f"{name}-{color}.service" for color in COLORS))
    releases.remove(units.base(name))
    settings = f"{units.SETTINGS}/{name}"
    for entry in sorted(os.listdir(settings), key=lambda entry: entry == "service.json"):
        releases.remove(f"{settings}/{entry}")
    os.rmdir(settings)
