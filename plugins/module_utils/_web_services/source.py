# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's source on the controller: what it is, its fingerprint, and the archive that goes to the host."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import io
import os
import posixpath
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import git
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError

IGNORED = (
    ".git",
    ".venv",
    "__pycache__",
    "*.pyc",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    ".tox",
    ".DS_Store",
)

Tree = dict[str, tuple[bool, bytes]]


@dataclass(frozen=True)
class Source:
    """A service's source, read. ``tree`` is relative path → (executable, content); a package has none."""

    sentence: str
    tree: Tree
    requirements: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 over paths, executable bits, contents and requirements, in the order of the paths."""
        digest = hashlib.sha256()
        for path, (executable, content) in sorted(self.tree.items()):
            digest.update(f"{path}\0{int(executable)}\0{len(content)}\0".encode())
            digest.update(content)
        digest.update(b"requirements\0" + self.requirements.encode())
        return digest.hexdigest()

    def archive(self) -> bytes:
        """A tar.gz of the tree; the same tree gives the same bytes."""
        buffer = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=6) as packed,
            tarfile.open(fileobj=packed, mode="w") as tar,
        ):
            for path, (executable, content) in sorted(self.tree.items()):
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(content), 0o755 if executable else 0o644
                tar.addfile(member, io.BytesIO(content))
        return buffer.getvalue()


def read(source: Mapping[str, Any], inventory: str, cache: str) -> Source:
    """Read a source as the inventory declares it.

    ``inventory`` is the directory that paths start from, ``cache`` a directory for clones of
    git repositories. Raises WebServiceError when there is no such source.
    """
    if source.get("package"):
        requirement = f"{source['package']}=={source['version']}"
        return Source(f"package {requirement}", {}, requirement + "\n")
    if source.get("directory"):
        tree = _directory(os.path.normpath(os.path.join(inventory, source["directory"])))
        return Source(f"directory {source['directory']}", tree, requirements(tree))
    if source.get("archive"):
        tree = _unwrapped(_archive(os.path.normpath(os.path.join(inventory, source["archive"]))))
        return Source(f"archive {source['archive']}", tree, requirements(tree))
    revision = str(source["revision"])
    commit, tree = _git(source["git"], revision, inventory, cache)
    return Source(f"git {git.shown(source['git'])} at {revision} ({commit[:12]})", tree, requirements(tree))


def requirements(tree: Tree, name: str = "requirements.txt", seen: tuple[str, ...] = ()) -> str:
    """Text of a tree's requirements, with the files that it includes by ``-r`` put in their places."""
    if name not in tree:
        if seen:
            raise WebServiceError(f"{seen[-1]} includes {name}, which is not in the source")
        return ""
    lines = []
    for line in tree[name][1].decode("utf-8", "replace").splitlines():
        included = re.match(r"\s*(?:-r|--requirement)[\s=]+(\S+)", line)
        if included is None:
            lines.append(line)
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), included[1]))
        if path not in seen:
            lines += requirements(tree, path, (*seen, name)).splitlines()
    return "".join(f"{line}\n" for line in lines)


def _directory(root: str) -> Tree:
    if not os.path.isdir(root):
        raise WebServiceError(f"the directory {root} does not exist")
    tree = dict(_walk(root, os.path.realpath(root)))
    if not tree:
        raise WebServiceError(f"the directory {root} holds no files")
    return tree


def _walk(root: str, inside: str) -> Iterator[tuple[str, tuple[bool, bytes]]]:
    for directory, names, files in os.walk(root):
        for name in names:
            if not _ignored(name) and os.path.islink(os.path.join(directory, name)):
                raise WebServiceError(f"{os.path.join(directory, name)} is a link to a directory, which is not packed")
        names[:] = sorted(name for name in names if not _ignored(name))
        for name in sorted(files):
            path = os.path.join(directory, name)
            if _ignored(name):
                continue
            if os.path.commonpath((inside, os.path.realpath(path))) != inside:
                raise WebServiceError(f"{path} is a link that leads out of the source")
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    executable = bool(os.fstat(file.fileno()).st_mode & stat.S_IXUSR)
                    yield os.path.relpath(path, root).replace(os.sep, "/"), (executable, file.read())


def _archive(path: str) -> Tree:
    if not os.path.isfile(path):
        raise WebServiceError(f"the archive {path} does not exist")
    try:
        if zipfile.is_zipfile(path):
            return _zip(path)
        with tarfile.open(path) as tar:
            return _tar(tar)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise WebServiceError(f"the archive {path} cannot be read: {error}") from error


def _tar(tar: tarfile.TarFile) -> Tree:
    tree: Tree = {}
    for member in tar:
        if member.isfile() and not _ignored_path(member.name):
            content = tar.extractfile(member) or io.BytesIO()
            tree[_inside(member.name)] = (bool(member.mode & 0o100), content.read())
        elif not member.isfile() and not member.isdir():
            raise WebServiceError(f"{member.name} in the archive is neither a file nor a directory")
    return tree


def _zip(path: str) -> Tree:
    with zipfile.ZipFile(path) as archive:
        return {
            _inside(member.filename): (bool(member.external_attr >> 16 & 0o100), archive.read(member))
            for member in archive.infolist()
            if not member.is_dir() and not _ignored_path(member.filename)
        }


def _inside(name: str) -> str:
    path = posixpath.normpath(name)
    if path.startswith(("/", "../")) or path in ("..", "."):
        raise WebServiceError(f"{name} in the archive leads out of it")
    return path


def _unwrapped(tree: Tree) -> Tree:
    """Without the one directory that archives of a project usually put everything into."""
    tops = {path.partition("/")[0] for path in tree}
    if len(tops) != 1 or any("/" not in path for path in tree):
        return tree
    return {path.partition("/")[2]: entry for path, entry in tree.items()}


def _git(url: str, revision: str, inventory: str, cache: str) -> tuple[str, Tree]:
    if "://" not in url and not re.match(r"[\w.-]+@?[\w.-]*:", url):
        url = os.path.normpath(os.path.join(inventory, url))
    return git.read(url, revision, cache, _tar)


def _ignored(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in IGNORED)


def _ignored_path(path: str) -> bool:
    return any(_ignored(part) for part in path.split("/"))
