# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a visitor sees, with real neighbors that are well, ill, slow or gone."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType

import pytest
from flask.testing import FlaskClient

Load = Callable[[str], ModuleType]


class Neighbor(BaseHTTPRequestHandler):
    """A service whose path before /health says how it is."""

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        if kind == "slow":
            time.sleep(5)
        status = 503 if kind == "ill" else 200
        answers = {"ill": {"status": "failing", "findings": ["disk full"]}, "bare": "not an object"}
        body = json.dumps(answers.get(kind, {"status": "ok", "release": "<r1>"})).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def neighbor() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Neighbor)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def gone() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def client(load: Load, neighbor: str, gone: str, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setenv("SERVICES", f"orders={neighbor}/well/,ill={neighbor}/ill, gone={gone},bare={neighbor}/bare")
    monkeypatch.setenv("LINKS", "orders=https://orders.example/?a=1&b=2")
    client: FlaskClient = load("app").app.test_client()
    return client


def test_the_page_shows_every_neighbor_and_escapes_what_it_shows(client: FlaskClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "2 of 4 services need attention" in answer.text
    assert "release &lt;r1&gt;" in answer.text
    assert "disk full" in answer.text
    assert "Connection refused" in answer.text
    assert 'href="https://orders.example/?a=1&amp;b=2"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/static/style.css").status_code == 200


def test_status_is_the_same_for_programs(client: FlaskClient) -> None:
    answer = client.get("/api/status").json
    assert answer["status"] == "degraded"
    assert {entry["name"]: entry["healthy"] for entry in answer["services"]} == {
        "orders": True,
        "ill": False,
        "gone": False,
        "bare": True,
    }
    assert answer["services"][0]["milliseconds"] < 2000


def test_own_health_does_not_depend_on_others(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_RELEASE", "r2")
    told = {"status": "ok", "service": "homepage", "release": "r2", "host": socket.gethostname()}
    assert client.get("/health").json == told


def test_a_slow_neighbor_delays_the_page_by_the_timeout_at_most(load: Load, neighbor: str) -> None:
    health = load("health")
    start = time.monotonic()
    answers = health.ask_all(health.services(f"a={neighbor}/slow,b={neighbor}/slow,c={neighbor}/well"), 0.3)
    assert time.monotonic() - start < 2
    assert [answer.healthy for answer in answers] == [False, False, True]


def test_a_wrong_list_of_services_is_refused_with_every_finding(load: Load) -> None:
    with pytest.raises(ValueError, match=r"'orders' is not name=.*'x' is named twice"):
        load("health").services("orders,x=http://a:1,x=http://b:2")


def test_the_page_works_without_neighbors(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVICES", raising=False)
    assert "No other service" in load("app").app.test_client().get("/").text
