# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Payments: a JSON API with its own database. ``gunicorn app:app``."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request, url_for
from service import build, database, invalid, page, refused
from storage import transaction
from validation import NewPayment, idempotency_key, new_payment, refund

api = Blueprint("payments", __name__)
ANY_ID = "int(max=9007199254740991)"
ASKED = ("order_id", "amount_cents", "currency", "method")


def as_json(row: sqlite3.Row) -> dict[str, Any]:
    """A payment as the API shows it."""
    return {
        "id": row["id"],
        "url": url_for("payments.show", number=row["id"], _external=True),
        **{key: row[key] for key in (*ASKED, "refunded_cents", "created")},
    }


def find(number: int) -> sqlite3.Row | None:
    """One payment."""
    row: sqlite3.Row | None = database().execute("SELECT * FROM payments WHERE id = ?", (number,)).fetchone()
    return row


def store(payment: NewPayment, key: str | None) -> tuple[sqlite3.Row, bool]:
    """The payment, and whether it is new: a key that was seen before gives the payment of then."""
    with transaction(database()) as connection:
        if key is not None:
            row = connection.execute("SELECT * FROM payments WHERE idempotency_key = ?", (key,)).fetchone()
            if row is not None:
                return row, False
        number = connection.execute(
            "INSERT INTO payments (order_id, amount_cents, currency, method, idempotency_key) VALUES (?, ?, ?, ?, ?)",
            (payment.order_id, payment.amount_cents, payment.currency, payment.method, key),
        ).lastrowid
        return connection.execute("SELECT * FROM payments WHERE id = ?", (number,)).fetchone(), True


@api.get("/")
def index() -> Response:
    """What there is."""
    return jsonify(service="payments", payments=url_for("payments.listing", _external=True))


@api.get("/payments")
def listing() -> Response:
    """Payments by number, a page at a time, of one order on demand."""
    limit, after, found = page()
    order = request.args.get("order_id")
    if order is not None and not (order.isascii() and order.isdigit() and len(order) < 17):
        found["order_id"] = "has to be a whole number"
    if found:
        return invalid(found)
    chosen = "" if order is None else "AND order_id = :order "
    values = {"after": after, "limit": limit, "order": None if order is None else int(order)}
    rows = database().execute(f"SELECT * FROM payments WHERE id > :after {chosen}ORDER BY id LIMIT :limit", values)
    payments = [as_json(row) for row in rows.fetchall()]
    return jsonify(payments=payments, next=payments[-1]["id"] if len(payments) == limit else None)


@api.post("/payments")
def create() -> Response:
    """A new payment: 201; 200 when the same request came before under the same Idempotency-Key."""
    payment, found = new_payment(request.get_json())
    key, wrong = idempotency_key(request.headers.get("Idempotency-Key"))
    if payment is None or wrong:
        return invalid({**found, **wrong})
    row, new = store(payment, key)
    if not new and any(row[name] != getattr(payment, name) for name in ASKED):
        return refused(409, "this Idempotency-Key was used for another payment")
    response = make_response(jsonify(as_json(row)), 201 if new else 200)
    response.headers["Location"] = url_for("payments.show", number=row["id"])
    return response


@api.get(f"/payments/<{ANY_ID}:number>")
def show(number: int) -> Response:
    """One payment."""
    row = find(number)
    return jsonify(as_json(row)) if row else refused(404, f"there is no payment {number}")


@api.post(f"/payments/<{ANY_ID}:number>/refunds")
def give_back(number: int) -> Response:
    """Give a part or all of a payment back: never more than was paid."""
    amount, found = refund(request.get_json())
    if amount is None:
        return invalid(found)
    with transaction(database()) as connection:
        row = find(number)
        if row is None:
            return refused(404, f"there is no payment {number}")
        rest = row["amount_cents"] - row["refunded_cents"]
        if amount > rest:
            return refused(409, f"payment {number} has {rest} cents left to give back, not {amount}")
        connection.execute("UPDATE payments SET refunded_cents = refunded_cents + ? WHERE id = ?", (amount, number))
    row = find(number)
    assert row is not None
    return jsonify(as_json(row))


app = build("payments", api)
