# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Homepage: a dashboard that shows how the other services are. ``gunicorn app:app``."""

from __future__ import annotations

import os
import socket
from dataclasses import asdict
from datetime import datetime, timezone

from flask import Flask, Response, jsonify, make_response, render_template
from health import ask_all, services
from werkzeug.middleware.proxy_fix import ProxyFix

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"

app = Flask("homepage", root_path=os.path.dirname(os.path.abspath(__file__)))
app.config["SERVICES"] = services(os.environ.get("SERVICES", ""), os.environ.get("LINKS", ""))
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]


def fresh(response: Response) -> Response:
    """An answer that nobody keeps."""
    response.headers["Cache-Control"] = "no-store"
    return response


@app.get("/")
def dashboard() -> Response:
    """The page for people; a service that is down is a row of it."""
    answers = ask_all(app.config["SERVICES"])
    page = render_template(
        "dashboard.html",
        services=answers,
        failing=sum(not answer.healthy for answer in answers),
        release=os.environ.get("GATEHOUSE_RELEASE"),
        now=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = POLICY
    return fresh(response)


@app.get("/api/status")
def status() -> Response:
    """The same for programs; always 200, the answer is in the body."""
    answers = ask_all(app.config["SERVICES"])
    word = "ok" if all(answer.healthy for answer in answers) else "degraded"
    return fresh(jsonify(status=word, services=[asdict(answer) for answer in answers]))


@app.get("/health")
def health() -> Response:
    """This service's own health: it goes on while others are down. The host is of interest behind a load balancer."""
    release, host = os.environ.get("GATEHOUSE_RELEASE"), socket.gethostname()
    return fresh(jsonify(status="ok", service="homepage", release=release, host=host))
