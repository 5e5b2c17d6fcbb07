# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources on the controller: what counts for the fingerprint, what is packed, what is refused."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import releases, source
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    Release,
    Service,
    WebServiceError,
)


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def read(root: Path, **given: str) -> source.Source:
    return source.read(given, str(root), str(root / "cache"))


def test_caches_and_version_control_do_not_count(tmp_path: Path) -> None:
    app = tree(tmp_path / "app", {"app.py": "1", "lib/a.py": "2"})
    before = read(tmp_path, directory="app")
    tree(app, {"__pycache__/app.pyc": "x", ".git/HEAD": "x", ".venv/bin/python": "x", "lib/a.pyc": "x"})
    after = read(tmp_path, directory="app")
    assert after.fingerprint == before.fingerprint
    assert after.archive() == before.archive()


@pytest.mark.parametrize("change", ["content", "name", "mode"])
def test_content_names_and_the_executable_bit_count(tmp_path: Path, change: str) -> None:
    app = tree(tmp_path / "app", {"app.py": "1", "run.sh": "2"})
    before = read(tmp_path, directory="app").fingerprint
    if change == "content":
        (app / "app.py").write_text("3")
    elif change == "name":
        (app / "app.py").rename(app / "main.py")
    else:
        (app / "run.sh").chmod(0o755)
    assert read(tmp_path, directory="app").fingerprint != before


