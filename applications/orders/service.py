# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every answer has in common: JSON errors, the page of a list, the health of the service."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import storage
from flask import Blueprint, Flask, Response, current_app, g, jsonify, make_response, request
from migrate import EXPECTED_VERSION
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

LONGEST_PAGE = 200
common = Blueprint("common", __name__)


def invalid(findings: dict[str, str]) -> Response:
    """400 with every finding by field."""
    return make_response(jsonify(error="the request is not valid", fields=findings), 400)


def refused(status: int, message: str) -> Response:
    """An answer that tells in words why the request was not carried out."""
    return make_response(jsonify(error=message), status)


def database() -> sqlite3.Connection:
    """This request's connection to the database."""
    if "database" not in g:
        g.database = storage.connect(current_app.config["DATABASE"])
    connection: sqlite3.Connection = g.database
    return connection


def page() -> tuple[int, int, dict[str, str]]:
    """``limit`` and ``after`` of a list from the query, or the findings about them."""
    values, found = {"limit": 50, "after": 0}, {}
    for name, smallest, largest in (("limit", 1, LONGEST_PAGE), ("after", 0, 2**53 - 1)):
        text = request.args.get(name, str(values[name]))
        if text.isascii() and text.isdigit() and len(text) < 17 and smallest <= int(text) <= largest:
            values[name] = int(text)
        else:
            found[name] = f"has to be a whole number from {smallest} to {largest}"
    return values["limit"], values["after"], found


@common.get("/health")
def health() -> Response:
    """200 when the database can be read and written with this release's schema, else 503."""
    found = storage.findings(current_app.config["DATABASE"], EXPECTED_VERSION)
    body: dict[str, Any] = {
        "status": "failing" if found else "ok",
        "service": current_app.name,
        "release": os.environ.get("GATEHOUSE_RELEASE"),
    }
    if found:
        body["findings"] = found
    response = make_response(jsonify(body), 503 if found else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


@common.app_errorhandler(HTTPException)
def http_error(error: HTTPException) -> Response:
    """Every error as JSON, with the headers (Allow) that belong to its status."""
    response = make_response(jsonify(error=error.description), error.code or 500)
    if error.code == 405:
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


@common.app_errorhandler(sqlite3.OperationalError)
def database_error(error: sqlite3.OperationalError) -> Response:
    """503: the database is busy, full or not migrated; the client may try again."""
    current_app.logger.error("database: %s", error)
    response = refused(503, "the database does not answer, try again")
    response.headers["Retry-After"] = "1"
    return response


def build(name: str, api: Blueprint) -> Flask:
    """The application: its own routes, the common ones, behind exactly one proxy."""
    app = Flask(name, static_folder=None)
    app.config["DATABASE"] = storage.database_path()
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.register_blueprint(common)
    app.register_blueprint(api)

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        if "database" in g:
            g.database.close()

    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    return app
