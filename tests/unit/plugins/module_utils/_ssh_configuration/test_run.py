# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the controller."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._ssh_configuration import run
from ansible_collections.gatehouse.platform.plugins.module_utils._ssh_configuration.model import (
    Configuration,
    ConfigurationError,
    Host,
    Jump,
)

GATE = Host("gate", "203.0.113.2", 22, ("ssh-ed25519 AAAA",), "admin")
WEB = Host("web", "10.0.0.3", 22, ("ssh-ed25519 BBBB",), "admin")
CONFIGURATION = Configuration((GATE, WEB), Jump(GATE, "jump"), frozenset({"gate"}))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a short home of its own, as sockets cannot have long paths."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(run, "CONTROL_DIRECTORY_LIMIT", 4096)
    return tmp_path


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_private_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = run.write(CONFIGURATION, str(state))
    assert (first["changed"], first["jump_host"], first["hosts"]) == (True, "gate", ["gate", "web"])
    assert {path.name: mode(path) for path in state.iterdir()} == {
        "known_hosts": 0o600,
        "ssh_config": 0o600,
        "ssh_jump": 0o600,
    }
    assert mode(state) == mode(tmp_path / ".ansible/gatehouse") == 0o700
    second = run.write(CONFIGURATION, str(state))
    assert (second["changed"], second["diff"]) == (False, [])


def test_open_permissions_of_files_are_closed_and_a_directory_that_was_there_keeps_its_own(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o755)
    run.write(CONFIGURATION, str(state))
    (state / "ssh_config").chmod(0o666)
    assert run.write(CONFIGURATION, str(state))["changed"] is True
    assert (mode(state), mode(state / "ssh_config")) == (0o755, 0o600)


@pytest.mark.parametrize("open_to", [0o777, 0o770, 0o1777])
def test_a_directory_that_others_write_to_is_an_error_and_stays(tmp_path: Path, open_to: int) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(open_to)
    with pytest.raises(ConfigurationError, match=f"others may write to {state}, .*'chmod go-w {state}'"):
        run.write(CONFIGURATION, str(state))
    assert (mode(state), list(state.iterdir())) == (open_to, [])


def test_a_control_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".ansible").mkdir()
    (tmp_path / ".ansible/gatehouse").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="has to be a directory"):
        run.write(CONFIGURATION, str(tmp_path / "state"))


def test_a_short_home_keeps_sockets_beside_ansibles_own() -> None:
    assert run.control_directory("/home/operator", 1000) == "/home/operator/.ansible/gatehouse"


def test_a_long_home_moves_sockets_into_the_runtime_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(run, "RUNTIME_DIRECTORIES", str(tmp_path))
    assert run.control_directory("/home/" + "x" * 40, 1000) == "/tmp/gatehouse-1000"
    (tmp_path / "1000").mkdir()
    assert run.control_directory("/home/" + "x" * 40, 1000) == f"{tmp_path}/1000/gatehouse"


def test_the_limit_leaves_room_for_the_longest_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert len("/run/user/4294967295/gatehouse") <= run.CONTROL_DIRECTORY_LIMIT
    assert run.CONTROL_DIRECTORY_LIMIT + len("/12345678-" + "0" * 40 + "." + "x" * 16) < 104


def test_sockets_of_killed_connections_are_removed_and_live_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a path relative to it is short enough for a socket
    dead, live, unfinished = "0" * 8 + "-" + "0" * 40, "1" * 8 + "-" + "1" * 40, "2" * 8 + "-" + "2" * 40 + ".x"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as killed:
        server.bind(live)
        server.listen()
        killed.bind(dead)
        Path(unfinished).touch()
        run.remove_dead_sockets(".")
    assert sorted(os.listdir()) == sorted([live, unfinished])


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs the OpenSSH client")
def test_ssh_understands_what_was_written(tmp_path: Path) -> None:
    state = tmp_path / "a state"
    run.write(CONFIGURATION, str(state))
    command = ["ssh", "-G", "-F", str(state / "ssh_config"), "10.0.0.3"]
    settings = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert f"userknownhostsfile {state}/known_hosts" in settings
    assert {"hostkeyalias web", "user admin", "forwardagent no", "controlmaster auto"} <= set(settings)
    assert {"stricthostkeychecking true", "passwordauthentication no"} <= set(settings)
