# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe against real servers, as a program of its own and through start and stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._load_probe import run
from ansible_collections.gatehouse.platform.plugins.module_utils._load_probe.run import Place, start, stop
from ansible_collections.gatehouse.platform.plugins.module_utils._load_probe.tally import Tally, percentile, sentence

MODULE_UTILS = str(Path(str(run.__file__)).parent.parent)


class Server(ThreadingHTTPServer):
    """A server whose behavior is a function of the number of the request."""

    daemon_threads = True
    request_queue_size = 256
    requests = 0

    def __init__(self, behave: Callable[[BaseHTTPRequestHandler, int], None]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave = behave

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/health"


class Handler(BaseHTTPRequestHandler):
    """Counts requests and lets the server behave."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Answer as the server's function does."""
        self.server.requests += 1
        self.server.behave(self, self.server.requests)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def answer(handler: BaseHTTPRequestHandler, _number: int, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")


def answer_in_chunks(handler: BaseHTTPRequestHandler, _number: int) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"2\r\nok\r\n3;x=y\r\nabc\r\n0\r\n\r\n")


def hang_up(handler: BaseHTTPRequestHandler, number: int) -> None:
    """Close a kept connection instead of its second answer."""
    if handler.headers["Connection"] == "keep-alive" and number % 2 == 0:
        handler.close_connection = True
    else:
        answer(handler, number)


def break_off(handler: BaseHTTPRequestHandler, _number: int) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    handler.close_connection = True


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def begin(behave: Callable[..., None] = answer, pem: str | None = None) -> Server:
        server = Server(behave)
        if pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        started.append(server)
        return server

    yield begin
    for server in started:
        server.shutdown()
        server.server_close()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "_load_probe", *arguments]


def probe(*arguments: str) -> dict[str, Any]:
    output = subprocess.run(command(*arguments), cwd=MODULE_UTILS, check=True, capture_output=True, timeout=60).stdout
    report: dict[str, Any] = json.loads(output)
    return report


@pytest.mark.parametrize("behave", [answer, answer_in_chunks])
def test_every_request_is_answered_over_kept_and_new_connections(serve: Any, behave: Any) -> None:
    server = serve(behave)
    report = probe("--rate", "200", "--count", "100", server.url)
    assert (report["sent"], report["succeeded"], report["failed"], server.requests) == (100, 100, 0, 100)
    assert 11 <= report["connections"] <= 60
    assert report["milliseconds"]["p50"] <= report["slowest_ms"]


def test_the_rate_is_kept_while_answers_are_slow(serve: Any) -> None:
    def stall(handler: BaseHTTPRequestHandler, number: int) -> None:
        time.sleep(0.5)
        answer(handler, number)

    report = probe("--rate", "50", "--seconds", "1", serve(stall).url)
    assert report["sent"] == 50
    assert report["failed"] == 0
    assert report["milliseconds"]["p50"] >= 500


@pytest.fixture
def pem(tmp_path: Path) -> str:
    """A self-signed certificate, which is its own root, with its key."""
    path = str(tmp_path / "server.pem")
    subject = ["-subj", "/CN=probe", "-addext", "subjectAltName=DNS:shop.example"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]
    subprocess.run(
        ["openssl", "req", "-x509", *key, *subject, "-days", "2", "-out", f"{path}.crt"],
        check=True,
        capture_output=True,
    )
    Path(path).write_text(Path(path).read_text() + Path(f"{path}.crt").read_text())
    return path


def test_https_is_verified_against_the_given_root_and_address(serve: Any, pem: str) -> None:
    port = serve(answer, pem).server_port
    arguments = ["--rate", "200", "--count", "200", "--address", "127.0.0.1", f"https://shop.example:{port}/health"]
    report = probe("--ca-file", pem, *arguments)
    assert (report["sent"], report["failed"]) == (200, 0)
    assert report["connections"] >= 20
    assert probe("--count", "10", *arguments[4:])["failures"]["TLS: CERTIFICATE_VERIFY_FAILED"]["count"] == 10