def test_time_and_order_do_not_count(tmp_path: Path) -> None:
    one = tree(tmp_path / "one", {"a": "1", "b": "2"})
    tree(tmp_path / "two", {"b": "2", "a": "1"})
    os.utime(one / "a", (0, 0))
    assert read(tmp_path, directory="one").archive() == read(tmp_path, directory="two").archive()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"directory": "none"}, "none does not exist"),
        ({"directory": "empty"}, "holds no files"),
        ({"archive": "none.tar.gz"}, "none.tar.gz does not exist"),
        ({"archive": "text.tar.gz"}, "cannot be read"),
        (
            {"git": "none", "revision": "main"},
            "revision main of .*none cannot be had: fatal: .*none' does not appear to be a git",
        ),
    ],
)
def test_a_source_that_does_not_exist_is_told(tmp_path: Path, given: dict[str, str], message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar.gz").write_text("no archive")
    with pytest.raises(WebServiceError, match=message):
        read(tmp_path, **given)


def test_links_out_of_the_source_are_refused(tmp_path: Path) -> None:
    app = tree(tmp_path / "app", {"app.py": "1"})
    (app / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(WebServiceError, match="leads out of the source"):
        read(tmp_path, directory="app")


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives_that_lead_out_are_refused(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / "bad"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, "x")
    else:
        with tarfile.open(path, "w:gz") as tar:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    with pytest.raises(WebServiceError, match="leads out of it"):
        read(tmp_path, archive="bad")


def test_archives_and_directories_of_the_same_content_are_the_same(tmp_path: Path) -> None:
    app = tree(tmp_path / "app", {"app.py": "1", "lib/a.py": "2", "requirements.txt": "flask"})
    with tarfile.open(tmp_path / "app.tar.gz", "w:gz") as tar:
        tar.add(app, "app-1.0")
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        for path in app.rglob("*"):
            archive.write(path, path.relative_to(app))
    wanted = read(tmp_path, directory="app").fingerprint
    assert read(tmp_path, archive="app.tar.gz").fingerprint == wanted
    assert read(tmp_path, archive="app.zip").fingerprint == wanted


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.test"]
    command = ["git", "-C", str(directory), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_git_revision_is_read_and_a_known_commit_needs_no_repository(tmp_path: Path) -> None:
    repository = tree(tmp_path / "repository", {"app.py": "1"})
    git(tmp_path, "init", "-q", "-b", "main", str(repository))
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "one")
    git(repository, "tag", "v1")
    (repository / "app.py").write_text("2")
    git(repository, "commit", "-qam", "two")
    first, second = read(tmp_path, git="repository", revision="v1"), read(tmp_path, git="repository", revision="main")
    assert first.tree["app.py"][1] == b"1"
    assert second.tree["app.py"][1] == b"2"
    with pytest.raises(WebServiceError, match=r"revision v2 of .* cannot be had"):
        read(tmp_path, git="repository", revision="v2")
    commit = git(repository, "rev-parse", "v1")
    repository.rename(tmp_path / "gone")
    assert read(tmp_path, git="repository", revision=commit).fingerprint == first.fingerprint


def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(WebServiceError) as caught:
        read(tmp_path, git="https://me:secret@127.0.0.1:1/x.git", revision="main")
    assert "secret" not in str(caught.value)


def test_included_requirements_are_put_in_place() -> None:
    files = {
        "requirements.txt": "-r more/base.txt\nflask\n",
        "more/base.txt": "-r deep.txt\n",
        "more/deep.txt": "jinja2",
    }
    content = {name: (False, text.encode()) for name, text in files.items()}
    assert source.requirements(content) == "jinja2\nflask\n"
    with pytest.raises(WebServiceError, match=r"requirements.txt includes none.txt"):
        source.requirements({"requirements.txt": (False, b"-r none.txt")})


def test_a_package_is_a_requirement_and_no_archive(tmp_path: Path) -> None:
    found = read(tmp_path, package="shop", version="1.2")
    assert (found.requirements, found.tree) == ("shop==1.2\n", {})


@pytest.fixture
def srv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        "ansible_collections.gatehouse.platform.plugins.module_utils._web_services.units.SERVICES", str(tmp_path)
    )
    (tmp_path / "orders/releases").mkdir(parents=True)
    return tmp_path / "orders/releases"


def test_an_unpacked_release_is_what_was_packed(srv: Path, tmp_path: Path) -> None:
    app = tree(tmp_path / "app", {"app.py": "1", "bin/run": "2"})
    (app / "bin/run").chmod(0o755)
    found = read(tmp_path, directory="app")
    releases.unpack("orders", "one", Release(found.fingerprint), found.archive())
    assert (srv / "one/app.py").read_text() == "1"
    assert (srv / "one/bin/run").stat().st_mode & 0o777 == 0o755
    assert releases.releases("orders") == {"one": Release(found.fingerprint)}
    assert releases.half_made("orders") == []


def test_nothing_half_unpacked_stays_when_the_disk_is_full(srv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    archive = source.Source("", {"app.py": (False, b"1")}, "").archive()
    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(WebServiceError, match=r"release one cannot be unpacked below .*: .*No space left on device"):
        releases.unpack("orders", "one", Release("f"), archive)
    assert list(srv.iterdir()) == []


def test_an_archive_that_leads_out_is_not_unpacked(srv: Path) -> None:
    archive = source.Source("", {"../evil": (False, b"1")}, "").archive()
    with pytest.raises(WebServiceError, match="lies outside"):
        releases.unpack("orders", "one", Release("f"), archive)
    assert list(srv.iterdir()) == []


def test_what_a_killed_run_left_is_found(srv: Path) -> None:
    (srv / ".new-one").mkdir()
    (srv.parent / "environments/abc/bin").mkdir(parents=True)
    assert [os.path.basename(path) for path in releases.half_made("orders")] == [".new-one", "abc"]


def test_an_environment_that_another_service_has_is_copied_with_its_paths(srv: Path) -> None:
    services = srv.parent.parent
    (services / "orders/environments/abc/bin").mkdir(parents=True)
    tree(services / "orders/environments/abc", {"bin/gunicorn": f"#!{services}/orders/environments/abc/bin/python\n"})
    (services / "orders/environments/abc/bin/python").symlink_to("/usr/bin/python3")
    (services / "orders/environments/abc/.complete").touch()
    (services / "payments/environments").mkdir(parents=True)
    releases.build_environment(Service("payments", 5002), "abc", "flask")
    copy = services / "payments/environments/abc"
    assert (copy / "bin/gunicorn").read_text() == f"#!{copy}/bin/python\n"
    assert (copy / "bin/python").is_symlink()
    assert releases.environments("payments") == {"abc"}
