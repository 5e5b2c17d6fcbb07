# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quota of an account, and what its prefix lists weigh; only asked for when something is to be added."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.changes import Authorize
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import State
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import Plan
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.quota import Limits

# https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
WEIGHTS = {
    "cloudfront.origin-facing": 55,
    "dynamodb": 1,
    "ec2-instance-connect": 2,
    "groundstation": 5,
    "route53-healthchecks": 25,
    "s3": 1,
    "s3express": 6,
    "vpc-lattice": 10,
}
MANAGED = re.compile(r"com\.amazonaws\.[a-z0-9-]+\.(?:ipv6\.)?(.+)")


def read(connect: Callable[[str], Any], retries: Retries, draft: Plan, current: State) -> tuple[Limits, list[str]]:
    """What a plan's additions have to fit into, and warnings about what is not known of it."""
    known, warnings = _weighed(connect, retries, sorted(set(_lists(draft, current))))
    try:
        rules = retries.brief().reading(lambda: api.quota(connect("service-quotas")))
        return replace(known, rules=rules, origin="from Service Quotas"), warnings
    except AwsError:
        return known, warnings


def _lists(draft: Plan, current: State) -> Iterable[str]:
    """The prefix lists in every direction of a group to which something is added."""
    after = draft.after(current)
    for change in draft.changes:
        if isinstance(change, Authorize):
            before = current[change.key].rules(change.direction) if change.key in current else {}
            for rule in {**before, **after[change.key].rules(change.direction)}:
                if rule.source.kind == "prefix_list":
                    yield rule.source.value


def _weighed(connect: Callable[[str], Any], retries: Retries, ids: list[str]) -> tuple[Limits, list[str]]:
    """What the prefix lists weigh, and which of them do not exist."""
    if not ids:
        return Limits(), []
    try:
        told = {str(item["PrefixListId"]): item for item in retries.reading(lambda: _described(connect, ids))}
    except AwsError as error:
        return Limits(), [f"The weights of {', '.join(ids)} could not be read, and count as 1 each: {error}"]
    weights = {
        name: (str(item.get("AddressFamily") or ""), weight_of(item)) for name, item in told.items() if weight_of(item)
    }
    warnings = [
        f"The weight of the prefix list {name} is not known, and counts as 1." for name in ids if name not in weights
    ]
    return Limits(weights=weights, missing=frozenset(ids) - told.keys()), warnings


def _described(connect: Callable[[str], Any], ids: list[str]) -> list[dict[str, Any]]:
    return api.prefix_lists(connect("ec2"), ids)


def weight_of(prefix_list: dict[str, Any]) -> int:
    """What a prefix list counts for: its size where it is the customer's, AWS's published weight, 0 for not known."""
    if prefix_list.get("MaxEntries"):
        return int(prefix_list["MaxEntries"])
    found = MANAGED.fullmatch(str(prefix_list.get("PrefixListName") or ""))
    return WEIGHTS.get(found[1], 0) if found else 0
