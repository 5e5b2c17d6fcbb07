# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is found to what is declared, in steps that are words as well; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.gatehouse.platform.plugins.module_utils._bastion import render
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import (
    DROP_IN,
    KEYS,
    RULES,
    TABLE,
    UNIT,
    UNIT_NAME,
    BastionError,
    Connection,
    Current,
    Settings,
)


@dataclass(frozen=True)
class Step:
    """One change: the function of the api that makes it, its arguments, and the sentence that tells it."""

    verb: str
    arguments: tuple[str, ...]
    sentence: str


def findings(settings: Settings, current: Current) -> list[str]:
    """What has to be put right by a person first."""
    if not settings.present:
        return []
    found = []
    gid = current.groups[settings.jump_group].gid if settings.jump_group in current.groups else None
    for name in settings.admins:
        if name not in current.users:
            found.append(f"bastion_admins: there is no user '{name}' on the host")
        elif current.users[name] == gid:
            found.append(f"bastion_admins: '{name}' is a jump user on the host")
    found += [
        f"bastion_jump_users: '{user.name}' is a user of the host already, with another purpose"
        for user in settings.jump_users
        if current.users.get(user.name, gid) != gid
    ]
    found += [
        f"the group '{name}' is one of the system's own, choose another name"
        for name in (settings.admin_group, settings.jump_group)
        if name in current.groups and current.groups[name].gid < 100
    ]
    if not current.host_keys:
        found.append("the host has neither an Ed25519 nor an RSA host key; make them with 'ssh-keygen -A'")
    return found


def plan(settings: Settings, current: Current) -> list[Step]:
    """Steps in the order in which they keep the way in open: add, switch sshd over, remove."""
    problems = findings(settings, current)
    if problems:
        raise BastionError("; ".join(problems))
    desired = render.files(settings, current)
    if settings.present:
        return [
            *_accounts(settings, current),
            *_files(desired, current),
            *_rules(settings, current, desired),
            *_sshd(desired, current),
            *_removed_accounts(settings, current),
            *_removed_files(desired, current),
        ]
    return [
        *_sshd(desired, current),
        *_removed_rules(current),
        *_removed_accounts(settings, current),
        *_removed_files(desired, current),
    ]


def groups_after(steps: Sequence[Step], connection: Connection) -> frozenset[str]:
    """Groups of the user of a connection once the steps are done."""
    mine = [step for step in steps if step.arguments[:1] == (connection.user,)]
    added = {step.arguments[1] for step in mine if step.verb == "add_member"}
    removed = {step.arguments[1] for step in mine if step.verb == "remove_member"}
    return (connection.groups | added) - removed


def _accounts(settings: Settings, current: Current) -> Iterator[Step]:
    for name in (settings.admin_group, settings.jump_group):
        if name not in current.groups:
            yield Step("create_group", (name,), f"create the group {name}")
    admins = current.groups.get(settings.admin_group)
    for name in settings.admins:
        if not admins or name not in admins.members:
            yield Step("add_member", (name, settings.admin_group), f"make {name} an administrator")
    for user in settings.jump_users:
        if user.name not in current.users:
            yield Step("create_user", (user.name, settings.jump_group), f"create the jump user {user.name}")


def _files(desired: dict[str, str], current: Current) -> Iterator[Step]:
    for path, content in desired.items():
        if path != DROP_IN and current.files.get(path) != content:
            yield Step("write", (path, content), f"write {path}")


def _rules(settings: Settings, current: Current, desired: dict[str, str]) -> Iterator[Step]:
    _text, digest = render.rules(settings)
    if current.rules_loaded != digest or current.files.get(RULES) != desired[RULES]:
        ranges = ", ".join(settings.ranges) or "nothing"
        yield Step("load_rules", (), f"let jump users reach port 22 of {ranges}")
    if not current.unit_enabled or current.files.get(UNIT) != desired[UNIT]:
        yield Step("enable_unit", (UNIT_NAME,), "load these rules at every boot")


def _removed_rules(current: Current) -> Iterator[Step]:
    if UNIT in current.files or current.unit_enabled:
        yield Step("disable_unit", (UNIT_NAME,), "load the rules for jump users at boot no more")
    if current.rules_loaded:
        yield Step("delete_table", (TABLE,), "remove the rules for jump users")


def _sshd(desired: dict[str, str], current: Current) -> Iterator[Step]:
    content = desired.get(DROP_IN)
    if current.files.get(DROP_IN) != content:
        yield Step(
            "switch_sshd", (DROP_IN, content or ""), f"{'write' if content else 'remove'} {DROP_IN}, reload sshd"
        )
    elif current.reload_due:
        yield Step("reload_sshd", (), "reload sshd, whose configuration is newer than what it runs with")


def _removed_accounts(settings: Settings, current: Current) -> Iterator[Step]:
    jump, admin = current.groups.get(settings.jump_group), current.groups.get(settings.admin_group)
    wanted = {user.name for user in settings.jump_users} if settings.present else set()
    for name in sorted(name for name, gid in current.users.items() if jump and gid == jump.gid and name not in wanted):
        yield Step("remove_user", (name,), f"remove the jump user {name} and end their connections")
    for name in sorted(admin.members - set(settings.admins)) if admin and settings.present else []:
        yield Step("remove_member", (name, settings.admin_group), f"{name} is no administrator any more")
    if settings.present:
        return
    for name, group in ((settings.jump_group, jump), (settings.admin_group, admin)):
        primary = group and name == settings.admin_group and group.gid in current.users.values()
        if group and group.gid >= 100 and not primary:
            yield Step("remove_group", (name,), f"remove the group {name}")


def _removed_files(desired: dict[str, str], current: Current) -> Iterator[Step]:
    for path in sorted(set(current.files) - set(desired) - {DROP_IN}):
        if path in (RULES, UNIT) or path.startswith(f"{KEYS}/"):
            yield Step("remove", (path,), f"remove {path}")
