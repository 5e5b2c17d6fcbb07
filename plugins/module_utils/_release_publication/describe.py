# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published, as text for a diff: no value of a variable, which may be meant for few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """The diff of two manifests."""
    name = f"{after['fleet']}/current.json"
    return {
        "before_header": name,
        "after_header": name,
        "before": "".join(f"{line}\n" for line in lines(before)),
        "after": "".join(f"{line}\n" for line in lines(after)),
    }


def lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    """One line for each thing that an instance gets."""
    if not manifest:
        return
    yield f"ansible-core {manifest['ansible_core']}"
    yield f"collection {manifest['collection']['sha256'][:12]}"
    for name, one in manifest["releases"].items():
        yield f"{name}: release {one['fingerprint'][:8]}"
        entry = manifest["services"].get(name) or {}
        for key in sorted(set(entry) - {"name", "environment", "secrets"}):
            yield f"{name}: {key} {entry[key]}"
        for key in ("environment", "secrets"):
            yield from (f"{name}: {key}.{variable}" for variable in sorted(entry.get(key) or {}))
    settings = manifest["settings"]
    yield from (f"{key} {value}" for key, value in sorted((settings.get("variables") or {}).items()))
    yield from (f"health check {one['path']} on port {one['port']}" for one in settings.get("checks") or [])
