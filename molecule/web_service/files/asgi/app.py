# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ASGI application that answers to its public name alone, and tells which hooks ran."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Awaitable, Callable
from typing import Any

NAME = b"tagged.example.test"


async def app(scope: dict[str, Any], _receive: Any, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    if scope["type"] != "http":
        return
    known = dict(scope["headers"]).get(b"host") == NAME
    hooks = pathlib.Path(os.environ["STATE_DIRECTORY"], "hooks")
    body = hooks.read_bytes() if known and hooks.exists() else b"ready" if known else b"unknown host"
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200 if known else 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
