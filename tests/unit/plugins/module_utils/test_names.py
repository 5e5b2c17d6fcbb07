# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry calls itself, and what the world asks for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._names import (
    PublicNameError,
    full_name,
    labels,
    public_names,
)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("@", "example.test"),
        ("shop", "shop.example.test"),
        ("Shop", "shop.example.test"),
        ("a.b.example.test", "a.b.example.test"),
        ("example.test.", "example.test"),
    ],
)
def test_a_host_stands_for_a_name_below_the_domain(host: str, name: str) -> None:
    assert full_name(host, "Example.test.") == name


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("shop.other.test", "'shop.other.test' is outside the domain example.test"),
        ("badexample.test", "outside the domain"),
        ("a_b", "'a_b' is not a host name"),
        ("-a", "is not a host name"),
        ("", "is not a host name"),
        ("a" * 64, "is not a host name"),
    ],
)
def test_what_is_no_name_of_the_platform_is_refused(host: str, why: str) -> None:
    with pytest.raises(PublicNameError, match=why):
        full_name(host, "example.test")


@pytest.mark.parametrize(
    ("service", "names"),
    [
        ({"name": "orders"}, ["orders.example.test"]),
        ({"name": "orders", "host": ""}, ["orders.example.test"]),
        ({"name": "orders", "host": None, "aliases": None}, ["orders.example.test"]),
        ({"name": "home", "host": "@", "aliases": ["www"]}, ["example.test", "www.example.test"]),
    ],
)
def test_the_main_name_comes_first_and_defaults_to_the_service_s(service: dict[str, Any], names: list[str]) -> None:
    assert public_names(service, "example.test") == names


def test_labels_say_where_they_stand() -> None:
    assert labels({"name": "home", "aliases": ["www", 5]}) == [
        ("host", "home"),
        ("aliases[0]", "www"),
        ("aliases[1]", 5),
    ]
    assert labels({"aliases": "www"}) == [("host", None)]
