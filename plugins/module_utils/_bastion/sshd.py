# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sshd: a configuration is staged, tested and put in place; never one that sshd refuses."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator

from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import BastionError, Connection
from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError, run
from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text, remove_file, write_file

MAIN = "/etc/ssh/sshd_config"
PARTS = "/etc/ssh/sshd_config.d"
STAGE = "/run/gatehouse-sshd"


@contextlib.contextmanager
def staged(path: str, content: str) -> Iterator[str]:
    """A copy of the whole configuration in which one part is another one, or is not there when it has no content."""
    main = read_text(MAIN) or ""
    if not re.search(rf"^\s*Include\s+{PARTS}/\*\.conf", main, re.MULTILINE | re.IGNORECASE):
        raise BastionError(f"{MAIN} does not include {PARTS}/*.conf: put 'Include {PARTS}/*.conf' on its first line")
    shutil.rmtree(STAGE, ignore_errors=True)  # that of a killed run
    os.mkdir(STAGE, mode=0o700)
    try:
        for part in {*glob.glob(f"{PARTS}/*.conf"), path}:
            text = content if part == path else read_text(part) or ""
            if text:
                write_file(f"{STAGE}/{os.path.basename(part)}", text, mode=0o600)
        write_file(f"{STAGE}/sshd_config", main.replace(f"{PARTS}/", f"{STAGE}/"), mode=0o600)
        yield f"{STAGE}/sshd_config"
    finally:
        shutil.rmtree(STAGE, ignore_errors=True)


def test(path: str) -> None:
    """Raise BastionError when sshd does not accept a configuration."""
    try:
        run(["/usr/sbin/sshd", "-t", "-f", path])
    except CommandError as error:
        output = error.output.strip().replace(f"{os.path.dirname(path)}/", "")
        raise BastionError(f"sshd does not accept its configuration, nothing was changed: {output}") from error


def effective(path: str, connection: Connection) -> dict[str, list[str]]:
    """What a configuration means for a connection."""
    criteria = {
        "user": connection.user,
        "host": connection.address,
        "addr": connection.address,
        "laddr": connection.local_address,
        "lport": connection.local_port,
    }
    given = [word for key, value in criteria.items() for word in ("-C", f"{key}={value}")]
    settings: dict[str, list[str]] = {}
    for line in run(["/usr/sbin/sshd", "-T", "-f", path, *given]).stdout.splitlines():
        keyword, _blank, value = line.partition(" ")
        settings.setdefault(keyword.lower(), []).append(value)
    return settings


def switch_sshd(path: str, content: str) -> None:
    """Put a part of the configuration in place and load it; put the old one back when sshd does not answer then."""
    before = read_text(path)
    _put(path, content)
    try:
        reload_sshd()
    except (BastionError, CommandError):
        _put(path, before or "")
        run(["systemctl", "restart", "ssh"], check=False)
        raise


def reload_sshd() -> None:
    """Load the configuration, keeping every connection, and prove that sshd answers new ones."""
    test(MAIN)
    if run(["systemctl", "is-active", "ssh"], check=False).stdout.strip() != "active":
        return
    run(["systemctl", "reload", "ssh"])
    port = next(iter(_ports()), 22)
    deadline = time.monotonic() + 10
    while not _answers(port):
        if time.monotonic() > deadline:
            raise BastionError(f"sshd does not answer on port {port} since its reload; see 'journalctl -u ssh'")
        time.sleep(0.1)


def _put(path: str, content: str) -> None:
    if content:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_file(path, content)
    else:
        remove_file(path)


def _ports() -> Iterator[int]:
    for line in run(["/usr/sbin/sshd", "-T"]).stdout.splitlines():
        if line.startswith("port "):
            yield int(line.split()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("localhost", port), timeout=5) as client:
            return client.recv(4) == b"SSH-"
    except OSError:
        return False
