# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clones on the controller: read by many at once, renewed when damaged, credentials seen by nobody."""

from __future__ import annotations

import base64
import concurrent.futures
import multiprocessing
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import git
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError


def run(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.test"]
    command = ["git", "-C", str(directory), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def names(tar: tarfile.TarFile) -> list[str]:
    return sorted(tar.getnames())


def read(repository: Path | str, cache: Path, revision: str = "main") -> list[str]:
    return git.read(str(repository), revision, str(cache), names)[1]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    run(tmp_path, "init", "-q", "-b", "main", str(path))
    for name in ("one", "two"):
        (path / name).write_text(name * 100000)
        run(path, "add", "-A")
        run(path, "commit", "-qm", name)
        run(path, "tag", name)
    return path


def test_many_processes_read_one_repository_at_once(repository: Path, tmp_path: Path) -> None:
    revisions = ["one", "two"] * 6
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(6, mp_context=context) as pool:
        found = list(pool.map(partial(read, repository, tmp_path / "cache"), revisions))
    assert found == [["one"], ["one", "two"]] * 6
    assert not list(tmp_path.glob("cache/git/*/*.tar"))


@pytest.mark.parametrize("damage", ["HEAD", "packed-refs.lock", "config"])
def test_a_damaged_clone_is_renewed(repository: Path, tmp_path: Path, damage: str) -> None:
    read(repository, tmp_path / "cache")
    (clone,) = (path for path in tmp_path.glob("cache/git/*") if path.is_dir())
    before = clone.stat().st_ino
    if damage == "HEAD":
        (clone / "HEAD").unlink()
    elif damage == "packed-refs.lock":
        (clone / damage).touch()
        run(clone, "update-ref", "refs/tags/gone-upstream", "refs/tags/one")
    else:
        (clone / "config").write_text("[half")
    assert read(repository, tmp_path / "cache") == ["one", "two"]
    assert clone.stat().st_ino != before
    assert not list(tmp_path.glob("cache/git/*.new"))


def test_what_an_unreachable_repository_gave_before_stays(repository: Path, tmp_path: Path) -> None:
    commit = run(repository, "rev-parse", "one")
    read(repository, tmp_path / "cache")
    repository.rename(tmp_path / "away")
    with pytest.raises(WebServiceError, match=r"revision main of .* cannot be had"):
        read(repository, tmp_path / "cache")
    assert read(repository, tmp_path / "cache", commit) == ["one"]


def test_a_revision_that_does_not_exist_is_told(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(WebServiceError, match=r"revision v9 of .* cannot be had: it has no such branch or commit"):
        read(repository, tmp_path / "cache", "v9")


@pytest.mark.parametrize(
    ("url", "clean", "user", "password"),
    [
        ("https://example.test/x.git", "https://example.test/x.git", "", ""),
        ("https://me:secret@example.test/x.git", "https://example.test/x.git", "me", "secret"),
        ("https://me:p@ss@example.test/x.git", "https://example.test/x.git", "me", "p@ss"),
        ("https://me:p/a@s/s@example.test/x.git", "https://example.test/x.git", "me", "p/a@s/s"),
        ("https://me:p%40ss@example.test:8443/x", "https://example.test:8443/x", "me", "p@ss"),
        ("https://token@example.test/x.git", "https://example.test/x.git", "token", ""),
        ("https://example.test:8443/@scope/x.git", "https://example.test:8443/@scope/x.git", "", ""),
        ("ssh://git@example.test/x.git", "ssh://git@example.test/x.git", "", ""),
        ("git@example.test:x.git", "git@example.test:x.git", "", ""),
    ],
)
def test_credentials_are_parted_from_the_address(url: str, clean: str, user: str, password: str) -> None:
    assert git.remote(url) == git.Remote(clean, user, password)
    assert not password or password not in git.shown(f"fatal: cannot read '{url}'")


class Guarded(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(b"me:s3/cr@t 'q'").decode()
        if self.headers.get("Authorization") == wanted:
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.end_headers()
        return None

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def served(repository: Path) -> Iterator[str]:
    run(repository, "update-server-info")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Guarded, directory=str(repository / ".git"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_no_argument_of_git_and_no_file_holds_the_password(
    served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    monkeypatch.setenv("NO_PROXY", "*")
    assert read(f"http://me:s3/cr@t%20'q'@{served}", tmp_path / "cache") == ["one", "two"]
    assert f"http://{served}" in trace.read_text()
    texts = [path.read_bytes() for path in (trace, *tmp_path.glob("cache/git/**/*")) if path.is_file()]
    assert not any(b"s3/cr" in text for text in texts)
    with pytest.raises(WebServiceError) as caught:
        read(f"http://me:wrong/pass@{served}", tmp_path / "cache")
    assert "wrong" not in str(caught.value)
