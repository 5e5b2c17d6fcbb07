# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prefix lists that rules refer to, and how many rules each counts for.

"A rule that references a customer-managed prefix list counts as the maximum size of the prefix list. [...] A rule
that references an AWS-managed prefix list counts as the weight of the prefix list."
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-size
"""

from __future__ import annotations

from typing import Any

from lab.cloud.strict.behavior import Request, refuse, strict

# https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
WEIGHTS = {"cloudfront.origin-facing": 55, "groundstation": 5, "vpc-lattice": 10}


@strict("ec2", "DescribeManagedPrefixLists")
def describe_managed_prefix_lists(request: Request) -> Any:
    """Refuse ids that are not there, which moto leaves out of its answer."""
    for prefix_list_id in request.parameters.get("PrefixListIds") or []:
        find(request.ec2, prefix_list_id)
    return request.proceed()


def find(ec2: Any, prefix_list_id: str) -> Any:
    """A prefix list of moto; one that does not exist is refused."""
    found = ec2.managed_prefix_lists.get(prefix_list_id)
    if found is None or found.state == "delete-complete":
        raise refuse("InvalidPrefixListID.NotFound", f"The prefix list ID '{prefix_list_id}' does not exist")
    return found


def weight(prefix_list: Any) -> int:
    """Number of rules that a reference to the list counts for."""
    if prefix_list.max_entries is not None:
        return int(prefix_list.max_entries)
    for name, number in WEIGHTS.items():
        if prefix_list.prefix_list_name.endswith(name):
            return number
    return 1
