# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client of the payments API sees."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

PAYMENT = {"order_id": 7, "amount_cents": 500, "currency": "EUR", "method": "card"}


def test_a_payment_is_created_shown_and_listed(client: FlaskClient) -> None:
    answer = client.post("/payments", json=PAYMENT)
    assert (answer.status_code, answer.headers["Location"]) == (201, "/payments/1")
    assert client.get("/payments/1").json == answer.json
    assert client.get("/payments?order_id=7").json == {"payments": [answer.json], "next": None}
    assert client.get("/payments?order_id=8").json["payments"] == []
    assert client.get("/payments?order_id=x&limit=0").json["fields"].keys() == {"order_id", "limit"}


def test_all_findings_come_at_once(client: FlaskClient) -> None:
    answer = client.post("/payments", json={"order_id": "7", "amount_cents": 0, "currency": "ZZZ", "tip": 1})
    assert answer.status_code == 400
    assert set(answer.json["fields"]) == {"order_id", "amount_cents", "currency", "method", "tip"}


@pytest.mark.parametrize("body", [[], 1, {}, {**PAYMENT, "amount_cents": 1.5}, {**PAYMENT, "order_id": True}])
def test_a_wrong_body_is_refused(client: FlaskClient, body: Any) -> None:
    assert client.post("/payments", json=body).status_code == 400


def test_a_repeated_request_does_not_pay_twice(client: FlaskClient) -> None:
    headers = {"Idempotency-Key": "k-1"}
    assert client.post("/payments", json=PAYMENT, headers=headers).status_code == 201
    assert client.post("/payments", json=PAYMENT, headers=headers).status_code == 200
    assert client.post("/payments", json={**PAYMENT, "amount_cents": 1}, headers=headers).status_code == 409
    assert len(client.get("/payments").json["payments"]) == 1
    assert client.post("/payments", json=PAYMENT, headers={"Idempotency-Key": "x" * 129}).status_code == 400


def test_no_more_is_given_back_than_was_paid(client: FlaskClient) -> None:
    client.post("/payments", json=PAYMENT)
    assert client.post("/payments/1/refunds", json={"amount_cents": 300}).json["refunded_cents"] == 300
    refused = client.post("/payments/1/refunds", json={"amount_cents": 300})
    assert (refused.status_code, refused.json["error"]) == (409, "payment 1 has 200 cents left to give back, not 300")
    assert client.post("/payments/2/refunds", json={"amount_cents": 1}).status_code == 404
    assert client.post("/payments/1/refunds", json={}).status_code == 400


def test_errors_are_json(client: FlaskClient) -> None:
    assert client.get("/nothing").json["error"]
    assert client.delete("/payments").headers["Allow"]
    assert client.post("/payments", data="x", content_type="text/plain").status_code == 415
