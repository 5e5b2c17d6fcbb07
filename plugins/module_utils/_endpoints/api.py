# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin functions over the network; errors become sentences."""

from __future__ import annotations

import http.client
import socket
import ssl
import time

from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.certificate import parse
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.model import Answer, Certificate

LONGEST_BODY = 300


class CaFileError(Exception):
    """The file with the certificate authorities cannot be used."""


def trust(ca_file: str | None) -> ssl.SSLContext:
    """A context that verifies chains against the file, or against the system's store; raises CaFileError."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise CaFileError(f"ca_file {ca_file} cannot be read: {error}") from error
    context.check_hostname = False  # the names are compared apart, so that all findings come at once
    return context


def distrusting() -> ssl.SSLContext:
    """A context that accepts every certificate, only to look at it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def describe(error: Exception, address: str, port: int) -> str:
    """A network error in words, with the place that it came from."""
    place = f"{address} port {port}"
    if isinstance(error, ConnectionRefusedError):
        return f"{place} refuses connections"
    if isinstance(error, socket.gaierror):
        return f"{address} does not resolve ({error.strerror})"
    if isinstance(error, TimeoutError):
        return f"{place} does not answer in time"
    if isinstance(error, ssl.SSLError):
        return f"{place} does not speak TLS as it should ({error.reason or error})"
    return (
        f"{place}: {error.strerror if isinstance(error, OSError) and error.strerror else error or type(error).__name__}"
    )


def accepts(address: str, port: int, timeout: float) -> bool:
    """Whether a connection can be opened; refused, unreachable and unanswered are no."""
    try:
        socket.create_connection((address, port), timeout=timeout).close()
    except OSError:
        return False
    return True


def _exchange(sock: socket.socket, host: str, uri: str, start: float) -> Answer:
    connection = http.client.HTTPConnection(host)
    connection.sock = sock
    connection.request("GET", uri, headers={"Connection": "close", "User-Agent": "gatehouse-verify"})
    response = connection.getresponse()
    body = " ".join(response.read(LONGEST_BODY).decode(errors="replace").split())
    elapsed = round((time.monotonic() - start) * 1000)
    return Answer(response.status, response.getheader("Location"), body, elapsed)


def get(address: str, port: int, host: str, uri: str, timeout: float) -> Answer:
    """Ask over HTTP, connecting to an address that need not be the host's."""
    start = time.monotonic()
    try:
        with socket.create_connection((address, port), timeout=timeout) as sock:
            return _exchange(sock, host, uri, start)
    except (OSError, http.client.HTTPException) as error:
        return Answer(error=describe(error, address, port))


def get_secure(
    address: str, port: int, host: str, uri: str, timeout: float, context: ssl.SSLContext
) -> tuple[Answer, Certificate | None, str | None]:
    """Ask over HTTPS: the answer, the certificate as served, and why it is not trusted (if so)."""
    start = time.monotonic()
    try:
        with (
            socket.create_connection((address, port), timeout=timeout) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            certificate = parse(secure.getpeercert(binary_form=True) or b"")
            return _exchange(secure, host, uri, start), certificate, None
    except ssl.SSLCertVerificationError as error:
        answer, shown, __ = get_secure(address, port, host, uri, timeout, distrusting())
        return answer, shown, error.verify_message
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(error=describe(error, address, port)), None, None
