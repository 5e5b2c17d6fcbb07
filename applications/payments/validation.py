# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request has to look like: every finding at once, by field, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LARGEST_AMOUNT = 10_000_000_00
CURRENCIES = ("CHF", "EUR", "GBP", "USD")
METHODS = ("card", "cash", "transfer")

Findings = dict[str, str]


@dataclass(frozen=True)
class NewPayment:
    """A payment as it was asked for."""

    order_id: int
    amount_cents: int
    currency: str
    method: str


def _integer(value: Any, smallest: int, largest: int) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
        return f"has to be a whole number from {smallest} to {largest}"
    return None


def _choice(value: Any, choices: tuple[str, ...]) -> str | None:
    if not isinstance(value, str) or value not in choices:
        return f"has to be one of {', '.join(choices)}"
    return None


def _findings(data: dict[str, Any], checks: dict[str, str | None]) -> Findings:
    found = {key: "is not known" for key in data if key not in checks}
    found.update({field: finding for field, finding in checks.items() if finding})
    return found


def new_payment(data: Any) -> tuple[NewPayment | None, Findings]:
    """A payment, or the findings about it by field."""
    if not isinstance(data, dict):
        return None, {"": "the body has to be a JSON object"}
    checks = {
        "order_id": _integer(data.get("order_id"), 1, 2**53 - 1),
        "amount_cents": _integer(data.get("amount_cents"), 1, LARGEST_AMOUNT),
        "currency": _choice(data.get("currency"), CURRENCIES),
        "method": _choice(data.get("method"), METHODS),
    }
    found = _findings(data, checks)
    return (None, found) if found else (NewPayment(**data), {})


def refund(data: Any) -> tuple[int | None, Findings]:
    """The amount that shall go back, or the findings."""
    if not isinstance(data, dict):
        return None, {"": "the body has to be a JSON object"}
    found = _findings(data, {"amount_cents": _integer(data.get("amount_cents"), 1, LARGEST_AMOUNT)})
    return (None, found) if found else (data["amount_cents"], {})


def idempotency_key(value: str | None) -> tuple[str | None, Findings]:
    """The key of the Idempotency-Key header, which may be missing, or the finding."""
    if value is None or (0 < len(value) <= 128 and value.isascii() and value.isprintable()):
        return value, {}
    return None, {"Idempotency-Key": "has to be 1 to 128 printable ASCII characters"}
