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
        CREATE TABLE orders (
            id INTEGER PRIMARY KEY,
            customer TEXT NOT NULL,
            status TEXT NOT NULL DEFAULT 'open',
            created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
        )
        """,
        """
        CREATE TABLE items (
            order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
            sku TEXT NOT NULL,
            quantity INTEGER NOT NULL CHECK (quantity > 0),
            unit_price_cents INTEGER NOT NULL CHECK (unit_price_cents >= 0),
            PRIMARY KEY (order_id, sku)
        ) WITHOUT ROWID
        """,
    ),
    ("CREATE INDEX orders_by_customer ON orders (customer, id)",),
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