def test_failures_are_counted_by_kind_with_examples(serve: Any) -> None:
    def fail_at_times(handler: BaseHTTPRequestHandler, number: int) -> None:
        answer(handler, number, 503 if number % 5 == 0 else 200)

    report = probe("--rate", "200", "--count", "50", serve(fail_at_times).url)
    assert report["failed"] == 10
    assert report["failures"]["status 503"]["count"] == 10
    assert len(report["failures"]["status 503"]["examples"]) == 3
    assert report["failures"]["status 503"]["examples"][0]["detail"] == "ok"
    assert sentence(report).startswith("50 requests, 10 failed, slowest ")


def test_a_lost_kept_connection_is_retried_and_with_strict_a_failure(serve: Any) -> None:
    report = probe("--rate", "20", "--count", "20", "--new-every", "0", serve(hang_up).url)
    assert report["retried"] > 0
    assert report["failed"] < report["retried"]
    strict = probe("--rate", "20", "--count", "20", "--new-every", "0", "--strict", serve(hang_up).url)
    assert strict["failures"]["closed before the answer"]["count"] > 0
    assert strict["retried"] == 0


def test_a_broken_answer_is_never_retried(serve: Any) -> None:
    report = probe("--rate", "100", "--count", "10", serve(break_off).url)
    assert report["failures"]["closed within the answer"]["count"] == 10


def test_a_server_that_is_gone_fails_every_request_and_nothing_else() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        report = probe("--rate", "100", "--count", "10", f"http://127.0.0.1:{closed.getsockname()[1]}/")
    assert report["failures"]["ConnectionRefusedError"]["count"] == 10


def test_a_silent_server_is_a_timeout() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(32)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        report = probe("--rate", "100", "--count", "10", "--timeout", "0.3", url)
    assert report["failures"]["timeout"]["count"] == 10


def test_sigterm_ends_it_with_a_report(serve: Any, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    process = subprocess.Popen(command("--report", str(report), serve().url), cwd=MODULE_UTILS)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert json.loads(report.read_text())["failed"] == 0


@pytest.mark.parametrize(
    "arguments", [["ftp://x/"], ["--rate", "0", "http://x/"], ["--ca-file", "/nowhere", "http://x/"]]
)
def test_wrong_arguments_end_it_with_a_message(arguments: list[str]) -> None:
    result = subprocess.run(
        command(*arguments), cwd=MODULE_UTILS, check=False, capture_output=True, text=True, timeout=30
    )
    assert result.returncode == 1
    assert result.stderr.startswith("load probe: ")
    assert "Traceback" not in result.stderr


def test_start_and_stop_return_a_report(serve: Any, tmp_path: Path) -> None:
    place = Place(str(tmp_path / "probe"))
    assert start(place, ["--rate", "100", "--", serve().url], 5) == {"running": True, "reason": ""}
    time.sleep(0.5)
    result = stop(place, 5)
    assert result["report"]["sent"] > 10
    assert result["sentence"] == sentence(result["report"])
    assert stop(place, 5)["report"] == result["report"]


def test_nothing_is_started_where_nothing_answers(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "probe"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        result = start(place, [f"http://127.0.0.1:{closed.getsockname()[1]}/"], 5)
    assert result["running"] is False
    assert "ConnectionRefusedError" in result["reason"]
    assert stop(place, 5)["sentence"].startswith("not probed, ConnectionRefusedError")


def test_a_probe_that_was_left_over_is_replaced(serve: Any, tmp_path: Path) -> None:
    place = Place(str(tmp_path / "probe"))
    start(place, [serve().url], 5)
    first = json.loads((tmp_path / "probe/probe.pid").read_text())["pid"]
    start(place, [serve().url], 5)
    assert json.loads((tmp_path / "probe/probe.pid").read_text())["pid"] != first
    stop(place, 5)


def test_a_stale_process_id_is_never_signalled(tmp_path: Path) -> None:
    place = Place(str(tmp_path))
    (tmp_path / "probe.pid").write_text(json.dumps({"pid": os.getpid(), "ready": True}))
    assert stop(place, 5) == {"running": False, "reason": "no probe was running"}


def test_percentiles_are_of_the_nearest_rank() -> None:
    ordered = [number / 1000 for number in range(1, 101)]
    assert [percentile(ordered, share) for share in (50, 99, 100)] == [50.0, 99.0, 100.0]
    assert percentile([], 50) is None
    assert sentence(Tally().report(0)) == "0 requests, 0 failed"
