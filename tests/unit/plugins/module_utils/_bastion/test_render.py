# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contents of the files."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.gatehouse.platform.plugins.module_utils._bastion import render
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import Current, JumpUser, Settings

SETTINGS = Settings(True, "admins", ("admin",), "jump", (JumpUser("ada", ("ssh-ed25519 AAAA",)),), ("10.0.0.0/24",))
KNOWN = {kind: (*names, "old") for kind, names in render.ALGORITHMS.items()}
CURRENT = Current({}, {}, {}, ("/etc/ssh/ssh_host_ed25519_key",), KNOWN)


def test_rules_let_the_jump_group_reach_port_22_of_the_ranges_and_nothing_else() -> None:
    text, digest = render.rules(replace(SETTINGS, ranges=("10.0.0.0/24", "2001:db8::/32")))
    assert text == (
        "# Written by gatehouse.platform. Changes made here are lost.\n"
        "table inet gatehouse_bastion\n"
        "delete table inet gatehouse_bastion\n"
        "table inet gatehouse_bastion {\n"
        "    chain output {\n"
        "        type filter hook output priority filter; policy accept;\n"
        '        meta skgid "jump" tcp dport 22 ip daddr { 10.0.0.0/24 } accept\n'
        '        meta skgid "jump" tcp dport 22 ip6 daddr { 2001:db8::/32 } accept\n'
        f'        meta skgid "jump" counter reject with icmpx type admin-prohibited comment "{digest}"\n'
        "    }\n"
        "}\n"
    )


def test_without_ranges_nothing_is_accepted() -> None:
    text, _digest = render.rules(replace(SETTINGS, ranges=()))
    assert "accept\n" not in text
    assert "reject" in text


def test_other_ranges_make_another_digest() -> None:
    assert render.rules(SETTINGS)[1] != render.rules(replace(SETTINGS, ranges=("10.0.1.0/24",)))[1]


def test_keys_can_do_nothing_but_forward() -> None:
    assert render.authorized_keys(SETTINGS.jump_users[0]).splitlines()[1:] == [
        "restrict,port-forwarding ssh-ed25519 AAAA"
    ]


def test_jump_users_get_a_tunnel_and_nothing_else() -> None:
    text = render.drop_in(SETTINGS, CURRENT)
    jump = text[text.index("Match Group jump") : text.index("Match Group admins")]
    for line in ("ForceCommand /usr/sbin/nologin", "MaxSessions 0", "PermitOpen *:22", "LogLevel DEBUG1"):
        assert f"    {line}\n" in jump


def test_settings_that_hold_for_all_come_before_the_first_match() -> None:
    common = render.drop_in(SETTINGS, CURRENT).split("Match", maxsplit=1)[0]
    for line in ("AllowGroups admins jump", "PermitRootLogin no", "PasswordAuthentication no"):
        assert f"{line}\n" in common
    assert "HostKey /etc/ssh/ssh_host_ed25519_key\n" in common


def test_only_algorithms_that_the_host_knows_are_named() -> None:
    known = {**KNOWN, "KexAlgorithms": ("curve25519-sha256", "diffie-hellman-group14-sha1")}
    text = render.drop_in(SETTINGS, replace(CURRENT, algorithms=known))
    assert "KexAlgorithms curve25519-sha256\n" in text


def test_post_quantum_only_leaves_the_classic_exchange_out() -> None:
    text = render.drop_in(replace(SETTINGS, post_quantum_only=True), CURRENT)
    assert "curve25519-sha256," not in text
    assert "sntrup761x25519-sha512@openssh.com\n" in text


def test_nothing_is_left_of_an_absent_bastion() -> None:
    assert render.files(replace(SETTINGS, present=False), CURRENT) == {}
