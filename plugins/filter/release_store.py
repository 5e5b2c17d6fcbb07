# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that plans the release store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._release_store import plan
from ansible_collections.gatehouse.platform.plugins.module_utils._release_store.plan import Found, Store

# What the API answers to the question for a bucket that nobody has, and for one that is closed to the caller.
NOBODYS = "404"
CLOSED = "403"


def release_store_plan(
    declared: Mapping[str, Any], buckets: Sequence[Mapping[str, Any]], looked: Mapping[str, Any]
) -> dict[str, Any]:
    """See the documentation beside this file."""
    store = Store(**declared)
    own = next((bucket for bucket in buckets if bucket["name"] == store.bucket), None)
    code = str((looked.get("error") or {}).get("code") or "")
    there = "s3_keys" in looked or code == CLOSED
    trouble = "" if there or looked.get("skipped") or code == NOBODYS else str(looked.get("msg") or "no answer")
    return plan.plan(store, Found(own, own is None and there, tuple(looked.get("s3_keys") or ()), trouble))


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"release_store_plan": release_store_plan}
