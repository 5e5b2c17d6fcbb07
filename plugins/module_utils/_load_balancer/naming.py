# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of load balancers and target groups: "a maximum of 32 characters, [...] only alphanumeric characters or
hyphens".

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
"""

from __future__ import annotations

import hashlib
import re

LONGEST = 32
DIGITS = 7


def resource_name(platform: str, *parts: str) -> str:
    """The platform's name and the parts with hyphens between; where that is no name or too long, with a hash."""
    whole = "-".join((platform, *parts))
    name = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9-]", "-", whole)).strip("-")
    if name == whole and len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(whole.encode()).hexdigest()[:DIGITS]
    return f"{name[: LONGEST - DIGITS - 1].rstrip('-')}-{digest}"


def common_beginning(platform: str) -> str:
    """What the names of all resources of a platform begin with."""
    return resource_name(platform, "x" * LONGEST)[: -DIGITS - 1].rstrip("x").rstrip("-")
