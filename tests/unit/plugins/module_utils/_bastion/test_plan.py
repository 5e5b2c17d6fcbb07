# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps from what is found to what is declared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion import plan, render
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import (
    DROP_IN,
    KEYS,
    RULES,
    BastionError,
    Connection,
    Current,
    Group,
    JumpUser,
    Settings,
)

KEY = "ssh-ed25519 AAAA"
SETTINGS = Settings(True, "admins", ("admin",), "jump", (JumpUser("ada", (KEY,)),), ("10.0.0.0/24",))
BARE = Current(
    groups={"admin": Group(1000, frozenset())},
    users={"root": 0, "admin": 1000},
    files={},
    host_keys=("/etc/ssh/ssh_host_ed25519_key",),
    algorithms={},
)
DONE = replace(
    BARE,
    groups={**BARE.groups, "admins": Group(998, frozenset({"admin"})), "jump": Group(997, frozenset())},
    users={**BARE.users, "ada": 997},
    files=render.files(SETTINGS, BARE),
    rules_loaded=render.rules(SETTINGS)[1],
    unit_enabled=True,
)


def verbs(settings: Settings, current: Current) -> list[str]:
    """Return the steps' verbs with their first argument."""
    return [" ".join([step.verb, *step.arguments[:1]]) for step in plan.plan(settings, current)]


def test_a_bare_host_gets_accounts_and_rules_before_sshd_lets_in_jump_users() -> None:
    assert verbs(SETTINGS, BARE) == [
        "create_group admins",
        "create_group jump",
        "add_member admin",
        "create_user ada",
        f"write {KEYS}/ada",
        f"write {RULES}",
        "write /etc/systemd/system/gatehouse-bastion.service",
        "load_rules",
        "enable_unit gatehouse-bastion.service",
        f"switch_sshd {DROP_IN}",
    ]


def test_a_second_run_has_nothing_to_do() -> None:
    assert verbs(SETTINGS, DONE) == []
    assert verbs(replace(SETTINGS, present=False), BARE) == []


def test_a_lost_reload_and_lost_rules_are_made_up_for() -> None:
    assert verbs(SETTINGS, replace(DONE, reload_due=True, rules_loaded="?")) == ["load_rules", "reload_sshd"]


def test_users_and_keys_that_left_the_list_go_last() -> None:
    steps = verbs(replace(SETTINGS, jump_users=(JumpUser("bob", (KEY,)),)), DONE)
    assert steps == ["create_user bob", f"write {KEYS}/bob", "remove_user ada", f"remove {KEYS}/ada"]


def test_administrators_that_left_the_list_leave_the_group() -> None:
    groups = {**DONE.groups, "admins": Group(998, frozenset({"admin", "eve"}))}
    assert verbs(SETTINGS, replace(DONE, groups=groups)) == ["remove_member eve"]


def test_removal_takes_sshd_back_before_the_users_go() -> None:
    assert verbs(replace(SETTINGS, present=False), DONE) == [
        f"switch_sshd {DROP_IN}",
        "disable_unit gatehouse-bastion.service",
        "delete_table gatehouse_bastion",
        "remove_user ada",
        "remove_group jump",
        "remove_group admins",
        f"remove {RULES}",
        f"remove {KEYS}/ada",
        "remove /etc/systemd/system/gatehouse-bastion.service",
    ]


def test_removal_keeps_a_group_that_is_somebodys_own() -> None:
    settings = replace(SETTINGS, present=False, admin_group="admin")
    assert "remove_group admin" not in verbs(settings, DONE)


@pytest.mark.parametrize(
    ("settings", "current", "words"),
    [
        (replace(SETTINGS, admins=("eve",)), BARE, "no user 'eve'"),
        (replace(SETTINGS, admins=("ada",), jump_users=()), DONE, "'ada' is a jump user"),
        (replace(SETTINGS, jump_users=(JumpUser("root", (KEY,)),)), BARE, "'root' is a user of the host already"),
        (replace(SETTINGS, jump_users=(JumpUser("root", (KEY,)),)), DONE, "'root' is a user of the host already"),
        (SETTINGS, replace(BARE, host_keys=()), "neither an Ed25519 nor an RSA host key"),
        (SETTINGS, replace(BARE, groups={"admins": Group(27, frozenset())}), "one of the system's own"),
    ],
)
def test_what_a_person_has_to_put_right_is_an_error(settings: Settings, current: Current, words: str) -> None:
    with pytest.raises(BastionError, match=words):
        plan.plan(settings, current)


def test_groups_of_a_user_are_those_after_the_run() -> None:
    connection = Connection("admin", frozenset({"admin", "old"}), "192.0.2.1", "192.0.2.2", "22")
    steps = [
        plan.Step("add_member", ("admin", "admins"), ""),
        plan.Step("remove_member", ("admin", "old"), ""),
        plan.Step("add_member", ("eve", "eves"), ""),
    ]
    assert plan.groups_after(steps, connection) == {"admin", "admins"}
