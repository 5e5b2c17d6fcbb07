# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases and environments on a host's disk. What is half made carries no valid name and is removed."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import io
import json
import os
import shutil
import sys
import tarfile

from ansible_collections.gatehouse.platform.plugins.module_utils import _commands, _files
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import units
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    Release,
    Service,
    WebServiceError,
    requirement_lines,
)

MARKER = ".gatehouse-release.json"
COMPLETE = ".complete"
NEW = ".new-"


def python_version() -> str:
    """The host's Python as environments see it, like ``3.11``."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def releases(name: str) -> dict[str, Release]:
    """All complete releases of a service, by name."""
    found = {}
    for entry in _entries(f"{units.base(name)}/releases"):
        text = None if entry.startswith(NEW) else _files.read_text(f"{units.base(name)}/releases/{entry}/{MARKER}")
        if text:
            fields = {field.name for field in dataclasses.fields(Release)}
            found[entry] = Release(**{key: value for key, value in json.loads(text).items() if key in fields})
    return found


def environments(name: str) -> set[str]:
    """Names of all complete environments of a service."""
    directory = f"{units.base(name)}/environments"
    return {entry for entry in _entries(directory) if os.path.exists(f"{directory}/{entry}/{COMPLETE}")}


def half_made(name: str) -> list[str]:
    """Paths that an interrupted run left."""
    base = units.base(name)
    whole, built = set(releases(name)), environments(name)
    paths = [f"{base}/releases/{entry}" for entry in _entries(f"{base}/releases") if entry not in whole]
    return paths + [f"{base}/environments/{entry}" for entry in _entries(f"{base}/environments") if entry not in built]


def write_release(name: str, release: str, value: Release) -> None:
    """Write what is known about a release into it."""
    text = json.dumps(dataclasses.asdict(value), indent=2, sort_keys=True) + "\n"
    _files.write_file(f"{units.base(name)}/releases/{release}/{MARKER}", text)


def unpack(name: str, release: str, value: Release, archive: bytes | str) -> None:
    """Unpack an archive (its bytes or its path) beside the other releases; on failure nothing of it stays.

    A release of that name that is there already is replaced. No bytes are an empty release.
    """
    directory = f"{units.base(name)}/releases"
    temporary = f"{directory}/{NEW}{release}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        os.mkdir(temporary, 0o755)
        if archive:
            with _opened(archive) as tar:
                _extract(tar, temporary)
        _sync(temporary)
        text = json.dumps(dataclasses.asdict(value), indent=2, sort_keys=True) + "\n"
        _files.write_file(f"{temporary}/{MARKER}", text)
        _files.remove_file(f"{directory}/{release}/{MARKER}")
        remove(f"{directory}/{release}")
        os.rename(temporary, f"{directory}/{release}")
    except (OSError, tarfile.TarError, _commands.CommandError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise WebServiceError(f"release {release} cannot be unpacked below {directory}: {error}") from error


def _opened(archive: bytes | str) -> tarfile.TarFile:
    if isinstance(archive, bytes):
        return tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz")
    return tarfile.open(archive, mode="r:gz")


def build_environment(service: Service, digest: str, requirements: str) -> None:
    """Build a virtual environment in its final place (its scripts hold absolute paths), marked when complete."""
    path = f"{units.base(service.name)}/environments/{digest}"
    shutil.rmtree(path, ignore_errors=True)
    try:
        wanted = [requirements, *requirement_lines(service, requirements)]
        if twin := _twin(path):
            _copy_environment(twin, path)
        elif service.kind == "command" and not requirements.strip():
            os.mkdir(path, 0o755)
        else:
            _commands.run([sys.executable, "-m", "venv", path])
            _install(path, "\n".join(wanted) + "\n")
        _sync(path)
        _files.write_file(f"{path}/{COMPLETE}", "")
    except _commands.CommandError as error:
        shutil.rmtree(path, ignore_errors=True)
        raise WebServiceError(f"its environment cannot be built: {error}") from error
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def _sync(path: str) -> None:
    """Have what was written reach the disk, before a mark says that it is complete: power may fail between."""
    _commands.run(["sync", "--file-system", path])


def remove(path: str) -> None:
    """Remove a tree, a file or a link; what is not there is fine."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        _files.remove_file(path)


def _twin(path: str) -> str | None:
    """The same environment as another service has it: its name says all that it is made of."""
    others = sorted(glob.glob(f"{units.SERVICES}/*/environments/{os.path.basename(path)}/{COMPLETE}"))
    return next((os.path.dirname(other) for other in others if os.path.dirname(other) != path), None)


def _copy_environment(twin: str, path: str) -> None:
    """Copy an environment, which takes a tenth of the time to build it, and correct the paths in its scripts."""
    shutil.copytree(twin, path, symlinks=True, ignore=lambda _directory, _names: [COMPLETE])
    for script in (f"{path}/pyvenv.cfg", *glob.glob(f"{path}/bin/*")):
        if os.path.isfile(script) and not os.path.islink(script):
            with open(script, "rb+") as file:
                content = file.read().replace(os.fsencode(twin), os.fsencode(path))
                file.seek(0)
                file.truncate()
                file.write(content)


def _install(path: str, requirements: str) -> None:
    _files.write_file(f"{path}/requirements.txt", requirements)
    pip = [f"{path}/bin/python", "-m", "pip", "install", "--no-input", "--quiet", "--disable-pip-version-check"]
    _commands.run([*pip, "--requirement", f"{path}/requirements.txt"], timeout=1800)


def _extract(tar: tarfile.TarFile, directory: str) -> None:
    """Extract regular files, directories and links that stay inside; owner and mode are ours."""
    root = os.path.realpath(directory)
    for member in tar:
        target = os.path.realpath(os.path.join(root, member.name))
        if os.path.commonpath((root, target)) != root:
            raise tarfile.TarError(f"{member.name} lies outside of the archive")
        if member.isdir():
            os.makedirs(target, 0o755, exist_ok=True)
        elif member.isfile():
            os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
            with open(target, "xb") as file:
                shutil.copyfileobj(tar.extractfile(member) or io.BytesIO(), file)
            os.chmod(target, 0o755 if member.mode & 0o100 else 0o644)


def _entries(directory: str) -> list[str]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return sorted(os.listdir(directory))
    return []
