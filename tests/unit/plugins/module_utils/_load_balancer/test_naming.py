# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that AWS takes."""

from __future__ import annotations

import re

from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.naming import (
    common_beginning,
    resource_name,
)
from hypothesis import given
from hypothesis import strategies as st

PLATFORMS = st.from_regex(r"[a-z][a-z0-9_.-]{0,40}", fullmatch=True)
SERVICES = st.from_regex(r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?", fullmatch=True)


@given(PLATFORMS, SERVICES)
def test_names_are_valid_and_begin_alike(platform: str, service: str) -> None:
    name = resource_name(platform, service)
    assert re.fullmatch(r"(?!.*--)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name)
    assert name.startswith(common_beginning(platform))


def test_short_names_stay_and_long_ones_differ() -> None:
    assert resource_name("shop", "api") == "shop-api"
    names = {resource_name("shop-of-the-world", f"service-with-a-long-name-{number}") for number in range(50)}
    assert len(names) == 50
    assert all(name.startswith("shop-of-the-world-servic") for name in names)
