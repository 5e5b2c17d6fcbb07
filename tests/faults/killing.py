# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL at a chosen moment: of a run with all that it started here, or of what it does on a host."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lab.machine import inside
from tests.harness import Platform

STARTED = re.compile(r"^(?:TASK|PLAY|RUNNING HANDLER) \[(?:.* : )?(.*)\] \*")


@dataclass(frozen=True)
class Moment:
    """``delay`` seconds after a task began (for a host: after it began to work there).

    The task is the first one of this name, or the first one after one that is called ``after``. With ``process`` the
    delay counts from when a process of this name works on the host, with ``package`` from when it is installed.
    """

    task: str
    delay: float
    victim: str  # "controller" or "host"
    host: str = "web1"
    after: str = ""
    process: str = ""
    package: str = ""


@dataclass
class Watched:
    """A run whose output is read as it comes."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    ended: bool = False

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def started(self) -> list[str]:
        """Names of the plays and tasks so far."""
        return [found[1] for line in self.lines if (found := STARTED.match(line))]

    def reaches(self, moment: Moment) -> bool:
        """Wait for the task to begin; False when the run ends without it."""
        with self.changed:
            self.changed.wait_for(lambda: self.ended or self._began(moment))
            return self._began(moment)

    def goes_on(self, moment: Moment) -> bool:
        """Whether the task that was reached is still the last one that began."""
        with self.changed:
            headings = self.started()
            return not self.ended and headings[-1] == moment.task

    def stays_for(self, moment: Moment) -> bool:
        """Wait for the delay; False when the task ends earlier."""
        with self.changed:
            headings = len(self.started())
            over = self.changed.wait_for(lambda: self.ended or len(self.started()) > headings, moment.delay)
            return not over

    def _began(self, moment: Moment) -> bool:
        names = self.started()
        first = names.index(moment.after) if moment.after in names else 0
        return (not moment.after or moment.after in names) and moment.task in names[first:]


def run_and_kill(platform: Platform, playbook: str, moment: Moment, *arguments: str) -> tuple[bool, str]:
    """Whether the moment came before the task had ended, and the output; without it the run goes to its end."""
    watched = Watched(platform.start(playbook, "-v", *arguments))
    threading.Thread(target=watched.read, daemon=True).start()
    hit = False
    try:
        if watched.reaches(moment):
            hit = _strike(platform, watched, moment)
        watched.process.wait(timeout=300)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(watched.process.pid, signal.SIGKILL)
    with watched.changed:
        watched.changed.wait_for(lambda: watched.ended, 10)
    return hit, "".join(watched.lines)


def _strike(platform: Platform, watched: Watched, moment: Moment) -> bool:
    on_host = moment.victim == "host" or moment.process or moment.package
    root = host_process(platform, moment.host) if on_host else 0
    while not _works(root, moment):
        if not watched.goes_on(moment):
            return False
        time.sleep(0.02)
    if not watched.stays_for(moment):
        return False
    if moment.victim == "host":
        return kill_module(root)
    kill_with_all_below(watched.process.pid)
    return True


def kill_with_all_below(top: int) -> None:
    """End a run: Ansible's workers are sessions of their own, so that the process group does not have them."""
    parents = {process: parent for process, (_name, parent) in _processes("/proc/self/ns/pid").items()}
    _end([top, *_below(top, parents)])


def _works(root: int, moment: Moment) -> bool:
    """Whether the delay begins now."""
    if moment.package:
        query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", moment.package]
        installing = "apt-get" in module_processes(root).values()
        return not installing and inside(root, *query, check=False).strip() == "installed"
    if moment.process:
        return moment.process in module_processes(root).values()
    return moment.victim == "controller" or bool(module_processes(root))


def host_process(platform: Platform, host: str) -> int:
    """Number of a host's first process on this machine."""
    container = platform.hosts["hosts"][host]["container"]
    shown = subprocess.run(
        ["podman", "inspect", "--format", "{{.State.Pid}}", container], check=True, capture_output=True, text=True
    )
    return int(shown.stdout)


def kill_module(root: int) -> bool:
    """End everything that a session runs as root on a host, parents first, so that nobody can react."""
    found = module_processes(root)
    _end(found)
    return bool(found)


def _end(processes: Iterable[int]) -> None:
    """Stop all of them before the first one ends."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)


def module_processes(root: int) -> dict[int, str]:
    """sudo below an SSH session of a host, and all that descends from it, parents first, with their names."""
    found = _processes(f"/proc/{root}/ns/pid")
    parents = {process: parent for process, (_name, parent) in found.items()}
    tops = [process for process, (name, _parent) in found.items() if name == "sudo"]
    return {process: found[process][0] for top in tops for process in (top, *_below(top, parents))}


def _processes(namespace: str) -> dict[int, tuple[str, int]]:
    """Name and parent of every process in a namespace of process numbers, by its number on this machine."""
    space = os.readlink(namespace)
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if os.readlink(entry / "ns/pid") == space:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                name, _parenthesis, rest = stat.rpartition(")")
                found[int(entry.name)] = (name.partition("(")[2], int(rest.split()[1]))
    return found


def _below(top: int, parents: dict[int, int]) -> list[int]:
    children = [process for process, parent in parents.items() if parent == top]
    return [process for child in children for process in (child, *_below(child, parents))]
