# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clones of git repositories on the controller, shared by all processes that read sources at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

from ansible_collections.gatehouse.platform.plugins.module_utils import _commands
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError

_Files = TypeVar("_Files")
_Unpack = Callable[[tarfile.TarFile], _Files]

# Its shell finds the words in the environment, so that no process list shows them (gitcredentials, CUSTOM HELPERS).
_HELPER = """!printf 'username=%s\\npassword=%s\\n' "$GATEHOUSE_GIT_USER" "$GATEHOUSE_GIT_PASSWORD" #"""
_REFS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


@dataclass(frozen=True)
class Remote:
    """A repository's address, and apart from it what it asks for."""

    url: str
    user: str = ""
    password: str = ""

    def environment(self) -> dict[str, str]:
        """Settings for git by way of its environment: an argument could be read by every user of the controller."""
        settings = [("remote.gatehouse.url", self.url), ("gc.autoDetach", "false")]
        if self.user:
            # The empty one keeps a helper of the operator's from storing the password.
            settings += [("credential.helper", ""), (f"credential.{_origin(self.url)}.helper", _HELPER)]
        first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
        numbered = list(enumerate(settings, first))
        return {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
            "GIT_CONFIG_COUNT": str(first + len(settings)),
            **{f"GIT_CONFIG_KEY_{number}": key for number, (key, _value) in numbered},
            **{f"GIT_CONFIG_VALUE_{number}": value for number, (_key, value) in numbered},
            "GATEHOUSE_GIT_USER": self.user,
            "GATEHOUSE_GIT_PASSWORD": self.password,
        }


def remote(url: str) -> Remote:
    """An address without the credentials in it, which end at the last ``@`` of the authority (RFC 3986, 3.2).

    A password with a ``/`` in it makes no valid address, but is understood.
    """
    valid = re.match(r"(https?://)([^/]*)@(.*)", url)
    if valid is None and not re.match(r"https?://[^/:@]*(:\d*)?(/|$)", url):
        valid = re.match(r"(https?://)([^/:]+:.*)@(.*)", url)
    if valid is None:
        return Remote(url)
    user, _separator, password = valid[2].partition(":")
    return Remote(valid[1] + valid[3], unquote(user), unquote(password))


def shown(text: str) -> str:
    """A text whose addresses have no credentials any more: all before the last ``@`` goes, to be on the safe side."""
    return re.sub(r"://\S*@", "://", text)


def read(url: str, revision: str, cache: str, unpack: _Unpack[_Files]) -> tuple[str, _Files]:
    """The commit that a revision means, and what ``unpack`` makes of its files.

    A clone that is damaged, as one that a killed run left may be, is replaced by a new one.
    Raises WebServiceError when there is no such repository or revision.
    """
    source = remote(url)
    clone = os.path.join(cache, "git", hashlib.sha256(source.url.encode()).hexdigest()[:16])
    try:
        with _locked(clone):
            try:
                return _read(clone, source, revision, unpack)
            except (_commands.CommandError, tarfile.TarError):
                return _renewed(clone, source, revision, unpack)
    except (_commands.CommandError, tarfile.TarError, OSError) as error:
        text = error.output if isinstance(error, _commands.CommandError) else str(error)
        raise WebServiceError(f"revision {revision} of {shown(url)} cannot be had: {shown(_reason(text))}") from error


def _reason(text: str) -> str:
    """The line in which git or ssh tells the cause: warnings go before it, advice follows."""
    lines = (line.strip() for line in text.splitlines() if not line.lower().startswith(("warning:", "hint:")))
    return next(filter(None, lines), "no reason given")


@contextlib.contextmanager
def _locked(clone: str) -> Iterator[None]:
    """The clone is for one process at a time; the kernel releases the lock of one that was killed."""
    os.makedirs(os.path.dirname(clone), mode=0o700, exist_ok=True)
    with open(f"{clone}.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _renewed(clone: str, source: Remote, revision: str, unpack: _Unpack[_Files]) -> tuple[str, _Files]:
    """The same from a new clone. The old one stays where that fails too: it knows commits that others ask for."""
    new = f"{clone}.new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        found = _read(new, source, revision, unpack)
        shutil.rmtree(clone, ignore_errors=True)
        os.rename(new, clone)
        return found
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _read(clone: str, source: Remote, revision: str, unpack: _Unpack[_Files]) -> tuple[str, _Files]:
    if not os.path.isdir(clone):
        _commands.run(["git", "init", "--quiet", "--bare", clone])
    commit = _commit(clone, source, revision)
    command = ["git", f"--git-dir={clone}", "archive", "--format=tar", commit]
    with tempfile.TemporaryFile() as packed:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=packed, stderr=subprocess.PIPE)
        if done.returncode:
            raise _commands.CommandError(command, done.returncode, done.stderr.decode(errors="replace"))
        packed.seek(0)
        with tarfile.open(fileobj=packed) as tar:
            return commit, unpack(tar)


def _commit(clone: str, source: Remote, revision: str) -> str:
    """The commit that a revision means now; a full one that is here already is not asked for."""
    git = ["git", f"--git-dir={clone}"]
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        known = _commands.run([*git, "cat-file", "-e", f"{revision}^{{commit}}"], check=False)
        if known.returncode == 0:
            return revision
    _commands.run([*git, "fetch", "--quiet", "--prune", "gatehouse", *_REFS], environment=source.environment())
    parse = [*git, "rev-parse", "--verify", "--quiet", "--end-of-options"]
    if _commands.run([*parse, revision], check=False).returncode:
        raise WebServiceError(f"revision {revision} of {source.url} cannot be had: it has no such branch or commit")
    return _commands.run([*parse, f"{revision}^{{commit}}"]).stdout.split()[-1]


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
