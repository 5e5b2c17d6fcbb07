# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client of the orders API sees."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

ORDER = {"customer": "Ada", "items": [{"sku": "b-1", "quantity": 2, "unit_price_cents": 250}]}


def test_an_order_is_created_shown_and_listed(client: FlaskClient) -> None:
    answer = client.post("/orders", json=ORDER)
    assert (answer.status_code, answer.headers["Location"]) == (201, "/orders/1")
    assert answer.json["total_cents"] == 500
    assert client.get("/orders/1").json == answer.json
    assert client.get("/orders?customer=Ada").json["orders"] == [answer.json]
    assert client.get("/orders?customer=Eve").json == {"orders": [], "next": None}


def test_all_findings_come_at_once(client: FlaskClient) -> None:
    items = [{"sku": "", "quantity": 0, "unit_price_cents": True, "color": 1}, 7]
    answer = client.post("/orders", json={"customer": 3, "items": items, "vip": True})
    assert answer.status_code == 400
    assert set(answer.json["fields"]) == {
        "vip",
        "customer",
        "items.0.sku",
        "items.0.quantity",
        "items.0.unit_price_cents",
        "items.0.color",
        "items.1",
    }
    assert client.get("/orders").json["orders"] == []


@pytest.mark.parametrize("body", [[], "x", {}, {"customer": "A", "items": ORDER["items"] * 2}])
def test_a_wrong_body_is_refused(client: FlaskClient, body: Any) -> None:
    assert client.post("/orders", json=body).status_code == 400


def test_status_moves_only_forward(client: FlaskClient) -> None:
    client.post("/orders", json=ORDER)
    assert client.patch("/orders/1", json={"status": "paid"}).json["status"] == "paid"
    assert client.patch("/orders/1", json={"status": "paid"}).status_code == 200
    refused = client.patch("/orders/1", json={"status": "open"})
    assert (refused.status_code, refused.json["error"]) == (409, "order 1 is paid and cannot become open")
    assert client.patch("/orders/1", json={"status": []}).status_code == 400
    assert client.patch("/orders/2", json={"status": "paid"}).status_code == 404


def test_pages_follow_each_other(client: FlaskClient) -> None:
    for _ in range(3):
        client.post("/orders", json=ORDER)
    first = client.get("/orders?limit=2").json
    assert [order["id"] for order in first["orders"]] == [1, 2]
    assert [order["id"] for order in client.get(f"/orders?limit=2&after={first['next']}").json["orders"]] == [3]
    assert set(client.get("/orders?limit=0&after=x").json["fields"]) == {"limit", "after"}


def test_errors_are_json(client: FlaskClient) -> None:
    assert client.get("/nothing").json["error"]
    assert client.get("/orders/99999999999999999999").status_code == 404
    assert client.delete("/orders").headers["Allow"]
    assert client.post("/orders", data="x", content_type="text/plain").status_code == 415
    assert client.post("/orders", data="{", content_type="application/json").json["error"]
    assert client.post("/orders", json={"customer": "x" * 70_000, "items": []}).status_code == 413


def test_public_addresses_come_from_the_one_proxy_in_front(client: FlaskClient) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "forged.example, orders.example"}
    assert client.get("/", headers=headers).json["orders"] == "https://orders.example/orders"
