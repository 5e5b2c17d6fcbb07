# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the connection that a run comes over would be admitted again by a new configuration; pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence

from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import Connection

Effective = Mapping[str, Sequence[str]]  # what `sshd -T` prints for a connection: keyword → values, one for each line

# What has let the connection in has to stay as it is.
UNCHANGED = ("authorizedkeysfile", "authorizedkeyscommand", "trustedusercakeys", "chrootdirectory")


def refusals(connection: Connection, groups: frozenset[str], live: Effective, staged: Effective) -> list[str]:
    """Reasons why the user of this connection could not come back; ``groups`` are those of the user then."""
    user = connection.user
    return [
        *_root(user, staged),
        *_lists(user, groups, staged),
        *_ways(live, staged),
        *_ports(connection, staged),
    ]


def _first(effective: Effective, keyword: str, default: str = "") -> str:
    return next(iter(effective.get(keyword, ())), default)


def _words(effective: Effective, keyword: str) -> list[str]:
    return [word for line in effective.get(keyword, ()) for word in line.split()]


def _root(user: str, staged: Effective) -> list[str]:
    if user == "root" and _first(staged, "permitrootlogin") == "no":
        return ["this run is connected as root, and root could not log in any more: set ansible_user to another user"]
    return []


def _lists(user: str, groups: frozenset[str], staged: Effective) -> list[str]:
    def matched(names: set[str], keyword: str) -> bool:
        patterns = [word.split("@")[0] for word in _words(staged, keyword)]
        return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)

    found = []
    if matched({user}, "denyusers") or matched(set(groups), "denygroups"):
        found.append(f"sshd_config denies the user {user}")
    if staged.get("allowusers") and not matched({user}, "allowusers"):
        found.append(f"AllowUsers does not admit the user {user}")
    if staged.get("allowgroups") and not matched(set(groups), "allowgroups"):
        allowed = ", ".join(_words(staged, "allowgroups"))
        found.append(f"the user {user} of this run is in none of the groups {allowed}: add it to bastion_admins")
    return found


def _ways(live: Effective, staged: Effective) -> list[str]:
    found = [
        f"{keyword} would change for this run's user from '{_first(live, keyword)}' to '{_first(staged, keyword)}'"
        for keyword in UNCHANGED
        if _first(live, keyword, "none") != _first(staged, keyword, "none")
    ]
    if _first(staged, "pubkeyauthentication") != "yes":
        found.append("login with a key would be off for this run's user")
    if _first(staged, "authenticationmethods", "any") not in ("any", "publickey"):
        found.append("this run's user would need more than a key to log in")
    if _first(staged, "forcecommand", "none") != "none" or _first(staged, "maxsessions", "1") == "0":
        found.append("this run's user would have no shell: remove it from bastion_jump_users")
    return found


def _ports(connection: Connection, staged: Effective) -> list[str]:
    ports = _words(staged, "port")
    if ports and connection.local_port not in ports:
        return [f"sshd would listen on port {', '.join(ports)}, and this run comes over {connection.local_port}"]
    return []
