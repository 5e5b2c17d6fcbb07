# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that ssh reads."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.gatehouse.platform.plugins.module_utils._ssh_configuration import render
from ansible_collections.gatehouse.platform.plugins.module_utils._ssh_configuration.model import (
    Configuration,
    Host,
    Jump,
)

GATE = Host("gate", "203.0.113.2", 22, ("ssh-ed25519 AAAA",), "admin", "/keys/id")
WEB = Host("web", "10.0.0.3", 2222, ("ssh-ed25519 BBBB", "ssh-rsa CCCC"))
PATHS = render.Paths("/s/ssh_config", "/s/known_hosts", "/s/ssh_jump", "/c")
THROUGH_GATE = Configuration((GATE, WEB), Jump(GATE, "admin"), frozenset({"gate"}))

EXPECTED = """\
# Written by gatehouse.platform from the inventory. Changes made here are lost.

Host gate 203.0.113.2
  HostName 203.0.113.2
  Port 22
  User admin
  IdentityFile "/keys/id"
  IdentitiesOnly yes
  HostKeyAlias gate
  ControlPath "/c/GATE-%C"

Host web 10.0.0.3
  HostName 10.0.0.3
  Port 2222
  HostKeyAlias web
  ControlPath "/c/WEB-%C"
  ProxyCommand /bin/sh /s/ssh_jump /s/ssh_config admin@gate '[%h]:%p'

Host *
  UserKnownHostsFile "/s/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  PreferredAuthentications publickey
  PasswordAuthentication no
  KbdInteractiveAuthentication no
  ForwardAgent no
  ForwardX11 no
  ConnectTimeout 10
  ServerAliveInterval 10
  ServerAliveCountMax 3
  ControlMaster auto
  ControlPersist 10m
"""


def test_hosts_behind_the_bastion_pass_it_and_the_bastion_does_not() -> None:
    expected = EXPECTED.replace("GATE", render.control_name(GATE, None))
    expected = expected.replace("WEB", render.control_name(WEB, THROUGH_GATE.jump))
    assert render.ssh_config(THROUGH_GATE, PATHS) == expected


def test_a_direct_topology_has_no_proxy_command() -> None:
    text = render.ssh_config(Configuration((GATE, WEB), None, frozenset({"gate", "web"})), PATHS)
    assert "ProxyCommand" not in text


def test_keys_are_pinned_under_the_name_of_the_inventory() -> None:
    assert render.known_hosts(THROUGH_GATE).splitlines()[1:] == [
        "gate ssh-ed25519 AAAA",
        "web ssh-ed25519 BBBB",
        "web ssh-rsa CCCC",
    ]


def test_a_host_named_by_its_address_is_written_once() -> None:
    assert "Host 10.0.0.3\n" in render.ssh_config(Configuration((replace(WEB, name="10.0.0.3"),)), PATHS)


def test_percent_signs_and_blanks_of_paths_reach_ssh_as_they_are() -> None:
    paths = render.Paths("/a b%/ssh_config", "/a b%/known_hosts", "/a b%/ssh_jump", "/a b%")
    text = render.ssh_config(THROUGH_GATE, paths)
    assert 'UserKnownHostsFile "/a b%%/known_hosts"' in text
    assert "ProxyCommand /bin/sh '/a b%%/ssh_jump' '/a b%%/ssh_config' admin@gate '[%h]:%p'" in text


def test_a_new_key_of_a_host_or_of_its_bastion_makes_another_socket() -> None:
    rebuilt_web = replace(WEB, host_keys=("ssh-ed25519 DDDD",))
    rebuilt_gate = Jump(replace(GATE, host_keys=("ssh-ed25519 DDDD",)), "admin")
    names = {
        render.control_name(WEB, THROUGH_GATE.jump),
        render.control_name(rebuilt_web, THROUGH_GATE.jump),
        render.control_name(WEB, rebuilt_gate),
        render.control_name(WEB, None),
    }
    assert len(names) == 4
