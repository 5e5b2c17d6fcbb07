# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request has to look like: every finding at once, by field, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LARGEST_INTEGER = 2**53 - 1  # what every JSON reader holds exactly
TRANSITIONS = {"open": {"paid", "cancelled"}, "paid": {"shipped", "cancelled"}, "shipped": set(), "cancelled": set()}

Findings = dict[str, str]


@dataclass(frozen=True)
class Item:
    """One line of an order."""

    sku: str
    quantity: int
    unit_price_cents: int


@dataclass(frozen=True)
class NewOrder:
    """An order as it was asked for."""

    customer: str
    items: tuple[Item, ...]


def _text(value: Any, longest: int) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "has to be a text that is not empty"
    if len(value.strip()) > longest:
        return f"has to be at most {longest} characters long"
    return None if value.isprintable() else "has to be printable"


def _integer(value: Any, smallest: int, largest: int = LARGEST_INTEGER) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
        return f"has to be a whole number from {smallest} to {largest}"
    return None


def _unknown(data: dict[str, Any], known: set[str], prefix: str = "") -> Findings:
    return {f"{prefix}{key}": "is not known" for key in data if key not in known}


def _item(data: Any, path: str) -> Findings:
    if not isinstance(data, dict):
        return {path: "has to be an object"}
    checks = {
        "sku": _text(data.get("sku"), 64),
        "quantity": _integer(data.get("quantity"), 1, 10_000),
        "unit_price_cents": _integer(data.get("unit_price_cents"), 0, 100_000_000),
    }
    wrong = {f"{path}.{field}": finding for field, finding in checks.items() if finding}
    return {**wrong, **_unknown(data, set(checks), f"{path}.")}


def new_order(data: Any) -> tuple[NewOrder | None, Findings]:
    """An order, or the findings about it by field (``items.0.sku``)."""
    if not isinstance(data, dict):
        return None, {"": "the body has to be a JSON object"}
    found = _unknown(data, {"customer", "items"})
    if finding := _text(data.get("customer"), 200):
        found["customer"] = finding
    items = data.get("items")
    if not isinstance(items, list) or not 1 <= len(items) <= 100:
        found["items"] = "has to be a list of 1 to 100 items"
    else:
        for position, item in enumerate(items):
            found.update(_item(item, f"items.{position}"))
    if found:
        return None, found
    lines = tuple(Item(item["sku"].strip(), item["quantity"], item["unit_price_cents"]) for item in data["items"])
    twice = {line.sku for line in lines if sum(other.sku == line.sku for other in lines) > 1}
    if twice:
        return None, {"items": f"names {', '.join(sorted(twice))} more than once"}
    return NewOrder(data["customer"].strip(), lines), {}


def new_status(data: Any) -> tuple[str | None, Findings]:
    """The status that an order shall get, or the findings."""
    if not isinstance(data, dict):
        return None, {"": "the body has to be a JSON object"}
    found = _unknown(data, {"status"})
    status = data.get("status")
    if not isinstance(status, str) or status not in TRANSITIONS:
        found["status"] = f"has to be one of {', '.join(TRANSITIONS)}"
    return (None, found) if found else (status, {})
