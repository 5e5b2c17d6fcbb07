# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HAProxy with its workers: started in a network namespace, asked, reloaded without losing a request, stopped.

All that is asked goes through the master's socket: @1 is the worker that accepts, @!PID one that only finishes.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from lab.machine import LabError, run
from lab.region.daemon import Daemon

MASTER, PID, CONFIGURATION = "master", "pid", "haproxy.cfg"
# Of a reload, in seconds.
PATIENCE = 10.0


class Process(Daemon):
    """HAProxy in ``folder``, where its files and sockets are; its master, strictly."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / PID, folder / MASTER)
        self.folder = folder

    def ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.folder / MASTER))
            connection.sendall(f"{command}\n".encode())
            connection.shutdown(socket.SHUT_WR)
            return "".join(iter(lambda: connection.recv(65536).decode(), ""))

    def version(self, patience: float = 0.0) -> str | None:
        """What the configuration that is in use says as its description; None when nothing answers in time."""
        deadline = time.monotonic() + patience
        while True:
            with contextlib.suppress(OSError):
                lines = self.ask("@1 show info").splitlines()
                if told := [line for line in lines if line.startswith("description: ")]:
                    return told[0].partition(": ")[2]
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.02)

    def finishing(self) -> list[int]:
        """The workers that only finish what they have."""
        listed = self.ask("show proc").partition("# old workers")[2].partition("# programs")[0]
        return [int(line.split()[0]) for line in listed.splitlines() if line[:1].isdigit()]

    def disable(self, server: str) -> None:
        """Send nothing new to a server ("backend/server"). Workers that only finish cannot be told."""
        self.ask(f"@1 disable server {server}")

    def cut(self, server: str) -> None:
        """End what a server is still answering, in every worker; those that only finish know sessions alone."""
        self.ask(f"@1 shutdown sessions server {server}")
        backend, _, name = server.partition("/")
        for pid in self.finishing():
            for session in self.ask(f"@!{pid} show sess").splitlines():
                if f" be={backend} srv={name} " in session:
                    self.ask(f"@!{pid} shutdown session {session.partition(':')[0]}")

    def start(self, namespace: Path) -> None:
        """namespace: a file of the kernel's, as /run/netns/NAME."""
        program = ["haproxy", "-W", "-D", "-C", str(self.folder), "-f", CONFIGURATION]
        sockets = ["-S", str(self.folder / MASTER), "-p", str(self.folder / PID)]
        run("nsenter", f"--net={namespace}", *program, *sockets)

    def reload(self, version: str) -> None:
        """Return when a new worker accepts, with the version that is on disk."""
        with contextlib.suppress(OSError):
            self.ask("reload")
        deadline = time.monotonic() + PATIENCE
        while self.version() != version:
            if time.monotonic() > deadline:
                raise LabError(f"HAProxy in {self.folder} goes on with its old configuration")
            time.sleep(0.02)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Put the files of a configuration in place, after HAProxy itself has found nothing wrong with them."""
    trial = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(trial, ignore_errors=True)
    try:
        _write(trial, {"servers": "1\n", **files})
        run("haproxy", "-c", "-C", str(trial), "-f", CONFIGURATION)
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    _write(folder, files)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        new.write_text(content, encoding="utf-8", newline="")
        new.rename(path)
