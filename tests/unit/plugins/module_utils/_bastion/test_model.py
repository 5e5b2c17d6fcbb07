# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters become settings, or one error with every finding."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import (
    BastionError,
    Settings,
    from_params,
)

KEY = "ssh-ed25519 AAAAC3Nza ada"


def settings(**changes: Any) -> Settings:
    """Return settings from the module's parameters with changes."""
    params: dict[str, Any] = {
        "state": "present",
        "admin_group": "admins",
        "admins": ["root2"],
        "jump_group": "jump",
        "jump_users": [{"name": "ada", "keys": [KEY]}],
        "forward_ranges": ["10.0.0.0/24"],
        "pinned_host_keys": [],
        "post_quantum_only": False,
        "max_startups": "100:30:200",
        "max_sessions": 100,
        "login_grace_time": 30,
        "client_alive_interval": 30,
        "client_alive_count_max": 4,
    }
    return from_params({**params, **changes})


def test_order_and_duplicates_do_not_matter() -> None:
    users = [{"name": name, "keys": [KEY, f"{KEY} "]} for name in ("bob", "ada")]
    result = settings(jump_users=users, admins=["b", "a", "b"])
    assert [(user.name, user.keys) for user in result.jump_users] == [("ada", (KEY,)), ("bob", (KEY,))]
    assert result.admins == ("a", "b")


def test_ranges_within_others_are_left_out() -> None:
    ranges = ["10.0.0.0/24", "10.0.0.7/32", "10.0.1.0/24", "2001:db8::/32"]
    assert settings(forward_ranges=ranges).ranges == ("10.0.0.0/23", "2001:db8::/32")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"forward_ranges": ["10.0.0.1/24"]}, "has host bits set"),
        ({"forward_ranges": ["web"]}, "does not appear to be"),
        ({"jump_users": [{"name": "ada", "keys": []}]}, "'ada' has no key"),
        ({"jump_users": [{"name": "ada", "keys": ['command="sh" ssh-rsa AAAA']}]}, "is no public key"),
        ({"jump_users": [{"name": "ada", "keys": ["ssh-dss"]}]}, "is no public key"),
        ({"jump_users": [{"name": "../x", "keys": [KEY]}]}, "'../x' is not a name"),
        ({"jump_users": [{"name": "ada", "keys": [KEY]}] * 2}, "'ada' is there twice"),
        ({"admins": ["ada"]}, "'ada' can only be in one of"),
        ({"admin_group": "jump"}, "have to be different groups"),
        ({"admin_group": "a b\nX yes"}, "is not a name"),
    ],
)
def test_a_bad_value_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BastionError, match=words):
        settings(**changes)


def test_all_findings_come_at_once() -> None:
    with pytest.raises(BastionError) as caught:
        settings(forward_ranges=["web"], admin_group="jump", jump_users=[{"name": "ada", "keys": []}])
    assert str(caught.value).count(";") == 2
