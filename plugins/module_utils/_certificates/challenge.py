# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof, before the ACME server is asked, that every name leads to this host's challenge directory."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.leftovers import TOKEN_PREFIX
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError
from ansible_collections.gatehouse.platform.plugins.module_utils._files import remove_file, write_file

TIMEOUT = 5.0
PATH = ".well-known/acme-challenge"


def prepare_directory(challenge_directory: str) -> None:
    """Make the directory that the web server answers challenges from, readable for it."""
    directory = ""
    for part in f"{challenge_directory}/{PATH}".strip("/").split("/"):
        directory = f"{directory}/{part}"
        if not os.path.isdir(directory):
            os.mkdir(directory)
            os.chmod(directory, 0o755)


def check_names(names: Sequence[str], challenge_directory: str, port: int = 80) -> None:
    """Fetch a token by every name. Raises CertificatesError naming each that fails and what was seen."""
    token = f"{TOKEN_PREFIX}{secrets.token_hex(16)}"
    with _token_file(f"{challenge_directory}/{PATH}/{token}", token), ThreadPoolExecutor(max_workers=16) as pool:
        findings = list(pool.map(lambda name: look(name, f"/{PATH}/{token}", token, port), names))
    failed = [f"- {name}: {finding}" for name, finding in zip(names, findings, strict=True) if finding]
    if failed:
        raise CertificatesError(
            f"{len(failed)} of {len(names)} names do not lead to this host's challenge directory "
            f"{challenge_directory}, so the ACME server was not asked and nothing was changed:\n"
            + "\n".join(failed)
            + f"\nEach name has to resolve to this host, and port {port} has to serve http://NAME/{PATH}/ from there."
        )


@contextlib.contextmanager
def _token_file(path: str, token: str) -> Iterator[None]:
    write_file(path, token)
    try:
        yield
    finally:
        remove_file(path)


def look(name: str, path: str, token: str, port: int = 80, timeout: float = TIMEOUT) -> str:
    """What is wrong with what a name answers, or an empty text. No redirect is followed."""
    try:
        addresses = sorted({str(info[4][0]) for info in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError) as error:
        return f"does not resolve ({error.strerror or error if isinstance(error, OSError) else error})"
    where = f"resolves to {', '.join(addresses)}"
    connection = http.client.HTTPConnection(name, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"User-Agent": "gatehouse.platform self check"})
        response = connection.getresponse()
        body = response.read(4096)
    except TimeoutError:
        return f"{where}: no answer within {timeout:.0f} seconds"
    except (OSError, http.client.HTTPException) as error:
        return f"{where}: {getattr(error, 'strerror', None) or str(error) or type(error).__name__}".lower()
    finally:
        connection.close()
    if 300 <= response.status < 400:
        return f"{where}: redirects to {response.getheader('Location')} (status {response.status})"
    if response.status != 200:
        return f"{where}: answers with status {response.status}"
    return "" if body == token.encode() else f"{where}: answers with other content, another server is there"
