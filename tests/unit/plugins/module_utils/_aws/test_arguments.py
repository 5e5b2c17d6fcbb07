# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.arguments import misplaced

RULE = {"ports": {"type": "raw"}, "destinations": {"type": "list", "required": True, "aliases": ["sources"]}}
SPEC = {
    "vpc": {"type": "str", "required": True},
    "limit": {"type": "dict", "options": {"most": {"type": "int", "required": True}}},
    "groups": {
        "type": "list",
        "options": {"name": {"required": True}, "egress": {"type": "list", "options": RULE}},
    },
}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"vpc": "v"}, []),
        ({"vpc": "v", "groups": [{"name": "a", "egress": [{"sources": ["x"]}, {"destinations": []}]}]}, []),
        ({}, ["vpc is missing"]),
        ({"vpc": None}, ["vpc is missing"]),
        ({"vpc": "v", "vcp": 1}, ["vcp is unknown; known are groups, limit, vpc"]),
        ({"vpc": "v", "limit": {}}, ["limit: most is missing"]),
        ({"vpc": "v", "limit": "x"}, ["limit: is no mapping of most"]),
        (
            {"groups": [{"name": "a", "egress": [{"port": 1, "sources": []}]}, {"nam": "b"}, "c"]},
            [
                "vpc is missing",
                "groups[0] a egress[0]: port is unknown; known are destinations, ports",
                "groups[1]: nam is unknown; known are egress, name",
                "groups[1]: name is missing",
                "groups[2]: is no mapping of egress, name",
            ],
        ),
        ({"vpc": "v", "groups": [{"name": "a", "egress": [{}]}]}, ["groups[0] a egress[0]: destinations is missing"]),
    ],
)
def test_unknown_and_missing_keys_are_told_with_their_place(given: dict[str, Any], told: list[str]) -> None:
    assert list(misplaced(SPEC, given)) == told
