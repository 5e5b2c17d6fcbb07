# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory says about reaching its hosts, checked as a whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOPOLOGIES = ("bastion", "direct")
CONNECTIONS = ("ssh", "smart", "ansible.builtin.ssh", "ansible.legacy.ssh")

_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
_ADDRESS = re.compile(r"^[A-Za-z0-9_:][A-Za-z0-9_.:-]*$")
_HOST_KEY = re.compile(r"^(?:ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]+=*$")


class ConfigurationError(Exception):
    """The inventory cannot be turned into an ssh_config; ``findings`` holds one sentence for each reason."""

    def __init__(self, findings: Sequence[str]) -> None:
        self.findings = list(findings)
        super().__init__("The inventory does not say how to reach its hosts: " + "; ".join(self.findings) + ".")


@dataclass(frozen=True)
class Host:
    """A host as ssh sees it; ``user`` and ``identity_file`` are empty where the inventory leaves them to ssh."""

    name: str
    address: str
    port: int
    host_keys: tuple[str, ...]
    user: str = ""
    identity_file: str = ""


@dataclass(frozen=True)
class Jump:
    """The bastion, and the user in whose name connections pass it."""

    host: Host
    user: str = ""


@dataclass(frozen=True)
class Configuration:
    """All hosts of an inventory; those named in ``direct`` are reached without the jump."""

    hosts: tuple[Host, ...]
    jump: Jump | None = None
    direct: frozenset[str] = frozenset()


def from_inventory(
    variables: Mapping[str, Mapping[str, Any]], bastions: Iterable[str], topology: str, jump_user: str = ""
) -> Configuration:
    """Read the hosts that are reached over SSH; raises ConfigurationError with everything that is wrong at once.

    ``variables`` maps inventory names to their variables, ``bastions`` are the
    members of the group ``bastion`` in the inventory's order.
    """
    findings: list[str] = []
    if topology not in TOPOLOGIES:
        findings.append(f"platform_topology is '{topology}', and has to be one of {', '.join(TOPOLOGIES)}")
    hosts = tuple(_host(name, variables[name], findings) for name in variables if _over_ssh(variables[name]))
    findings += _clashes(hosts)
    jump, direct = None, frozenset(host.name for host in hosts)
    if topology == "bastion":
        direct = frozenset(bastions) & direct
        first = next((host for host in hosts if host.name in direct), None)
        if first is not None:
            jump = Jump(first, jump_user or first.user)
        elif hosts:
            findings.append("platform_topology is 'bastion', but no host is in the group 'bastion'")
    if jump_user and not _NAME.match(jump_user):
        findings.append(f"platform_jump_user '{jump_user}' is not a user's name")
    if findings:
        raise ConfigurationError(findings)
    return Configuration(hosts, jump, direct)


def _over_ssh(variables: Mapping[str, Any]) -> bool:
    return str(variables.get("ansible_connection") or "ssh") in CONNECTIONS


def _host(name: str, variables: Mapping[str, Any], findings: list[str]) -> Host:
    def first(*keys: str) -> str:
        return next((str(variables[key]).strip() for key in keys if variables.get(key) not in (None, "")), "")

    address = first("ansible_host", "ansible_ssh_host") or name
    user = first("ansible_user", "ansible_ssh_user")
    port = first("ansible_port", "ansible_ssh_port") or "22"
    identity = first("ansible_private_key_file", "ansible_ssh_private_key_file")
    if not _NAME.match(name):
        findings.append(f"{name}: the name of a host is made of letters, digits, '.', '_' and '-'")
    if not _ADDRESS.match(address):
        findings.append(f"{name}: ansible_host '{address}' is neither a name nor an address")
    if user and not _NAME.match(user):
        findings.append(f"{name}: ansible_user '{user}' is not a user's name")
    if not port.isdigit() or not 0 < int(port) < 65536:
        findings.append(f"{name}: ansible_port '{port}' is not a port")
    if set(identity) & set('"\n'):
        findings.append(f"{name}: ansible_ssh_private_key_file must not contain quotes or line breaks")
    return Host(
        name=name,
        address=address,
        port=int(port) if port.isdigit() else 0,
        host_keys=_host_keys(name, variables.get("platform_host_keys"), findings),
        user=user,
        identity_file=os.path.abspath(os.path.expanduser(identity)) if identity else "",
    )


def _host_keys(name: str, value: Any, findings: list[str]) -> tuple[str, ...]:
    """Public keys without their comments, sorted, so that their order in the inventory does not matter."""
    if not value:
        findings.append(f"{name}: platform_host_keys is missing (the lines of /etc/ssh/ssh_host_*_key.pub on the host)")
        return ()
    lines = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else []
    keys = [" ".join(str(line).split()[:2]) for line in lines]
    bad = [key for key in keys if not _HOST_KEY.match(key)]
    if bad or not keys:
        what = f"'{bad[0]}' is" if bad else "it holds"
        findings.append(f"{name}: platform_host_keys: {what} no public key ('ssh-ed25519 AAAA…')")
    return tuple(sorted(set(keys)))


def _clashes(hosts: Sequence[Host]) -> list[str]:
    """Ansible calls ssh with the address: one address can only lead to one machine."""
    seen: dict[str, Host] = {}
    findings = []
    for host in hosts:
        other = seen.setdefault(host.address, host)
        if (other.port, other.host_keys) != (host.port, host.host_keys):
            findings.append(
                f"{host.name}: ansible_host {host.address} is that of {other.name} too, with another port or host key"
            )
    return findings
