# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contents of the managed files; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import (
    DROP_IN,
    KEYS,
    RULES,
    TABLE,
    UNIT,
    Current,
    JumpUser,
    Settings,
)

HEADER = "# Written by gatehouse.platform. Changes made here are lost.\n"

# In order of preference; those that the host's sshd does not know are left out. No NIST curve, no SHA-1, no CBC.
# curve25519 alone does not withstand quantum computers; it stays for clients that know nothing newer.
CLASSIC = ("curve25519-sha256", "curve25519-sha256@libssh.org")
ALGORITHMS = {
    "KexAlgorithms": (
        "mlkem768x25519-sha256",
        "sntrup761x25519-sha512",
        "sntrup761x25519-sha512@openssh.com",
        *CLASSIC,
    ),
    "Ciphers": (
        "chacha20-poly1305@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "aes256-ctr",
        "aes192-ctr",
        "aes128-ctr",
    ),
    "MACs": ("hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com", "umac-128-etm@openssh.com"),
    "HostKeyAlgorithms": ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"),
}

UNIT_TEXT = f"""\
{HEADER}[Unit]
Description=Ranges that jump users of this bastion may reach
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target ssh.service shutdown.target
After=nftables.service local-fs.target
Conflicts=shutdown.target
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {RULES}
ExecReload=/usr/sbin/nft -f {RULES}

[Install]
WantedBy=multi-user.target
"""


def files(settings: Settings, current: Current) -> dict[str, str]:
    """Path → content of everything that should be there."""
    if not settings.present:
        return {}
    keys = {f"{KEYS}/{user.name}": authorized_keys(user) for user in settings.jump_users}
    text, _digest = rules(settings)
    return {**keys, RULES: text, UNIT: UNIT_TEXT, DROP_IN: drop_in(settings, current)}


def authorized_keys(user: JumpUser) -> str:
    """Keys that may forward and nothing else."""
    return HEADER + "".join(f"restrict,port-forwarding {key}\n" for key in user.keys)


def rules(settings: Settings) -> tuple[str, str]:
    """Text for nft, which replaces the table in one step, and a digest that is found again in the kernel's rules."""
    who = f'meta skgid "{settings.jump_group}"'
    accept = [
        f"        {who} tcp dport 22 {family} daddr {{ {', '.join(ranges)} }} accept\n"
        for family, ranges in (
            ("ip", [item for item in settings.ranges if ":" not in item]),
            ("ip6", [item for item in settings.ranges if ":" in item]),
        )
        if ranges
    ]
    digest = hashlib.sha256(repr((accept, who)).encode()).hexdigest()[:16]
    text = (
        f"{HEADER}table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n    chain output {{\n"
        f"        type filter hook output priority filter; policy accept;\n{''.join(accept)}"
        f'        {who} counter reject with icmpx type admin-prohibited comment "{digest}"\n    }}\n}}\n'
    )
    return text, digest


def drop_in(settings: Settings, current: Current) -> str:
    """Part of sshd_config. The first value of a keyword wins, and this file is read first."""
    common = [
        f"AllowGroups {settings.admin_group} {settings.jump_group}",
        "PermitRootLogin no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitEmptyPasswords no",
        "HostbasedAuthentication no",
        "LogLevel VERBOSE",
        f"LoginGraceTime {settings.limits.login_grace_time}",
        f"MaxStartups {settings.limits.max_startups}",
        f"MaxSessions {settings.limits.max_sessions}",
        f"ClientAliveInterval {settings.limits.client_alive_interval}",
        f"ClientAliveCountMax {settings.limits.client_alive_count_max}",
        "TCPKeepAlive yes",
        "UseDNS no",
        "DebianBanner no",
        "AllowTcpForwarding local",
        *_CLOSED,
        *(f"HostKey {path}" for path in current.host_keys),
        *_algorithms(current.algorithms, CLASSIC if settings.post_quantum_only else ()),
    ]
    jump = [
        f"AuthorizedKeysFile {KEYS}/%u",
        "AuthorizedKeysCommand none",
        "AuthenticationMethods publickey",
        "LogLevel DEBUG1",
        "AllowTcpForwarding local",
        "PermitOpen *:22",
        "PermitListen none",
        *_CLOSED,
        "PermitTTY no",
        "PermitUserRC no",
        "MaxSessions 0",
        "ForceCommand /usr/sbin/nologin",
    ]
    return (
        HEADER
        + "".join(f"{line}\n" for line in common)
        + "\n# A tunnel and nothing else. Forwarded connections are logged at DEBUG1 only.\n"
        + _match(settings.jump_group, jump)
        + "\n# Administrators keep a shell; what they forward is logged as well.\n"
        + _match(settings.admin_group, ["LogLevel DEBUG1"])
    )


_CLOSED = (
    "AllowAgentForwarding no",
    "AllowStreamLocalForwarding no",
    "GatewayPorts no",
    "PermitTunnel no",
    "X11Forwarding no",
)


def _match(group: str, lines: Sequence[str]) -> str:
    return f"Match Group {group}\n" + "".join(f"    {line}\n" for line in lines)


def _algorithms(known: Mapping[str, tuple[str, ...]], without: Sequence[str]) -> list[str]:
    chosen = {
        kind: [name for name in names if name in known.get(kind, ()) and name not in without]
        for kind, names in ALGORITHMS.items()
    }
    return [f"{kind} {','.join(names)}" for kind, names in chosen.items() if names]
