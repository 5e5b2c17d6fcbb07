# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files that a killed run left: certbot's locks, its challenge answers and our own files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError
from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text, remove_file

LOCKS = ("/etc/letsencrypt/.certbot.lock", "/var/lib/letsencrypt/.certbot.lock", "/var/log/letsencrypt/.certbot.lock")
TOKEN_PREFIX = "gatehouse-"
EXTERNAL_ACCOUNT = "/etc/letsencrypt/.gatehouse-external-account.ini"
_ANSWER = re.compile(r"[A-Za-z0-9_-]{20,128}")


def certbot_is_running(locks: tuple[str, ...] = LOCKS) -> bool:
    """Whether another certbot holds a lock; one that outlived its run or that the timer started."""
    return any(_held(path) for path in locks)


def _held(path: str) -> bool:
    try:
        with open(path, "r+", encoding="utf-8") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except OSError:
        return True


def wait_for_certbot(seconds: float = 180) -> None:
    """Wait until no other certbot works. Raises CertificatesError when that takes too long."""
    end = time.monotonic() + seconds
    while certbot_is_running():
        if time.monotonic() > end:
            raise CertificatesError(
                f"Another certbot has been running for more than {seconds:.0f} seconds ('ps -C certbot -f' shows it); "
                "nothing was changed. Run again once it has ended."
            )
        time.sleep(0.5)


@contextlib.contextmanager
def hold_locks(locks: tuple[str, ...] = LOCKS) -> Iterator[None]:
    """Keep certbot from being started meanwhile, as its timer may do. Raises CertificatesError when it works now.

    Locks are taken and released as certbot does it (certbot._internal.lock): the file goes while its lock is held.
    """
    with contextlib.ExitStack() as held:
        for path in locks:
            if os.path.isdir(os.path.dirname(path)):
                held.callback(os.close, _lock(path))
                held.callback(remove_file, path)
        yield


def _lock(path: str) -> int:
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):  # a certbot that ends removes its file
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except OSError as error:
            os.close(descriptor)
            raise CertificatesError(f"Another certbot has just been started ({path}). Run again later.") from error
        os.close(descriptor)


def find_leftovers(challenge_directory: str) -> list[str]:
    """Files to remove, provided that no certbot is running."""
    return [*(path for path in (EXTERNAL_ACCOUNT,) if os.path.exists(path)), *_answers(challenge_directory)]


def _answers(challenge_directory: str) -> Iterator[str]:
    """Our tokens, and challenge answers as RFC 8555 (8.1) defines them: the token, a dot and a thumbprint."""
    directory = f"{challenge_directory}/.well-known/acme-challenge"
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names:
        path = f"{directory}/{name}"
        if os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) > 1024:
            continue
        if name.startswith((TOKEN_PREFIX, f".{TOKEN_PREFIX}")) or (
            _ANSWER.fullmatch(name) and (read_text(path) or "").startswith(f"{name}.")
        ):
            yield path
