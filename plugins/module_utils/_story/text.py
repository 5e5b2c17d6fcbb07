# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: results of tasks as lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

MOST_LINES = 30
META = ("changed", "failed", "invocation", "exception", "ansible_facts", "skipped", "warnings", "deprecations")


def debug_lines(data: Mapping[str, Any]) -> list[str]:
    """What a debug task shows: text as it is, a list of texts as lines, a variable as JSON."""
    if "msg" in data:
        return _lines(data["msg"])
    shown = {key: value for key, value in data.items() if key not in META and not key.startswith("_ansible")}
    return [line for key, value in shown.items() for line in f"{key}: {_text(value)}".splitlines()]


def change_lines(data: Mapping[str, Any]) -> list[str]:
    """The sentences about what was changed, where a module returns them as its plan."""
    plan = data.get("plan")
    sentences = plan if isinstance(plan, list) else []
    return [f"    - {sentence}" for sentence in sentences]


def failure_lines(data: Mapping[str, Any]) -> list[str]:
    """The message with its own line breaks, of every failed item, and the end of what a program said."""
    items = [item for item in data.get("results") or () if isinstance(item, Mapping) and item.get("failed")]
    return [line for one in items or [data] for line in _failure(one)]


def recap_line(host: str, summary: Mapping[str, int]) -> str:
    """A host's line of the recap, as Ansible's own output has it."""
    names = {"failures": "failed"}
    keys = ("ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored")
    return f"{host:<26} : " + " ".join(f"{names.get(key, key)}={summary[key]:<4}" for key in keys).rstrip()


def _failure(data: Mapping[str, Any]) -> Iterator[str]:
    message = str(data.get("msg") or "").strip()
    yield from message.splitlines()
    for key in ("stderr", "stdout"):
        said = str(data.get(key) or "").strip()
        if said and said not in message:
            yield from (f"  {line}" for line in said.splitlines()[-MOST_LINES:])
            return
    if not message:
        yield from _text({key: value for key, value in data.items() if key not in META}).splitlines()


def _lines(value: Any) -> list[str]:
    if isinstance(value, list):
        return [line for entry in value for line in (_text(entry).splitlines() or [""])]
    return _text(value).splitlines()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, default=str)
