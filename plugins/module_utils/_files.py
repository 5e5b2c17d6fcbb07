# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and links that are replaced in one step, so that a killed run leaves the old one or the new one."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile

# How the names of temporary files and links begin, and how much of the name that they are for follows.
TEMPORARY = ".gatehouse-"
LONGEST = 200


def read_text(path: str) -> str | None:
    """Content of a text file with its line ends as they are, or None where there is no such file."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_file(path: str, content: str, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
    """Put a file in place atomically, with its mode and owner set before anybody can open it.

    ``uid`` and ``gid`` are applied when the caller is root; others keep their own.
    """
    directory, name = os.path.split(path)
    descriptor, temporary = tempfile.mkstemp(prefix=f"{TEMPORARY}{name[:LONGEST]}.", dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if os.geteuid() == 0:
                os.fchown(file.fileno(), uid, gid)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def point_link(path: str, target: str) -> None:
    """Create a symbolic link, or turn an existing one to another target, atomically."""
    directory, name = os.path.split(path)
    temporary = os.path.join(directory, f"{TEMPORARY}{name[:LONGEST]}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    os.symlink(target, temporary)
    os.replace(temporary, path)


def leftovers(path: str) -> list[str]:
    """Temporary files and links that interrupted replacements of this file or link left beside it."""
    directory, name = os.path.split(path)
    return sorted(glob.glob(f"{glob.escape(os.path.join(directory, TEMPORARY + name[:LONGEST]))}.*"))


def remove_file(path: str) -> bool:
    """Remove a file or link; False where there was none."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
