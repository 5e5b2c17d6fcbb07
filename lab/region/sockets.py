# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets that live in another network namespace than this process."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

CLONE_NEWNET = 0x40000000
Result = TypeVar("Result")


def inside_namespace(namespace: Path, action: Callable[[], Result]) -> Result:
    """Call something in a thread that has entered a namespace; what it opened there stays there.

    namespace: a file of the kernel's, as /run/netns/NAME.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            enter(namespace)
            results.append(action())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def enter(namespace: Path) -> None:
    """Enter a namespace for the rest of this thread's life."""
    libc = ctypes.CDLL(None, use_errno=True)
    with namespace.open("rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(namespace))


def listen(namespace: Path, address: str, port: int) -> socket.socket:
    """A listening TCP socket of a namespace."""
    return inside_namespace(namespace, lambda: socket.create_server((address, port), backlog=128))
