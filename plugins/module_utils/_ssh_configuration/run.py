# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the configuration below the state directory; the only file here that touches the file system."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text, write_file
from ansible_collections.gatehouse.platform.plugins.module_utils._ssh_configuration import render
from ansible_collections.gatehouse.platform.plugins.module_utils._ssh_configuration.model import (
    Configuration,
    ConfigurationError,
)

# A socket's path ends below 104 bytes on every system, with 49 for its name and 17 that ssh appends while it makes it.
CONTROL_DIRECTORY_LIMIT = 104 - 1 - 49 - 17 - 1
RUNTIME_DIRECTORIES = "/run/user"
_SOCKET = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{40}$")


def write(configuration: Configuration, state_directory: str) -> dict[str, Any]:
    """Bring the files to what the inventory says; the result is that of the action."""
    state = os.path.abspath(os.path.expanduser(state_directory))
    if set(state) & set('"\n'):
        raise ConfigurationError([f"platform_state_dir '{state}' must not contain quotes or line breaks"])
    control = control_directory(os.path.expanduser("~"), os.getuid())
    paths = render.Paths(f"{state}/ssh_config", f"{state}/known_hosts", f"{state}/ssh_jump", control)
    changed = _private_directory(os.path.realpath(state))
    _private_directory(control)
    remove_dead_sockets(control)
    contents = {
        paths.known_hosts: render.known_hosts(configuration),
        paths.jump_script: render.JUMP_SCRIPT,
        paths.ssh_config: render.ssh_config(configuration, paths),
    }
    diff = [_write(path, content) for path, content in contents.items()]
    diff = [entry for entry in diff if entry]
    return {
        "changed": changed or bool(diff),
        "diff": diff,
        "path": paths.ssh_config,
        "hosts": [host.name for host in configuration.hosts],
        "jump_host": configuration.jump.host.name if configuration.jump else None,
    }


def control_directory(home: str, uid: int) -> str:
    """Where sockets of shared connections live: beside Ansible's own, or where paths are short when that is too long.

    The user's runtime directory is nobody else's; below /tmp, another user could take the name first.
    """
    directory = os.path.join(home, ".ansible/gatehouse")
    if len(os.fsencode(directory)) <= CONTROL_DIRECTORY_LIMIT:
        return directory
    runtime = f"{RUNTIME_DIRECTORIES}/{uid}"
    return f"{runtime}/gatehouse" if os.path.isdir(runtime) else f"/tmp/gatehouse-{uid}"


def _private_directory(path: str) -> bool:
    """Make sure of a directory that only we write to; False where it was there. One that was there stays as it is."""
    with contextlib.suppress(FileExistsError):
        os.makedirs(path, mode=0o700)
        return True
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise ConfigurationError([f"{path} has to be a directory of the user who runs Ansible"])
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigurationError(
            [f"others may write to {path}, where they could change how hosts are reached: 'chmod go-w {path}'"]
        )
    return False


def remove_dead_sockets(directory: str) -> None:
    """Sockets that killed connections have left behind; ssh names a socket so only once it answers."""
    for entry in os.scandir(directory):
        if _SOCKET.match(entry.name):
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                try:
                    client.connect(entry.path)
                except ConnectionRefusedError:
                    os.unlink(entry.path)


def _write(path: str, content: str) -> dict[str, str] | None:
    before = read_text(path)
    if before == content and stat.S_IMODE(os.stat(path).st_mode) == 0o600:
        return None
    write_file(path, content, mode=0o600, uid=os.getuid(), gid=os.getgid())
    return {
        "before": before or "",
        "after": content,
        "before_header": path,
        "after_header": path,
    }
