# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of ssh_config and known_hosts; pure."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass

from ansible_collections.gatehouse.platform.plugins.module_utils._ssh_configuration.model import (
    Configuration,
    Host,
    Jump,
)

HEADER = "# Written by gatehouse.platform from the inventory. Changes made here are lost.\n"

# Hosts that ask at the same time for a connection that does not exist yet would each open one of their own:
# the lock lets the first open it and the others use it. Without flock all works, with more connections.
JUMP_SCRIPT = f"""\
#!/bin/sh
{HEADER}# Usage: ssh_jump CONFIG USER@BASTION HOST:PORT
# Passes a connection on through the one connection to the bastion, and opens that first when it is not there.
config=$1 bastion=$2 destination=$3
if command -v flock >/dev/null && ! ssh -F "$config" -O check "$bastion" 2>/dev/null; then
    flock -o -w 30 "$config" sh -c '
        ssh -F "$1" -O check "$2" 2>/dev/null || ssh -F "$1" -fN "$2" </dev/null >/dev/null
    ' jump "$config" "$bastion" || exit
fi
exec ssh -F "$config" -W "$destination" "$bastion"
"""


@dataclass(frozen=True)
class Paths:
    """Absolute paths that the text mentions; ``control`` is the directory of the sockets of shared connections."""

    ssh_config: str
    known_hosts: str
    jump_script: str
    control: str


def known_hosts(configuration: Configuration) -> str:
    """One line for each key, under the inventory's name (HostKeyAlias), never under an address."""
    return HEADER + "".join(f"{host.name} {key}\n" for host in configuration.hosts for key in host.host_keys)


def ssh_config(configuration: Configuration, paths: Paths) -> str:
    """A block for each host, found by its name and by its address, and one for what they have in common."""
    blocks = [_host_block(host, configuration, paths) for host in configuration.hosts]
    return "\n".join([HEADER, *blocks, _common_block(paths)])


def control_name(host: Host, jump: Jump | None) -> str:
    """Start of a socket's name. It depends on the host's keys and on the way to it.

    So a connection that is still open to a host that has been rebuilt since is not used again.
    """
    way = repr((host.address, host.port, host.host_keys, jump))
    return hashlib.sha256(way.encode()).hexdigest()[:8]


def _host_block(host: Host, configuration: Configuration, paths: Paths) -> str:
    jump = None if host.name in configuration.direct else configuration.jump
    names = [host.name] if host.address == host.name else [host.name, host.address]
    settings = [("HostName", host.address), ("Port", str(host.port))]
    if host.user:
        settings.append(("User", host.user))
    if host.identity_file:
        settings += [("IdentityFile", _quoted(host.identity_file)), ("IdentitiesOnly", "yes")]
    settings += [
        ("HostKeyAlias", host.name),
        # %C is a digest of user, host and port: a connection is never used in another user's name.
        ("ControlPath", _quoted(f"{paths.control}/{control_name(host, jump)}-", "%C")),
    ]
    if jump:
        settings.append(("ProxyCommand", _proxy_command(jump, paths)))
    return _block(" ".join(names), settings)


def _proxy_command(jump: Jump, paths: Paths) -> str:
    bastion = f"{jump.user}@{jump.host.name}" if jump.user else jump.host.name
    words = ["/bin/sh", paths.jump_script, paths.ssh_config, bastion]
    return " ".join(shlex.quote(word).replace("%", "%%") for word in words) + " '[%h]:%p'"


def _common_block(paths: Paths) -> str:
    return _block(
        "*",
        [
            ("UserKnownHostsFile", _quoted(paths.known_hosts)),
            ("GlobalKnownHostsFile", "/dev/null"),
            ("StrictHostKeyChecking", "yes"),
            ("UpdateHostKeys", "no"),
            ("PreferredAuthentications", "publickey"),
            ("PasswordAuthentication", "no"),
            ("KbdInteractiveAuthentication", "no"),
            ("ForwardAgent", "no"),
            ("ForwardX11", "no"),
            ("ConnectTimeout", "10"),
            ("ServerAliveInterval", "10"),
            ("ServerAliveCountMax", "3"),
            ("ControlMaster", "auto"),
            ("ControlPersist", "10m"),
        ],
    )


def _block(names: str, settings: list[tuple[str, str]]) -> str:
    return f"Host {names}\n" + "".join(f"  {key} {value}\n" for key, value in settings)


def _quoted(path: str, tokens: str = "") -> str:
    return '"' + path.replace("%", "%%") + tokens + '"'
