# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree of Apache's configuration on disk: read, changed file by file, copied for a trial."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator

from ansible_collections.gatehouse.platform.plugins.module_utils._files import point_link, remove_file, write_file
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import (
    Entry,
    File,
    Link,
    Surroundings,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.plan import DIRECTORIES, Change

WORKSPACE = "gatehouse-apache-"


def read(root: str) -> dict[str, Entry]:
    """Files and links of the directories that a plan may change; directories that are missing are empty."""
    tree: dict[str, Entry] = {}
    for directory in DIRECTORIES:
        with contextlib.suppress(FileNotFoundError), os.scandir(os.path.join(root, directory)) as entries:
            for entry in entries:
                path = f"{directory}/{entry.name}"
                if entry.is_symlink():
                    tree[path] = Link(os.readlink(entry.path))
                elif entry.is_file():
                    tree[path] = File(_text(entry.path))
    return tree


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def surroundings(root: str, paths: Iterable[str]) -> Surroundings:
    """Which modules are installed, and which of these paths exist."""
    existing = frozenset(path for path in paths if os.path.exists(path))
    directory = os.path.join(root, "mods-available")
    if not os.path.isdir(directory):
        return Surroundings(None, existing)
    modules = {name: _text(os.path.join(directory, name)) for name in os.listdir(directory)}
    return Surroundings(modules, existing)


def apply(root: str, changes: Iterable[Change]) -> None:
    """Make the changes one after the other, each in one step."""
    for change in changes:
        path = os.path.join(root, change.path)
        if change.after is None:
            remove_file(path)
        elif isinstance(change.after, Link):
            point_link(path, change.after.target)
        elif isinstance(change.after, File):
            write_file(path, change.after.content)


def inverse(changes: Iterable[Change]) -> list[Change]:
    """What takes the changes back, last one first."""
    return [Change(change.path, change.after, change.before) for change in reversed(list(changes))]


def sweep() -> None:
    """Remove the private directories that killed runs have left: the kernel drops a lock with its process."""
    for path in glob.glob(os.path.join(tempfile.gettempdir(), f"{WORKSPACE}*")):
        with contextlib.suppress(OSError), _locked(path):
            shutil.rmtree(path)


@contextlib.contextmanager
def workspace() -> Iterator[str]:
    """A private directory for as long as the context lasts, locked so that nobody takes it for a killed run's."""
    with tempfile.TemporaryDirectory(prefix=WORKSPACE) as directory, _locked(directory):
        yield directory


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """Hold the lock of a directory of our own. Raises OSError where it is somebody else's or in use."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise PermissionError(path)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def copied(root: str, changes: Iterable[Change]) -> Iterator[str]:
    """A private copy of the tree with the changes made, for as long as the context lasts."""
    with workspace() as directory:
        copy = os.path.join(directory, "apache2")
        shutil.copytree(root, copy, symlinks=True)
        for parent, directories, files in os.walk(copy):
            for path in (os.path.join(parent, name) for name in (*directories, *files)):
                if os.path.islink(path) and os.readlink(path).startswith(root + "/"):
                    point_link(path, copy + os.readlink(path)[len(root) :])
        apply(copy, changes)
        yield copy


def newest_change(root: str, paths: Iterable[str]) -> int:
    """When something below the root, or one of the paths, was changed last: nanoseconds since the epoch.

    Times of inode changes, which no program can set back; of a link, its own and its target's.
    """
    newest = 0
    candidates = [root, *paths]
    for parent, directories, files in os.walk(root):
        candidates += [os.path.join(parent, name) for name in (*directories, *files)]
    for path in candidates:
        with contextlib.suppress(FileNotFoundError):
            newest = max(newest, os.lstat(path).st_ctime_ns)
            newest = max(newest, os.stat(path).st_ctime_ns)
    return newest
