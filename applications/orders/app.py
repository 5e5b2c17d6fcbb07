# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders: a JSON API with its own database. ``gunicorn app:app``."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request, url_for
from service import build, database, invalid, page, refused
from storage import transaction
from validation import TRANSITIONS, NewOrder, new_order, new_status

api = Blueprint("orders", __name__)
ANY_ID = "int(max=9007199254740991)"


def as_json(row: sqlite3.Row, items: list[sqlite3.Row]) -> dict[str, Any]:
    """An order as the API shows it."""
    return {
        "id": row["id"],
        "url": url_for("orders.show", number=row["id"], _external=True),
        "customer": row["customer"],
        "status": row["status"],
        "created": row["created"],
        "total_cents": sum(item["quantity"] * item["unit_price_cents"] for item in items),
        "items": [{key: item[key] for key in ("sku", "quantity", "unit_price_cents")} for item in items],
    }


def find(number: int) -> dict[str, Any] | None:
    """One order with its items."""
    row = database().execute("SELECT * FROM orders WHERE id = ?", (number,)).fetchone()
    items = database().execute("SELECT * FROM items WHERE order_id = ? ORDER BY sku", (number,)).fetchall()
    return as_json(row, items) if row else None


def store(order: NewOrder) -> int:
    """Write an order and its items in one transaction; the number it got."""
    with transaction(database()) as connection:
        number = connection.execute("INSERT INTO orders (customer) VALUES (?)", (order.customer,)).lastrowid
        assert number is not None
        connection.executemany(
            "INSERT INTO items (order_id, sku, quantity, unit_price_cents) VALUES (?, ?, ?, ?)",
            [(number, item.sku, item.quantity, item.unit_price_cents) for item in order.items],
        )
    return number


@api.get("/")
def index() -> Response:
    """What there is."""
    return jsonify(service="orders", orders=url_for("orders.listing", _external=True))


@api.get("/orders")
def listing() -> Response:
    """Orders by number, a page at a time, of one customer on demand."""
    limit, after, found = page()
    if found:
        return invalid(found)
    customer = request.args.get("customer")
    chosen = "" if customer is None else "AND customer = :customer "
    values = {"after": after, "limit": limit, "customer": customer}
    rows = database().execute(f"SELECT * FROM orders WHERE id > :after {chosen}ORDER BY id LIMIT :limit", values)
    orders = [find(row["id"]) for row in rows.fetchall()]
    return jsonify(orders=orders, next=orders[-1]["id"] if len(orders) == limit and orders[-1] else None)


@api.post("/orders")
def create() -> Response:
    """A new order: 201 and its place."""
    order, found = new_order(request.get_json())
    if order is None:
        return invalid(found)
    number = store(order)
    response = make_response(jsonify(find(number)), 201)
    response.headers["Location"] = url_for("orders.show", number=number)
    return response


@api.get(f"/orders/<{ANY_ID}:number>")
def show(number: int) -> Response:
    """One order."""
    order = find(number)
    return jsonify(order) if order else refused(404, f"there is no order {number}")


@api.patch(f"/orders/<{ANY_ID}:number>")
def change(number: int) -> Response:
    """Another status, where the present one allows it; to repeat a change is no error."""
    status, found = new_status(request.get_json())
    if status is None:
        return invalid(found)
    with transaction(database()) as connection:
        row = connection.execute("SELECT status FROM orders WHERE id = ?", (number,)).fetchone()
        if row is None:
            return refused(404, f"there is no order {number}")
        if status != row["status"] and status not in TRANSITIONS[row["status"]]:
            return refused(409, f"order {number} is {row['status']} and cannot become {status}")
        connection.execute("UPDATE orders SET status = ? WHERE id = ?", (status, number))
    return jsonify(find(number))


app = build("orders", api)
