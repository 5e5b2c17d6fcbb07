# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Apache has to do with a certificate: which files refer to it, and which one is served."""

from __future__ import annotations

import glob
import hashlib
import socket
import ssl
import time
from collections.abc import Iterable

from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text

_PATTERNS = ("sites-enabled/*", "conf-enabled/*", "mods-enabled/*", "apache2.conf", "ports.conf")


def references(name: str, letsencrypt: str = "/etc/letsencrypt", root: str = "/etc/apache2") -> list[str]:
    """Enabled configuration files that mention the certificate."""
    needle = f"{letsencrypt}/live/{name}/"
    files = [path for pattern in _PATTERNS for path in sorted(glob.glob(f"{root}/{pattern}"))]
    return [path for path in files if _mentions(path, needle)]


def _mentions(path: str, needle: str) -> bool:
    lines = (read_text(path) or "").splitlines()
    return any(needle in line and not line.lstrip().startswith("#") for line in lines)


def is_served(names: Iterable[str], fingerprint: str, address: str = "127.0.0.1", port: int = 443) -> bool | None:
    """Whether the web server answers any of the names with the certificate of this SHA-256 fingerprint.

    None where nothing listens.
    """
    for name in sorted(names):
        served = _served_fingerprint(name.replace("*", "gatehouse"), address, port)
        if served is None:
            return None
        if served == fingerprint:
            return True
    return False


def _served_fingerprint(name: str, address: str, port: int) -> str | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # compared by fingerprint, on the loopback address
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=3) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            return hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()
    except ssl.SSLError:
        return ""
    except OSError:
        return None


def wait_until_served(names: Iterable[str], fingerprint: str, seconds: float = 10) -> bool:
    """Whether the certificate is served within some seconds of a reload."""
    names = list(names)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_served(names, fingerprint):
            return True
        time.sleep(0.1)
    return False
