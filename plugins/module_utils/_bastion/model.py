# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bastion should be, and what is found on the host."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DROP_IN = "/etc/ssh/sshd_config.d/00-gatehouse-bastion.conf"
KEYS = "/etc/ssh/gatehouse-jump-keys"
RULES = "/etc/gatehouse/bastion.nft"
UNIT_NAME = "gatehouse-bastion.service"
UNIT = f"/etc/systemd/system/{UNIT_NAME}"
TABLE = "gatehouse_bastion"

_NAME = re.compile(r"^[a-z_][a-z0-9_-]{0,31}$")
_KEY = re.compile(r"^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-[a-z0-9-]+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]+=*(?: .*)?$")


class BastionError(Exception):
    """The bastion cannot be brought to the declared state; ``str()`` says why and what to do."""


@dataclass(frozen=True)
class JumpUser:
    """A user who may pass the bastion, with all of the public keys that let in."""

    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """Settings of sshd that depend on how many connections pass."""

    max_startups: str = "100:30:200"
    max_sessions: int = 100
    login_grace_time: int = 30
    client_alive_interval: int = 30
    client_alive_count_max: int = 4


@dataclass(frozen=True)
class Settings:
    """The declared state."""

    present: bool
    admin_group: str
    admins: tuple[str, ...]
    jump_group: str
    jump_users: tuple[JumpUser, ...]
    ranges: tuple[str, ...]
    pinned_host_keys: tuple[str, ...] = ()
    post_quantum_only: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Group:
    """A group of the host."""

    gid: int
    members: frozenset[str]


@dataclass(frozen=True)
class Current:
    """What is found; ``files`` holds those that are there, of the paths that may be managed."""

    groups: Mapping[str, Group]
    users: Mapping[str, int]  # name → gid of the primary group
    files: Mapping[str, str]
    host_keys: tuple[str, ...]  # paths of private host keys of modern kinds
    algorithms: Mapping[str, tuple[str, ...]]  # kind → what this sshd knows
    rules_loaded: str = ""  # digest of the rules in the kernel
    unit_enabled: bool = False
    reload_due: bool = False


@dataclass(frozen=True)
class Connection:
    """The SSH connection that a run comes over; addresses and ports as the server sees them."""

    user: str
    groups: frozenset[str]
    address: str
    local_address: str
    local_port: str


def from_params(params: Mapping[str, Any]) -> Settings:
    """Check and normalize a module's parameters; raises BastionError with everything that is wrong at once."""
    findings: list[str] = []
    users = tuple(_jump_user(item, findings) for item in params["jump_users"])
    names = [user.name for user in users]
    admins = tuple(sorted(set(params["admins"])))
    everybody = [params["admin_group"], params["jump_group"], *admins, *names]
    findings += [f"'{name}' is not a name of a user or group" for name in everybody if not _NAME.match(name)]
    twice = sorted({name for name in names if names.count(name) > 1})
    findings += [f"bastion_jump_users: '{name}' is there twice" for name in twice]
    both = sorted(set(names) & set(admins))
    findings += [f"'{name}' can only be in one of bastion_jump_users and bastion_admins" for name in both]
    if params["admin_group"] == params["jump_group"]:
        findings.append("bastion_admin_group and bastion_jump_group have to be different groups")
    ranges = _ranges(params["forward_ranges"], findings)
    if findings:
        raise BastionError("; ".join(findings))
    return Settings(
        present=params["state"] == "present",
        admin_group=params["admin_group"],
        admins=admins,
        jump_group=params["jump_group"],
        jump_users=tuple(sorted(users, key=lambda user: user.name)),
        ranges=ranges,
        pinned_host_keys=tuple(" ".join(key.split()[:2]) for key in params["pinned_host_keys"]),
        post_quantum_only=params["post_quantum_only"],
        limits=Limits(**{name: params[name] for name in Limits.__dataclass_fields__}),
    )


def _jump_user(item: Mapping[str, Any], findings: list[str]) -> JumpUser:
    keys = tuple(dict.fromkeys(" ".join(str(key).split()) for key in item["keys"]))
    if not keys:
        findings.append(f"bastion_jump_users: '{item['name']}' has no key")
    findings += [
        f"bastion_jump_users: '{item['name']}': '{key[:40]}' is no public key ('ssh-ed25519 AAAA…')"
        for key in keys
        if not _KEY.match(key)
    ]
    return JumpUser(item["name"], keys)


def _ranges(values: Sequence[str], findings: list[str]) -> tuple[str, ...]:
    """Ranges as CIDRs, without those that another one holds (nft refuses overlaps)."""
    four: list[ipaddress.IPv4Network] = []
    six: list[ipaddress.IPv6Network] = []
    for value in values:
        try:
            network = ipaddress.ip_network(value)
        except ValueError as error:
            findings.append(f"bastion_forward_ranges: {error}")
            continue
        if isinstance(network, ipaddress.IPv4Network):
            four.append(network)
        else:
            six.append(network)
    return (*map(str, ipaddress.collapse_addresses(four)), *map(str, ipaddress.collapse_addresses(six)))
