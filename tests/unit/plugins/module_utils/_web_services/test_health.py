# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks against real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import health
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import Health


@contextmanager
def server(path: Path, answers: list[bytes | None]) -> Iterator[None]:
    """Answers one connection after the other; None is no answer at all."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    kept = []

    def serve() -> None:
        for answer in answers:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            kept.append(connection)
            connection.recv(4096)
            if answer is not None:
                connection.sendall(answer)
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.close()


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 500 No\r\nContent-Length: 6\r\n\r\nbroken"


def test_a_healthy_service(tmp_path: Path) -> None:
    with server(tmp_path / "s", [GOOD]):
        answer = health.wait(str(tmp_path / "s"), Health(timeout=5), "localhost", lambda: True)
    assert answer == health.Answer(200, "ok")


def test_an_answer_counts_more_than_a_question_cut_short_after_it(tmp_path: Path) -> None:
    with server(tmp_path / "s", [BAD, None]):
        answer = health.wait(str(tmp_path / "s"), Health(timeout=1), "localhost", lambda: True)
    assert answer == health.Answer(500, "broken")


def test_a_service_that_needs_a_moment(tmp_path: Path) -> None:
    with server(tmp_path / "s", [BAD, BAD, GOOD]):
        answer = health.wait(str(tmp_path / "s"), Health(timeout=5), "localhost", lambda: True)
    assert answer.status == 200


def test_the_last_answer_is_told(tmp_path: Path) -> None:
    with server(tmp_path / "s", [BAD] * 50):
        answer = health.wait(str(tmp_path / "s"), Health(timeout=0.5), "localhost", lambda: True)
    assert str(answer) == "status 500: broken"


def test_a_hanging_service_is_given_up_in_time(tmp_path: Path) -> None:
    began = time.monotonic()
    with server(tmp_path / "s", [None]):
        answer = health.wait(str(tmp_path / "s"), Health(timeout=1), "localhost", lambda: True)
    assert str(answer) == "no answer (no answer in time)"
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("answers", [[None], []])
def test_a_service_that_ended_is_noticed_at_once(tmp_path: Path, answers: list[bytes | None]) -> None:
    began = time.monotonic()
    with server(tmp_path / "s", answers):
        answer = health.wait(str(tmp_path / "s"), Health(timeout=30), "localhost", lambda: False)
    assert str(answer) == "no answer (the process ended before it answered)"
    assert time.monotonic() - began < 3


def test_an_answer_that_trickles_has_one_deadline(tmp_path: Path) -> None:
    began = time.monotonic()
    with trickle(tmp_path / "s"):
        answer = health.wait(str(tmp_path / "s"), Health(timeout=1), "localhost", lambda: True)
    assert str(answer) == "no answer (no answer in time)"
    assert time.monotonic() - began < 3


@contextmanager
def trickle(path: Path) -> Iterator[None]:
    """Answers well, but one byte in a tenth of a second."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection = listener.accept()[0]
            with connection, suppress(OSError):
                for index in range(len(GOOD) * 2):
                    connection.sendall(GOOD[index : index + 1] or b"x")
                    time.sleep(0.1)

        threading.Thread(target=serve, daemon=True).start()
        yield


def test_a_text_is_censored_before_it_is_cut(tmp_path: Path) -> None:
    body = b"x" * 490 + b"s3cret-token"
    answers: list[bytes | None] = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)]
    with server(tmp_path / "s", answers):
        deadline = time.monotonic() + 5
        answer = health.ask(
            str(tmp_path / "s"),
            Health(),
            "localhost",
            deadline,
            censored=lambda text: text.replace("s3cret-token", "********"),
        )
    assert answer.text == "x" * 490 + "********"


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    answer = health.wait(str(tmp_path / "none"), Health(timeout=0.3), "localhost", lambda: True)
    assert answer.status is None
