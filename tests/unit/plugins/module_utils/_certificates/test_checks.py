# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked over the network: real servers on the loopback address."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import ssl
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates import acme, apache, challenge, leftovers
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError

from .conftest import Make


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        pass


class Redirect(Quiet):
    def do_GET(self) -> None:
        self.send_response(301)
        self.send_header("Location", "https://elsewhere.test/")
        self.end_headers()


class Other(Quiet):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"newOrder": "x", "meta": {"externalAccountRequired": true}}')


def serve(handler: Any) -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def webroot(tmp_path: Path) -> Iterator[tuple[str, int]]:
    for server in serve(partial(Quiet, directory=str(tmp_path))):
        challenge.prepare_directory(str(tmp_path))
        yield str(tmp_path), server.server_port


@pytest.fixture
def other(request: pytest.FixtureRequest) -> Iterator[int]:
    handler: type[BaseHTTPRequestHandler] = request.param
    for server in serve(handler):
        yield server.server_port


def test_names_that_lead_here_pass_and_no_token_stays(webroot: tuple[str, int]) -> None:
    directory, port = webroot
    challenge.check_names(["localhost", "127.0.0.1"], directory, port)
    assert os.listdir(f"{directory}/.well-known/acme-challenge") == []


def test_all_names_that_fail_are_in_one_error(webroot: tuple[str, int]) -> None:
    directory, port = webroot
    with pytest.raises(CertificatesError) as error:
        challenge.check_names(["localhost", "nowhere.invalid", "127.0.0.2"], directory, port)
    lines = str(error.value).splitlines()
    assert lines[0].startswith("2 of 3 names do not lead to this host's challenge directory")
    assert lines[1].startswith("- nowhere.invalid: does not resolve")
    assert lines[2] == "- 127.0.0.2: resolves to 127.0.0.2: connection refused"
    assert os.listdir(f"{directory}/.well-known/acme-challenge") == []


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Redirect, "redirects to https://elsewhere.test/ (status 301)"),
        (Other, "answers with other content, another server is there"),
        (Quiet, "answers with status 404"),
    ],
    indirect=["other"],
)
def test_what_was_seen_is_said(other: int, words: str) -> None:
    assert challenge.look("127.0.0.1", "/x/y", "token", other) == f"resolves to 127.0.0.1: {words}"


def test_an_acme_server_that_is_down_is_named(webroot: tuple[str, int]) -> None:
    url = f"https://127.0.0.1:{webroot[1]}/dir"
    with pytest.raises(CertificatesError, match=f"cannot reach the ACME server at {url}: "):
        acme.needs_external_account(url)
    with pytest.raises(CertificatesError, match=r"the authorities in /nowhere\.pem cannot be read"):
        acme.needs_external_account(url, "/nowhere.pem")


@pytest.mark.parametrize("other", [Other], indirect=True)
def test_an_acme_server_says_whether_it_wants_an_external_account(other: int) -> None:
    assert acme.needs_external_account(f"http://127.0.0.1:{other}/dir")


@pytest.mark.parametrize("other", [Quiet], indirect=True)
def test_a_server_without_directory_is_no_acme_server(other: int) -> None:
    with pytest.raises(CertificatesError, match="answers with status 404"):
        acme.needs_external_account(f"http://127.0.0.1:{other}/dir")


def test_the_served_certificate_is_compared(tmp_path: Path, make_certificate: Make) -> None:
    cert = make_certificate(tmp_path, ["a.test"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, tmp_path / "privkey1.pem")
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(cert.read_text())).hexdigest()
    for server in serve(Quiet):
        server.socket = context.wrap_socket(server.socket, server_side=True)
        assert apache.is_served(["a.test"], fingerprint, port=server.server_port) is True
        assert apache.is_served(["a.test", "*.a.test"], "0" * 64, port=server.server_port) is False
        port = server.server_port
    assert apache.is_served(["a.test"], fingerprint, port=port) is None


def test_files_that_refer_to_a_certificate_are_found(tmp_path: Path) -> None:
    sites = tmp_path / "sites-enabled"
    sites.mkdir()
    (sites / "a.conf").write_text("  SSLCertificateFile /etc/letsencrypt/live/a.test/fullchain.pem\n")
    (sites / "b.conf").write_text("# SSLCertificateFile /etc/letsencrypt/live/a.test/fullchain.pem\n")
    (sites / "c.conf").write_text("SSLCertificateFile /etc/letsencrypt/live/a.test-2/fullchain.pem\n")
    assert apache.references("a.test", root=str(tmp_path)) == [str(sites / "a.conf")]


def test_answers_and_tokens_of_a_killed_run_are_found_and_others_are_not(tmp_path: Path) -> None:
    directory = tmp_path / ".well-known" / "acme-challenge"
    directory.mkdir(parents=True)
    token = "gB26FI7_3tjRjeDzQVVqgJ9uQvl6nMmbDMoj8CXtzeQ"
    (directory / token).write_text(f"{token}.thumbprint")
    (directory / "gatehouse-0123").write_text("gatehouse-0123")
    (directory / ".gatehouse-4567").write_text("half a to")
    (directory / "somebody-elses-file-of-some-length").write_text("hello")
    found = leftovers.find_leftovers(str(tmp_path))
    assert found == [str(directory / name) for name in (".gatehouse-4567", token, "gatehouse-0123")]


def test_no_certbot_starts_while_its_locks_are_held(tmp_path: Path) -> None:
    locks = (str(tmp_path / ".certbot.lock"), str(tmp_path / "none" / ".certbot.lock"))
    with leftovers.hold_locks(locks):
        child = os.fork()
        if child == 0:
            os._exit(0 if leftovers.certbot_is_running(locks) else 1)
        assert os.waitpid(child, 0)[1] == 0
        child = os.fork()
        if child == 0:
            with contextlib.suppress(CertificatesError), leftovers.hold_locks(locks):
                os._exit(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert not leftovers.certbot_is_running(locks)
    assert os.listdir(tmp_path) == []


def test_a_lock_counts_while_a_process_holds_it(tmp_path: Path) -> None:
    lock = tmp_path / ".certbot.lock"
    assert not leftovers.certbot_is_running((str(lock),))
    lock.touch()
    assert not leftovers.certbot_is_running((str(lock),))
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        with lock.open("r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            os.write(ready[1], b"x")
            os.read(done[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    assert leftovers.certbot_is_running((str(lock),))
    os.write(done[1], b"x")
    os.waitpid(child, 0)
    assert not leftovers.certbot_is_running((str(lock),))
