# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin functions over the host's accounts, nftables and systemd."""

from __future__ import annotations

import contextlib
import glob
import grp
import os
import pwd
import re
import signal
import time

from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import (
    DROP_IN,
    KEYS,
    RULES,
    TABLE,
    UNIT,
    UNIT_NAME,
    Connection,
    Group,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._commands import run
from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text, remove_file, write_file

_QUERIES = {"KexAlgorithms": "kex", "Ciphers": "cipher", "MACs": "mac", "HostKeyAlgorithms": "HostKeyAlgorithms"}


def groups() -> dict[str, Group]:
    """All groups of the host."""
    return {entry.gr_name: Group(entry.gr_gid, frozenset(entry.gr_mem)) for entry in grp.getgrall()}


def users() -> dict[str, int]:
    """All users of the host, with the gid of their primary group."""
    return {entry.pw_name: entry.pw_gid for entry in pwd.getpwall()}


def files() -> dict[str, str]:
    """Managed files that are there."""
    found = {path: read_text(path) for path in (DROP_IN, RULES, UNIT, *glob.glob(f"{KEYS}/*"))}
    return {path: content for path, content in found.items() if content is not None}


def host_keys() -> tuple[str, ...]:
    """Private host keys of modern kinds."""
    paths = ("/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key")
    return tuple(path for path in paths if os.path.exists(path) and os.path.exists(f"{path}.pub"))


def public_keys(paths: tuple[str, ...]) -> set[str]:
    """The public halves, without comments."""
    return {" ".join((read_text(f"{path}.pub") or "").split()[:2]) for path in paths}


def algorithms() -> dict[str, tuple[str, ...]]:
    """What this version of OpenSSH knows, for each kind."""
    return {kind: tuple(run(["ssh", "-Q", query]).stdout.split()) for kind, query in _QUERIES.items()}


def rules_loaded(group: Group | None) -> str:
    """Digest of the rules in the kernel, empty without rules; "?" when they are not for the group or not whole."""
    if not os.path.exists("/usr/sbin/nft"):
        return ""
    listing = run(["nft", "--numeric", "list", "table", "inet", TABLE], check=False)
    if listing.returncode != 0:
        return ""
    found = re.search(r'skgid (\d+) .*reject .*comment "([0-9a-f]{16})"', listing.stdout)
    return found.group(2) if found and group and int(found.group(1)) == group.gid else "?"


def unit_enabled() -> bool:
    """Whether the rules are loaded at boot."""
    return os.path.islink(f"/etc/systemd/system/multi-user.target.wants/{UNIT_NAME}")


def reload_due() -> bool:
    """Whether sshd runs with an older configuration than the one on disk.

    systemd notes when a unit changed its state last, and a reload is such a change.
    """
    shown = run(["systemctl", "show", "ssh", "-p", "ActiveState", "-p", "StateChangeTimestampMonotonic"]).stdout
    state = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    if state.get("ActiveState") != "active":
        return False
    since = time.time() - time.monotonic() + int(state["StateChangeTimestampMonotonic"]) / 1e6
    paths = ["/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d", *glob.glob("/etc/ssh/sshd_config.d/*.conf")]
    return max(os.stat(path).st_ctime for path in paths if os.path.exists(path)) > since


def connection() -> Connection | None:
    """The SSH connection that this process comes over, from the environment of the nearest ancestor that tells it."""
    process = os.getpid()
    while process > 1:
        try:
            with open(f"/proc/{process}/environ", "rb") as file:
                pairs = file.read().decode(errors="replace").split("\0")
            with open(f"/proc/{process}/stat", encoding="utf-8") as file:
                process = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            return None
        environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        user, ends = environment.get("LOGNAME", ""), environment.get("SSH_CONNECTION", "").split()
        if len(ends) == 4 and user:
            return Connection(user, group_names(user), ends[0], ends[2], ends[3])
    return None


def group_names(user: str) -> frozenset[str]:
    """All groups of a user."""
    gids = os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    known = {entry.gr_gid: entry.gr_name for entry in grp.getgrall()}
    return frozenset(known[gid] for gid in gids if gid in known)


def create_group(name: str) -> None:
    """Add a system group."""
    run(["groupadd", "--system", name])


def remove_group(name: str) -> None:
    """Remove a group."""
    run(["groupdel", name])


def create_user(name: str, group: str) -> None:
    """Add a jump user: no password, no shell, no home."""
    home = ["--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
    run(["useradd", "--system", "--gid", group, "--comment", "jump user", *home, name])


def remove_user(name: str) -> None:
    """Remove a user whose processes are connections: they end with the user."""
    uid = pwd.getpwnam(name).pw_uid
    run(["usermod", "--expiredate", "1", name])
    for process in (int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{process}").st_uid == uid:
                os.kill(process, signal.SIGKILL)
    run(["userdel", "--force", name])


def add_member(name: str, group: str) -> None:
    """Add a user to a group."""
    run(["gpasswd", "--add", name, group])


def remove_member(name: str, group: str) -> None:
    """Take a user out of a group."""
    run(["gpasswd", "--delete", name, group])


def write(path: str, content: str) -> None:
    """Write a file that root owns; its directory is made when there is none."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    write_file(path, content)


def remove(path: str) -> None:
    """Remove a file, and the directory of keys with the last one."""
    remove_file(path)
    if path.startswith(KEYS):
        with contextlib.suppress(OSError):
            os.rmdir(KEYS)


def load_rules() -> None:
    """Replace the table in the kernel in one transaction; other tables are not touched."""
    run(["nft", "-f", RULES])


def delete_table(name: str) -> None:
    """Remove the table from the kernel."""
    run(["nft", "delete", "table", "inet", name])


def enable_unit(name: str) -> None:
    """Start a unit now and at boot."""
    run(["systemctl", "daemon-reload"])
    run(["systemctl", "enable", "--now", name])


def disable_unit(name: str) -> None:
    """Stop a unit and start it at boot no more."""
    run(["systemctl", "disable", "--now", name])
