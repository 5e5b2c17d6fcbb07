# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that goes wrong as its environment says: MODE is crash, hang or error."""

from __future__ import annotations

import os
import pathlib
import time

from flask import Flask

VERSION = "one"
MODE = os.environ.get("MODE", "")

if MODE == "crash":
    raise RuntimeError("broken at import")

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return VERSION


@app.get("/token")
def token() -> str:
    return pathlib.Path(os.environ["CREDENTIALS_DIRECTORY"], "API_TOKEN").read_text(encoding="utf-8")


@app.get("/migrations")
def migrations() -> str:
    return pathlib.Path(os.environ["STATE_DIRECTORY"], "migrations").read_text(encoding="utf-8")


@app.get("/health")
def health() -> tuple[str, int]:
    if MODE == "hang":
        time.sleep(600)
    return ("out of order", 500) if MODE == "error" else (VERSION, 200)
