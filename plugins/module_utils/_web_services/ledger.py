# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who deploys a service now (the lock) and who deployed what before (the history)."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _files
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import units
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError

# Seconds: environments are built under the lock.
PATIENCE = 300.0


@contextmanager
def lock(name: str, owner: str, now: str, reason: str = "") -> Iterator[str]:
    """Hold a service's lock while it is changed; yields a sentence when a dead run's lock was taken over.

    The kernel lets go of the lock with the process that holds it. The text in the file tells
    others who it is; it stays behind when the process is killed. What the same owner's earlier run
    still does here, although it was ended on the controller, is waited for. A lock that the owner
    took with ``hold`` keeps others away, not the owner, and stays.
    """
    descriptor = _open(name)
    try:
        found = _take(name, descriptor, owner)
        _refuse(found, owner)
        if found.get("held"):
            yield ""
            return
        _write(descriptor, {"owner": owner, "time": now, "reason": reason})
        try:
            yield f"took over the lock of {_whose(found)}, whose run ended early" if found else ""
        finally:
            _write(descriptor, {})
    finally:
        os.close(descriptor)


def hold(name: str, owner: str, now: str, reason: str) -> bool:
    """Lock a service's deploys until somebody releases them; False where the same owner holds them already."""
    descriptor = _open(name)
    try:
        found = _take(name, descriptor, owner)
        _refuse(found, owner)
        if found.get("held"):
            return False
        _write(descriptor, {"owner": owner, "time": now, "reason": reason, "held": True})
        return True
    finally:
        os.close(descriptor)


def free(name: str, owner: str, force: bool = False) -> bool:
    """Release a lock that was taken with ``hold``; somebody else's only with ``force``. False without one."""
    if not _releasable(name, owner, force):
        return False
    descriptor = _open(name)
    try:
        _take(name, descriptor, owner)
        _write(descriptor, {})
    finally:
        os.close(descriptor)
    return True


def clear(name: str) -> str:
    """Empty the file of a run that was killed between its last step and letting go; a sentence when there was one.

    For a run with nothing to do, which takes no lock. Who is at work and who holds the lock keep theirs.
    """
    if not holder(name):
        return ""
    descriptor = _open(name)
    try:
        found = _written(descriptor) if _locked(descriptor) else {}
        if not found or found.get("held"):
            return ""
        _write(descriptor, {})
        return f"cleared the lock of {_whose(found)}, whose run ended early"
    finally:
        os.close(descriptor)


def examine(name: str, owner: str) -> None:
    """Raise what ``lock`` would raise now, and change nothing: for check mode."""
    found = holder(name)
    _refuse(found, owner)
    if found and found.get("owner") != owner and _busy(name):
        raise WebServiceError(f"is being deployed by {_whose(found)}")


@dataclass(frozen=True)
class Wish:
    """Whether services shall be locked, by whom, and why."""

    locked: bool
    owner: str
    reason: str = ""
    force: bool = False


def bring(names: Sequence[str], wish: Wish, check: bool) -> tuple[bool, dict[str, dict[str, Any]]]:
    """Lock or unlock services; whether anything changed (in check mode: would change), and who holds their locks.

    Raises WebServiceError for a service that is not there and for somebody else's lock.
    """
    missing = [name for name in names if not os.path.isdir(units.base(name))]
    if missing:
        raise WebServiceError(f"there is no service {', '.join(missing)} on this host")
    would_change = [_would_change(name, wish) for name in names]
    if check:
        return any(would_change), {name: holder(name) for name in names}
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    changes = [
        hold(name, wish.owner, now, wish.reason) if wish.locked else free(name, wish.owner, wish.force)
        for name in names
    ]
    return any(changes), {name: holder(name) for name in names}


def _would_change(name: str, wish: Wish) -> bool:
    if not wish.locked:
        return _releasable(name, wish.owner, wish.force)
    examine(name, wish.owner)
    return not holder(name).get("held")


def _releasable(name: str, owner: str, force: bool) -> bool:
    found = holder(name)
    if found.get("held") and found.get("owner") != owner and not force:
        raise WebServiceError(f"deploys are locked by {_whose(found)}; it takes 'force' to release another's lock")
    return bool(found.get("held"))


def _refuse(found: Mapping[str, Any], owner: str) -> None:
    if found.get("held") and found.get("owner") != owner:
        raise WebServiceError(f"deploys are locked by {_whose(found)}")


def holder(name: str) -> dict[str, Any]:
    """What the lock file says: owner, time, reason, held; empty when nobody deploys."""
    return _parse(_files.read_text(_path(name)) or "")


def record(name: str, entry: Mapping[str, Any]) -> None:
    """Add one line to a service's history."""
    with open(f"{units.base(name)}/history.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(entry, sort_keys=True) + "\n")


def history(name: str, lines: int = 20) -> list[dict[str, Any]]:
    """The last entries of a service's history, oldest first."""
    text = _files.read_text(f"{units.base(name)}/history.jsonl") or ""
    return [entry for line in text.splitlines()[-lines:] if (entry := _parse(line))]


def _path(name: str) -> str:
    return f"{units.base(name)}/deploy.lock"


def _open(name: str) -> int:
    return os.open(_path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(name: str, descriptor: int, owner: str, patience: float = PATIENCE) -> dict[str, Any]:
    end = time.monotonic() + patience
    while not _locked(descriptor):
        found = holder(name)
        if found.get("owner", owner) != owner or time.monotonic() > end:
            raise WebServiceError(f"is being deployed by {_whose(found)}")
        time.sleep(0.2)
    return _written(descriptor)


def _locked(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _busy(name: str) -> bool:
    """Whether a process holds the lock at this moment."""
    with suppress(FileNotFoundError):
        descriptor = os.open(_path(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            return not _locked(descriptor)
        finally:
            os.close(descriptor)
    return False


def _written(descriptor: int) -> dict[str, Any]:
    return _parse(os.pread(descriptor, 10000, 0).decode("utf-8", "replace"))


def _write(descriptor: int, value: Mapping[str, Any]) -> None:
    os.ftruncate(descriptor, 0)
    if value:
        os.pwrite(descriptor, (json.dumps(value) + "\n").encode(), 0)


def _parse(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        value = json.loads(text)
        return value if isinstance(value, dict) else {}
    return {}


def _whose(found: Mapping[str, Any]) -> str:
    reason = f": {found['reason']}" if found.get("reason") else ""
    return f"{found.get('owner', 'somebody')} since {found.get('time', 'an unknown time')}{reason}"
