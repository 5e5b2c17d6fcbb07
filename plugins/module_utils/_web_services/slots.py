# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots: the two colors, the candidate and the task. Their files, their start, the questions they answer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.gatehouse.platform.plugins.module_utils import _commands, _files
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import (
    censor,
    describe,
    health,
    host,
    releases,
    systemd,
    units,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.effects import Target
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    TASK,
    Service,
    WebServiceError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.plan import Plan


@dataclass(frozen=True)
class Work:
    """A plan and what it takes to carry it out: the archive of a new release, as bytes or as a path."""

    plan: Plan
    archive: bytes | str | None = None

    @property
    def service(self) -> Service:
        return self.plan.service

    @property
    def target(self) -> Target:
        if self.plan.target is None:
            raise AssertionError("a service that goes away has no target")
        return self.plan.target


class UnhealthyError(WebServiceError):
    """A deployment did not come up: what its health check heard and what its journal says."""

    def __init__(self, what: str, answer: str, journal: str) -> None:
        lines = "\n".join(f"    {line}" for line in journal.splitlines()) or "    (nothing)"
        super().__init__(f"{what}\n  health check: {answer}\n  last journal lines:\n{lines}")


def write_slot(work: Work, slot: str, command: tuple[str, ...] = ()) -> None:
    """Put the files of a slot in place, and no others: what a former deployment had there goes."""
    name, target = work.service.name, work.target
    wanted = units.slot_files(work.service, slot, target.release, target.environment, command)
    releases.remove(f"{units.SETTINGS}/{name}/{slot}")
    os.makedirs(f"{units.SETTINGS}/{name}/{slot}/secrets", mode=0o700)
    os.makedirs(units.TRANSIENT_UNITS, exist_ok=True)
    write_files(work, wanted)
    systemd.reload()


def write_files(work: Work, files: Mapping[str, str], only: str = "") -> None:
    private = f"{units.SETTINGS}/{work.service.name}/"
    for path, text in files.items():
        if path.startswith(only):
            os.makedirs(os.path.dirname(path), mode=0o700 if path.startswith(private) else 0o755, exist_ok=True)
            _files.write_file(path, text, 0o600 if path.startswith(private) else 0o644)


def drop_slot(name: str, slot: str) -> None:
    stop(name, slot)
    for path in host.slot_paths(name, slot):
        releases.remove(path)
    systemd.forget_failure(f"{name}-{slot}.service")
    systemd.reload()


def stop(name: str, slot: str) -> None:
    # The socket goes first: a question still waiting in it would start the service again.
    systemd.stop(f"{name}-{slot}.socket")
    systemd.stop(f"{name}-{slot}.service")


def start_healthy(work: Work, slot: str, what: str) -> None:
    """Start a slot and wait for its health; a process that ends is noticed at once."""
    service, unit = work.service, f"{work.service.name}-{slot}.service"
    try:
        systemd.start(unit)
    except _commands.CommandError as error:
        said = _journal(work, unit) or str(error)
        raise UnhealthyError(what, "not asked, its process did not start", said) from error
    first = systemd.show([unit])[unit].get("InvocationID", "")

    def alive() -> bool:
        shown = systemd.show([unit])[unit]
        return shown.get("ActiveState") in ("active", "activating") and shown.get("InvocationID") == first

    path = units.check_socket(service.name, slot)
    answer = health.wait(path, service.health, service.server_name, alive, censor.of_service(service))
    if answer.status != service.health.status:
        asked = f"GET {service.health.path}, for at most {service.health.timeout:g} seconds: {answer}"
        raise UnhealthyError(what, asked, _journal(work, unit, first))


def run_task(work: Work, what: str, command: tuple[str, ...]) -> None:
    unit = f"{work.service.name}-{TASK}.service"
    write_slot(work, TASK, command)
    try:
        systemd.start(unit)
    except _commands.CommandError as error:
        invocation = systemd.show([unit])[unit].get("InvocationID", "")
        raise WebServiceError(f"{what}: '{' '.join(command)}' said\n{_journal(work, unit, invocation)}") from error
    finally:
        drop_slot(work.service.name, TASK)


def _journal(work: Work, unit: str, invocation: str = "") -> str:
    text = systemd.journal(unit, invocation, lines=200)
    censored = censor.of_service(work.service)
    return describe.excerpt(censored(text), censored(f"{units.base(work.service.name)}/releases/"))
