# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of security groups that faults are tried on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BEFORE = [
    {
        "name": "shop-alb",
        "description": "Public entry",
        "ingress": [{"ports": [80, 443], "sources": ["0.0.0.0/0"]}, {"ports": 8443, "sources": ["10.0.0.0/8"]}],
    },
    {
        "name": "shop-app",
        "ingress": [
            {"ports": "8000-8999", "sources": ["shop-alb", "10.0.0.0/8"]},
            {"ports": 22, "sources": ["192.0.2.0/24"], "description": "operators"},
        ],
    },
    {"name": "shop-old", "ingress": [{"ports": 9000, "sources": ["shop-app", "shop-old"]}]},
]
AFTER = [
    {
        "name": "shop-alb",
        "description": "Public entry",
        "ingress": [{"ports": [80, 443], "sources": ["0.0.0.0/0", "::/0"], "description": "web"}],
        "tags": {"Tier": "edge"},
    },
    {
        "name": "shop-app",
        "ingress": [
            {"ports": 8000, "sources": ["shop-alb", "shop-app"]},
            {"ports": 8000, "sources": ["10.0.0.0/9", "10.128.0.0/9"]},
            {"ports": 22, "sources": ["192.0.2.7/32"], "description": "operators"},
        ],
        "egress": [{"ports": 443, "sources": ["0.0.0.0/0"]}, {"ports": 5432, "sources": ["shop-db"]}],
    },
    {"name": "shop-db", "ingress": [{"ports": 5432, "sources": ["shop-app"]}], "egress": []},
    {"name": "shop-jobs", "ingress": []},
]


def ports(*rules: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"ports": port, "sources": [source]} for port, source in rules]


# As many rules as a quota of four has room for, in both directions.
FULL = [
    {
        "name": "shop-app",
        "tags": {"Tier": "web", "Old": "x"},
        "ingress": ports((80, "10.0.0.0/9"), (80, "10.128.0.0/9"), (81, "192.0.2.0/24"), (22, "198.51.100.0/24")),
        "egress": ports((443, "10.0.0.0/9"), (443, "10.128.0.0/9"), (53, "10.0.0.2/32"), (5432, "shop-db")),
    },
    {"name": "shop-db", "ingress": ports((5432, "shop-app"))},
]
IN_PLACE = [
    {
        "name": "shop-app",
        "tags": {"Tier": "app"},
        "ingress": ports((80, "10.0.0.0/8"), (81, "192.0.2.0/25"), (81, "192.0.2.128/25"), (22, "198.51.100.7/32")),
        "egress": ports((443, "10.0.0.0/8"), (53, "10.0.0.0/30"), (3306, "shop-db")),
    },
    FULL[1],
]
WITH_A_GAP = [
    {
        **IN_PLACE[0],
        "ingress": ports((80, "10.0.0.0/8"), (81, "192.0.2.0/24"), (22, "198.51.100.7/32"), (8080, "shop-db")),
    },
    FULL[1],
]


@dataclass(frozen=True)
class Scenario:
    """A change. ``middle`` is the operation that goes wrong where not all do, ``gap`` whether one is needed."""

    name: str
    middle: str
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    quota: int = 60
    ipv6: bool = False
    gap: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def params(self, vpc_id: str, groups: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
        """The module's options, as for a task that removes groups that left the set as well."""
        given = {"vpc_id": vpc_id, "owner": "shop", "groups": groups, "state": "present", "purge_groups": True}
        return {**given, "purge_rules": True, "adopt": False, "protect": [], "wait_timeout": 60, **options}

    def changing(self, vpc_id: str) -> dict[str, Any]:
        return self.params(vpc_id, self.after, **self.options)


EXCHANGE = Scenario("other groups", "AuthorizeSecurityGroupIngress", BEFORE, AFTER, ipv6=True)
SCENARIOS = (
    EXCHANGE,
    Scenario("full groups", "ModifySecurityGroupRules", FULL, IN_PLACE, quota=4),
    Scenario("full groups that may be", "ModifySecurityGroupRules", FULL, IN_PLACE, 4, options={"allow_gap": True}),
    Scenario(
        "a gap", "AuthorizeSecurityGroupIngress", FULL, WITH_A_GAP, quota=4, gap=True, options={"allow_gap": True}
    ),
    Scenario("absent", "DeleteSecurityGroup", BEFORE, [], options={"state": "absent"}),
)
