# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the probe as a process of its own, and end it: only ever the one that holds the lock of the state directory."""

from __future__ import annotations

import contextlib
import fcntl
import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text, remove_file, write_file
from ansible_collections.gatehouse.platform.plugins.module_utils._load_probe import __main__ as program
from ansible_collections.gatehouse.platform.plugins.module_utils._load_probe import probe, tally, wire

PARTS: dict[str, ModuleType] = {"__main__": program, "probe": probe, "tally": tally, "wire": wire}
PACKAGE = "_load_probe"


class ProbeError(Exception):
    """The probe did not do what it should."""


@dataclass(frozen=True)
class Place:
    """Where the probe keeps its program, its lock and its report."""

    directory: str

    @property
    def lock(self) -> str:
        """Locked while the probe runs, with its process id."""
        return os.path.join(self.directory, "probe.pid")

    @property
    def report(self) -> str:
        """The report, once it has ended."""
        return os.path.join(self.directory, "report.json")

    @property
    def log(self) -> str:
        """What it said on standard error."""
        return os.path.join(self.directory, "probe.log")


def _install(place: Place) -> None:
    """Put the program where it outlives the module."""
    package = os.path.join(place.directory, PACKAGE)
    os.makedirs(package, mode=0o700, exist_ok=True)
    write_file(os.path.join(package, "__init__.py"), "")
    for name, part in PARTS.items():
        write_file(os.path.join(package, f"{name}.py"), inspect.getsource(part))


def _is_locked(place: Place) -> bool:
    try:
        descriptor = os.open(place.lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _state(place: Place) -> dict[str, Any]:
    """Process id and readiness of the probe that holds the lock; empty while it is being written."""
    with contextlib.suppress(ValueError):
        state = json.loads(read_text(place.lock) or "{}")
        return state if isinstance(state, dict) else {}
    return {}


def _report(place: Place) -> dict[str, Any]:
    text = read_text(place.report)
    if text is None:
        raise ProbeError(f"the probe left no report: {(read_text(place.log) or '').strip()[-500:] or 'it was killed'}")
    report: dict[str, Any] = json.loads(text)
    return report


def _until(seconds: float) -> Iterator[None]:
    """Come back every twentieth of a second until the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.05)


def start(place: Place, arguments: Sequence[str], timeout: float) -> dict[str, Any]:
    """Start probing; ``reason`` says why it does not when nothing answers. One that is left over is ended first."""
    if _is_locked(place):
        stop(place, timeout)
    _install(place)
    for path in (place.report, place.lock):
        remove_file(path)
    files = ["--pid-file", place.lock, "--report", place.report]
    with open(place.log, "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", PACKAGE, "--require-first", *files, *arguments],
            cwd=place.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    for __ in _until(timeout + 10):
        if process.poll() == program.NOT_SERVED:
            return {"running": False, "reason": _report(place)["not_started"]}
        if process.poll() is not None:
            return {"running": False, "reason": (read_text(place.log) or "").strip() or "it ended at once"}
        if _state(place).get("ready"):
            return {"running": True, "reason": ""}
    process.kill()
    raise ProbeError("the probe does not get to its first request")


def stop(place: Place, timeout: float) -> dict[str, Any]:
    """End the probe, if it runs, and return its report."""
    if not _is_locked(place) and read_text(place.report) is None:
        return {"running": False, "reason": "no probe was running"}
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = _state(place).get("pid")
        if _is_locked(place) and pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        # What is under way may take its time-out.
        for __ in _until(timeout + 5):
            if not _is_locked(place):
                report = _report(place)
                sentence = tally.sentence(report) if "sent" in report else f"not probed, {report['not_started']}"
                return {"running": False, "reason": "", "report": report, "sentence": sentence}
    raise ProbeError("the probe cannot be ended")
