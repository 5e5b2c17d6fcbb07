# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the database to this release's schema: ``python migrate.py``, once per release, before it is started.

Migrations only ever add, so that the release before this one can go on working
beside it. Each is applied in a transaction of its own: two runs at a time wait
for each other, and a killed one leaves the schema of the last whole migration.
"""

from __future__ import annotations

import os

from storage import connect, database_path, schema_version, transaction

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE payments (
            id INTEGER PRIMARY KEY,
            order_id INTEGER NOT NULL,
            amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
            refunded_cents INTEGER NOT NULL DEFAULT 0 CHECK (refunded_cents BETWEEN 0 AND amount_cents),
            currency TEXT NOT NULL,
            method TEXT NOT NULL,
            created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
        )
        """,
        "CREATE INDEX payments_by_order ON payments (order_id, id)",
    ),
    (
        "ALTER TABLE payments ADD COLUMN idempotency_key TEXT",
        "CREATE UNIQUE INDEX payments_by_key ON payments (idempotency_key) WHERE idempotency_key IS NOT NULL",
    ),
)

EXPECTED_VERSION = len(MIGRATIONS)


def migrate(path: str) -> list[int]:
    """Apply what is missing and return the numbers of the migrations that were applied."""
    os.makedirs(os.path.dirname(path) or ".", mode=0o750, exist_ok=True)
    connection = connect(path, busy_seconds=30.0, create=True)
    applied = []
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        for number, statements in enumerate(MIGRATIONS, start=1):
            with transaction(connection):
                if schema_version(connection) >= number:
                    continue
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
                applied.append(number)
    finally:
        connection.close()
    return applied


if __name__ == "__main__":
    done = migrate(database_path())
    print(f"applied migrations: {', '.join(map(str, done))}" if done else "nothing to migrate")
