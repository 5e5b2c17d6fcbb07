# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever runs this can come back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.guard import refusals
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import Connection

ADMIN = Connection("admin", frozenset({"admin"}), "192.0.2.1", "192.0.2.2", "22")
LIVE = {"port": ["22"], "pubkeyauthentication": ["yes"], "authorizedkeysfile": [".ssh/authorized_keys"]}


@pytest.mark.parametrize(
    ("staged", "words"),
    [
        ({"allowgroups": ["jump", "ops admins"]}, "in none of the groups jump, ops, admins"),
        ({"allowusers": ["ada"]}, "AllowUsers does not admit"),
        ({"denyusers": ["adm*"]}, "denies the user admin"),
        ({"denygroups": ["admin"]}, "denies the user admin"),
        ({"forcecommand": ["/usr/sbin/nologin"]}, "no shell"),
        ({"maxsessions": ["0"]}, "no shell"),
        ({"pubkeyauthentication": ["no"]}, "login with a key would be off"),
        ({"authenticationmethods": ["publickey,password"]}, "more than a key"),
        ({"authorizedkeysfile": ["/elsewhere/%u"]}, "authorizedkeysfile would change"),
        ({"port": ["2222", "2223"]}, "listen on port 2222, 2223"),
    ],
)
def test_a_configuration_that_locks_out_is_refused(staged: dict[str, Any], words: str) -> None:
    (reason,) = refusals(ADMIN, frozenset({"admin"}), LIVE, {**LIVE, **staged})
    assert words in reason


def test_root_has_to_be_somebody_else() -> None:
    root = Connection("root", frozenset({"root"}), "192.0.2.1", "192.0.2.2", "22")
    (reason,) = refusals(root, frozenset({"root"}), LIVE, {**LIVE, "permitrootlogin": ["no"]})
    assert "set ansible_user to another user" in reason


@pytest.mark.parametrize(
    "staged",
    [
        {},
        {"allowgroups": ["jump", "adm*"]},
        {"allowusers": ["admin@192.0.2.0/24"], "authenticationmethods": ["any"]},
        {"forcecommand": ["none"], "maxsessions": ["100"], "permitrootlogin": ["no"], "chrootdirectory": ["none"]},
    ],
)
def test_a_configuration_that_admits_is_not_refused(staged: dict[str, Any]) -> None:
    assert refusals(ADMIN, frozenset({"admin"}), LIVE, {**LIVE, **staged}) == []
