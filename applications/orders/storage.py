# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database: one SQLite file below the state directory, shared by all workers and releases."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

BUSY_SECONDS = 5.0


def database_path() -> str:
    """Path of the database below $STATE_DIRECTORY (its first entry), or below ./state without one."""
    return os.path.join(os.environ.get("STATE_DIRECTORY", "state").split(":")[0], "orders.sqlite3")


def connect(path: str, busy_seconds: float = BUSY_SECONDS, create: bool = False) -> sqlite3.Connection:
    """Open the database; without ``create`` a missing file is an error, not an empty database."""
    mode = "rwc" if create else "rw"
    uri = f"file:{path.replace('%', '%25').replace('?', '%3f').replace('#', '%23')}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=busy_seconds, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A write transaction that takes the lock at its start, so that two writers wait instead of failing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def schema_version(connection: sqlite3.Connection) -> int:
    """Number of migrations that were applied."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def findings(path: str, expected_version: int) -> list[str]:
    """What keeps the service from working: nothing, when the database can be read and written."""
    try:
        connection = connect(path, busy_seconds=2.0)
        try:
            version = schema_version(connection)
            with transaction(connection):
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        return [f"the database {path} does not work: {error}"]
    if version < expected_version:
        return [f"the database has schema {version}, this release needs {expected_version}: run 'python migrate.py'"]
    return []
