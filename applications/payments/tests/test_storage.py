# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database under several processes, half-made schemas and a disk that does not answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from flask.testing import FlaskClient

Load = Callable[[str], ModuleType]
FOLDER = Path(__file__).parent.parent
INSERT = "INSERT INTO payments (order_id, amount_cents, currency, method) VALUES (?, ?, ?, ?)"
VALUES = (1, 1, "EUR", "card")


def test_health_names_service_and_release(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_RELEASE", "20260101-abc")
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "service": "payments", "release": "20260101-abc"}


def test_health_fails_without_a_database_and_tells_why(client: FlaskClient, tmp_path: Path) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    answer = client.get("/health")
    assert (answer.status_code, answer.json["status"]) == (503, "failing")
    assert "unable to open database file" in answer.json["findings"][0]
    assert client.get("/payments").status_code == 503
    assert list(tmp_path.iterdir()) == []


def test_health_asks_for_a_missing_migration(client: FlaskClient, load: Load) -> None:
    connection = load("storage").connect(load("storage").database_path())
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert "run 'python migrate.py'" in client.get("/health").json["findings"][0]


def test_the_release_before_goes_on_with_a_newer_schema(client: FlaskClient, load: Load) -> None:
    connection = load("storage").connect(load("storage").database_path())
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert client.get("/health").status_code == 200


def test_migrations_started_together_are_applied_once(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "migrate.py"],
            cwd=FOLDER,
            env={"STATE_DIRECTORY": str(tmp_path / "new")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(4)
    ]
    output = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, output
    applied = [line.partition(": ")[2] for line in output if "applied" in line]
    assert sorted(number for line in applied for number in line.strip().split(", ")) == ["1", "2"]


def test_many_writers_at_once_all_get_through(client: FlaskClient, load: Load) -> None:
    storage = load("storage")

    def write(_number: int) -> None:
        connection = storage.connect(storage.database_path())
        with storage.transaction(connection):
            connection.execute(INSERT, VALUES)
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(64)))
    assert len(client.get("/payments?limit=200").json["payments"]) == 64


def test_what_fails_in_a_transaction_leaves_nothing(client: FlaskClient, load: Load) -> None:
    storage = load("storage")
    connection = storage.connect(storage.database_path())

    def fail_halfway() -> None:
        with storage.transaction(connection):
            connection.execute(INSERT, VALUES)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    connection.close()
    assert client.get("/payments").json["payments"] == []
