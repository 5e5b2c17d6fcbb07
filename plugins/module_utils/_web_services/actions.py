# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the steps of a plan on this host. Each step may be done twice; none relies on a step before it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace

from ansible_collections.gatehouse.platform.plugins.module_utils import _commands, _files
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import (
    host,
    releases,
    removal,
    slots,
    systemd,
    units,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.choice import draining
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.effects import Step, left_by_rollback
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    CANDIDATE,
    COLORS,
    FAILED,
    ROLLED_BACK,
    TASK,
    VERIFIED,
    Release,
    WebServiceError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.slots import Work

# Seconds. A color that stops goes on answering on connections that Apache keeps, for two seconds in
# gunicorn; after that only requests that began before are left. Whoever asks after a run hears the new release.
HANDOVER = 5.0


def perform(work: Work, step: Step) -> None:
    """Carry out one step. Raises WebServiceError; what served before then still serves."""
    try:
        ACTIONS[step.action](work, step)
    except (_commands.CommandError, OSError) as error:
        raise WebServiceError(f"{step.sentence}: {error}") from error


def _clean(work: Work, step: Step) -> None:
    name = work.service.name
    for slot in (CANDIDATE, TASK):
        if set(step.names) & set(host.slot_paths(name, slot)):
            slots.drop_slot(name, slot)
    for path in step.names:
        releases.remove(path)
    if work.service.absent and not work.plan.state.owned:
        removal.forget_lock(name)


def _claim(work: Work, _step: Step) -> None:
    os.makedirs(units.SETTINGS, mode=0o700, exist_ok=True)
    slots.write_files(work, units.static_files(work.service), only=f"{units.SETTINGS}/{work.service.name}/")


def _account(work: Work, _step: Step) -> None:
    name = work.service.name
    comment = host.account_comment(name)
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", f"/var/lib/{name}"]
    _commands.run(["useradd", *options, "--shell", "/usr/sbin/nologin", "--comment", comment, name])


def _files_step(work: Work, _step: Step) -> None:
    slots.write_files(work, units.static_files(work.service))
    systemd.reload()


def _reload(_work: Work, _step: Step) -> None:
    systemd.reload()


def _unpack(work: Work, _step: Step) -> None:
    target = work.target
    _directories(work.service.name)
    if work.archive is None:
        raise WebServiceError(
            f"release {target.release} is not here and was not sent: another run removed it; run again"
        )
    known = work.plan.state.releases.get(target.release)
    migrated = known.migrated if known else ""
    value = Release(target.fingerprint, target.requirements, "prepared", migrated, work.service.source)
    releases.unpack(work.service.name, target.release, value, work.archive)


def _environment(work: Work, _step: Step) -> None:
    _directories(work.service.name)
    releases.build_environment(work.service, work.target.environment, work.target.requirements)


def _migrate(work: Work, _step: Step) -> None:
    _mark(work, migrated="started")
    slots.run_task(work, "its migration failed", work.service.migrate)
    _mark(work, migrated="done")


def _before_switch(work: Work, _step: Step) -> None:
    slots.run_task(work, "its hook before the switch failed", work.service.before_switch)


def _after_switch(work: Work, _step: Step) -> None:
    slots.run_task(work, "its hook after the switch failed (the new release is live)", work.service.after_switch)
    _files.remove_file(_hook_due(work))


def _try(work: Work, _step: Step) -> None:
    name, target = work.service.name, work.target
    slots.write_slot(work, CANDIDATE)
    try:
        slots.start_healthy(work, CANDIDATE, f"release {target.release} is not healthy and was not put live")
    finally:
        slots.drop_slot(name, CANDIDATE)


def _prepare(work: Work, _step: Step) -> None:
    name, color = work.service.name, work.target.color
    slots.stop(name, color)
    slots.write_slot(work, color)
    if work.service.after_switch:
        _files.write_file(_hook_due(work), "", 0o600)


def _listen(work: Work, _step: Step) -> None:
    name, live = work.service.name, work.plan.state.live
    if work.plan.state.listening:
        systemd.stop(f"{name}.socket", *(f"{name}-{color}.service" for color in COLORS))
    if live is None:
        # A socket starts only when its service is known. What this link says counts from the switch on.
        _files.point_link(f"{units.UNITS}/{name}.service", f"{name}-{work.target.color}.service")
        systemd.reload()
    try:
        systemd.start(f"{name}.socket")
    except _commands.CommandError as error:
        raise WebServiceError(f"{error}\n{systemd.journal(f'{name}.socket', lines=5)}") from error
    if live and work.plan.state.colors[live].active:
        systemd.start(f"{name}-{live}.service")


def _start(work: Work, _step: Step) -> None:
    name, color, live = work.service.name, work.target.color, work.plan.state.live
    systemd.forget_failure(f"{name}-{color}.service")
    try:
        slots.start_healthy(work, color, f"release {work.target.release} is not healthy as {color}")
    except WebServiceError:
        if live != color:
            slots.stop(name, color)
        if live is None:
            systemd.stop(f"{name}.socket")
            _files.remove_file(f"{units.UNITS}/{name}.service")
            systemd.reload()
        raise


def _switch(work: Work, _step: Step) -> None:
    name, target = work.service.name, work.target
    for left, value in left_by_rollback(work.plan.state, target).items():
        releases.write_release(name, left, value)
    _files.point_link(f"{units.UNITS}/{name}.service", f"{name}-{target.color}.service")
    _files.point_link(f"{units.base(name)}/current", f"releases/{target.release}")
    for path, there in host.links(name).items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _files.point_link(path, there)
    systemd.reload()
    _mark(work, state=VERIFIED)


def _retire(work: Work, step: Step) -> None:
    name, color = work.service.name, step.names[0]
    systemd.stop_within(HANDOVER, f"{name}-{color}.socket", f"{name}-{color}.service")


def _prune_releases(work: Work, step: Step) -> None:
    _let_end(work, step)
    for release in step.names:
        path = f"{units.base(work.service.name)}/releases/{release}"
        _files.remove_file(f"{path}/{releases.MARKER}")
        releases.remove(path)


def _prune_environments(work: Work, step: Step) -> None:
    _let_end(work, step)
    for digest in step.names:
        path = f"{units.base(work.service.name)}/environments/{digest}"
        _files.remove_file(f"{path}/{releases.COMPLETE}")
        releases.remove(path)


def _let_end(work: Work, step: Step) -> None:
    for color in draining(work.plan.state, work.target, step.names):
        slots.stop(work.service.name, color)


def _directories(name: str) -> None:
    for path in (units.base(name), f"{units.base(name)}/releases", f"{units.base(name)}/environments"):
        os.makedirs(path, mode=0o755, exist_ok=True)
    shutil.chown(units.base(name), "root", name)
    os.chmod(units.base(name), 0o750)


def _mark(work: Work, **changes: str) -> None:
    name, release = work.service.name, work.target.release
    found = releases.releases(name).get(release)
    if found is not None and replace(found, **changes) != found:
        releases.write_release(name, release, replace(found, **changes))


def mark_failed(work: Work) -> None:
    """Note that a release failed, unless it has been a good one before (then its settings are to blame)."""
    if work.plan.target is None:
        return
    found = releases.releases(work.service.name).get(work.target.release)
    if found is not None and found.state not in (VERIFIED, ROLLED_BACK):
        with contextlib.suppress(OSError):
            _mark(work, state=FAILED)


def _hook_due(work: Work) -> str:
    return f"{units.SETTINGS}/{work.service.name}/{work.target.color}/{host.HOOK_DUE}"


ACTIONS: dict[str, Callable[[Work, Step], None]] = {
    "clean": _clean,
    "claim": _claim,
    "account": _account,
    "files": _files_step,
    "reload": _reload,
    "unpack": _unpack,
    "environment": _environment,
    "migrate": _migrate,
    "try": _try,
    "before_switch": _before_switch,
    "prepare": _prepare,
    "listen": _listen,
    "start": _start,
    "switch": _switch,
    "retire": _retire,
    "after_switch": _after_switch,
    "prune_releases": _prune_releases,
    "prune_environments": _prune_environments,
    "halt": removal.halt,
    "remove_account": removal.remove_account,
    "remove_data": removal.remove_data,
    "keep_data": removal.keep_data,
    "remove": removal.remove,
}
