# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters from the list of services to what is asked of them."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.filter.endpoints import endpoint_urls


def test_a_wrong_list_is_an_error_in_words() -> None:
    with pytest.raises(AnsibleFilterError, match=r"'a\.other\.test' is outside the domain example\.com"):
        endpoint_urls([{"name": "orders", "port": 5001, "host": "a.other.test"}], "example.com")
