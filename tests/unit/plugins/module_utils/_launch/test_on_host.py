# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an instance goes through its launch: what it fetches, when it is there, and when it is given up."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._launch import on_host

SETTINGS = {"fleet": "web", "wait": 5, "heartbeat": 1, "packages": ["python3-boto3"]}


def packed(text: str) -> bytes:
    """An archive with one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("meta/runtime.yml")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


class RefusedError(Exception):
    """As boto3 tells it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.response = {"Error": {"Code": code}}


class Account:
    """The release store as a dictionary, and what Auto Scaling was told."""

    def __init__(self, **objects: bytes) -> None:
        self.settings: dict[str, Any] = SETTINGS
        self.objects = objects
        self.told: list[str] = []
        self.logs = ""
        self.asked: list[str] = []

    def get(self, key: str) -> bytes:
        self.asked.append(key)
        if key not in self.objects:
            raise RefusedError("NoSuchKey", f"no such key {key}")
        return self.objects[key]

    def publish(self, release: str = "one", **more: Any) -> None:
        """A manifest, with what it names."""
        objects = {"web/collection": packed("collection"), "web/release": release.encode()}
        named = {key: {"key": key, "sha256": hashlib.sha256(data).hexdigest()} for key, data in objects.items()}
        manifest = {"format": 1, "collection": named["web/collection"], "releases": {"shop": named["web/release"]}}
        self.objects = {**objects, "web/current.json": json.dumps({**manifest, **more}).encode()}

    def heartbeats(self, _over: Any) -> None:
        self.told.append("lives")

    def save_log(self) -> None:
        self.logs = Path(on_host.LOG).read_text(encoding="utf-8")

    def complete(self, result: str) -> None:
        self.told.append(result)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    """An instance of its own, on which time flies and programs succeed."""
    made = Account()
    places = {"DATA": "data", "DONE": "data/launched", "LOG": "log", "OURS": "data/ours"}
    for name, place in places.items():
        monkeypatch.setattr(on_host, name, str(tmp_path / place))
    monkeypatch.setattr(on_host, "Account", lambda _settings: made)
    monkeypatch.setattr(on_host, "install", lambda _packages: None)
    monkeypatch.setattr(on_host, "run", lambda *_command, **_options: None)
    clock = [0.0]
    monkeypatch.setattr(on_host.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    monkeypatch.setattr(on_host.time, "monotonic", lambda: clock[0])
    return made


@pytest.fixture
def lock(tmp_path: Path) -> int:
    """The lock as main() holds it."""
    found = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(found, fcntl.LOCK_EX)
    return found


def is_free(lock: int) -> bool:
    """Whether somebody else could have it."""
    other = os.open(f"/proc/self/fd/{lock}", os.O_RDWR)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(other)
    return True


def test_an_instance_that_gets_there_says_so_and_never_tries_again(account: Account, lock: int) -> None:
    account.publish()
    assert on_host.launch(SETTINGS, lock) == 0
    assert account.told[-1] == "CONTINUE"
    assert Path(on_host.DONE).exists()
    assert Path(on_host.OURS, "meta/runtime.yml").read_text(encoding="utf-8") == "collection"
    assert Path(on_host.DATA, "releases/shop").read_bytes() == b"one"
    assert (Path(on_host.DATA) / "releases/shop").stat().st_mode & 0o777 == 0o600


def test_what_is_published_meanwhile_is_applied_before_visitors_come(
    account: Account, lock: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def run(*_command: str, **_options: Any) -> None:
        seen.append(Path(on_host.DATA, "releases/shop").read_bytes())
        if len(seen) == 1:
            account.publish("two")

    monkeypatch.setattr(on_host, "run", run)
    account.publish()
    assert on_host.launch(SETTINGS, lock) == 0
    assert seen == [b"one", b"two"]
    assert account.told == ["lives", "CONTINUE"]


def test_an_object_that_is_not_what_was_published_is_never_applied(account: Account, lock: int) -> None:
    account.publish()
    account.objects["web/release"] = b"another"
    assert on_host.launch(SETTINGS, lock) == 1
    assert account.told[-1] == "ABANDON"
    assert "web/release is not what was published: its SHA-256 is not the manifest's" in account.logs
    assert not Path(on_host.DATA, "releases").exists()
    assert not Path(on_host.DONE).exists()


def test_a_manifest_of_another_format_is_not_read_on(account: Account, lock: int) -> None:
    account.publish(format=2)
    assert on_host.launch(SETTINGS, lock) == 1
    assert "the manifest is of format 2, and this instance knows 1" in account.logs


def test_what_fails_once_is_tried_again_and_what_fails_twice_is_given_up(
    account: Account, lock: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([True, False, True, True])

    def run(*command: str, **_options: Any) -> None:
        if next(failures):
            raise RuntimeError(f"{command[0]} ended with status 1")

    monkeypatch.setattr(on_host, "run", run)
    account.publish()
    assert on_host.launch(SETTINGS, lock) == 0
    assert on_host.launch(SETTINGS, lock) == 1
    assert account.told[-1] == "ABANDON"
    assert "tries again: /usr/bin/python3 ended with status 1" in account.logs
    assert account.logs.rstrip().endswith("This instance is given up: /usr/bin/python3 ended with status 1")


def test_others_may_configure_an_instance_that_waits_for_a_first_publication(account: Account, lock: int) -> None:
    seen: list[bool] = []
    get = account.get

    def look(key: str) -> bytes:
        if len(account.asked) == 2:
            seen.append(is_free(lock))
            account.publish()
        return get(key)

    account.get = look  # type: ignore[method-assign]
    assert on_host.launch(SETTINGS, lock) == 0
    assert seen == [True]
    assert not is_free(lock)


def test_nobody_configures_an_instance_whose_store_does_not_answer_just_now(account: Account, lock: int) -> None:
    seen: list[bool] = []
    get = account.get

    def look(key: str) -> bytes:
        if not seen:
            seen.append(is_free(lock))
            account.publish()
            raise RefusedError("SlowDown", "come later")
        seen.append(is_free(lock))
        return get(key)

    account.get = look  # type: ignore[method-assign]
    assert on_host.launch(SETTINGS, lock) == 0
    assert not any(seen)


def test_an_instance_that_is_ready_serves_although_the_store_does_not_answer_any_more(
    account: Account, lock: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_host, "run", lambda *_command, **_options: account.objects.clear())
    account.publish()
    assert on_host.launch(SETTINGS, lock) == 0
    assert account.told[-1] == "CONTINUE"


def test_a_publication_that_never_comes_is_not_waited_for_without_end(account: Account, lock: int) -> None:
    assert on_host.launch(SETTINGS, lock) == 1
    assert "web/current.json was not there for 5 seconds" in account.logs
    assert account.told[-1] == "ABANDON"


def test_an_instance_that_nobody_holds_has_nothing_to_complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Scaling:
        class exceptions:  # noqa: N801
            ClientError = RefusedError

        @staticmethod
        def complete_lifecycle_action(**_action: str) -> None:
            raise RefusedError("ValidationError", "No active Lifecycle Action found with instance ID i-1")

    monkeypatch.setattr(on_host, "LOG", str(tmp_path / "log"))
    bare = on_host.Account.__new__(on_host.Account)
    bare.scaling, bare.instance = Scaling, "i-1"
    bare.settings = {"group": "shop-web", "hook": "shop-web-ready"}
    bare.complete("CONTINUE")
    assert "no life-cycle action holds this instance" in (tmp_path / "log").read_text(encoding="utf-8")


def test_what_a_program_says_is_in_the_log_and_its_failure_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(on_host, "LOG", str(tmp_path / "log"))
    with pytest.raises(RuntimeError, match="sh ended with status 3"):
        on_host.run("sh", "-c", "echo said; exit 3")
    assert (tmp_path / "log").read_text(encoding="utf-8").rstrip().endswith(" said")
    with pytest.raises(RuntimeError, match="sleep ended with status 124"):
        on_host.run("sleep", "60", seconds=1)
