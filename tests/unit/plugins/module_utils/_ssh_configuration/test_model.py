# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory says becomes hosts, or one error with every finding."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._ssh_configuration.model import (
    ConfigurationError,
    Host,
    Jump,
    from_inventory,
)

KEY = "ssh-ed25519 AAAAC3Nza"


def inventory(**changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a bastion and a web host, each with changes to its variables."""
    hosts = {
        "gate": {"ansible_host": "203.0.113.2", "ansible_user": "admin", "platform_host_keys": [KEY]},
        "web": {"ansible_host": "10.0.0.3", "ansible_user": "admin", "platform_host_keys": [KEY]},
    }
    return {name: {**variables, **changes.get(name, {})} for name, variables in hosts.items()}


def findings(variables: dict[str, dict[str, Any]], bastions: list[str], topology: str, user: str = "") -> list[str]:
    """Return the findings of an inventory that is refused."""
    with pytest.raises(ConfigurationError) as caught:
        from_inventory(variables, bastions, topology, user)
    return caught.value.findings


def test_the_first_host_of_the_group_is_the_jump_host() -> None:
    configuration = from_inventory(inventory(), ["gate"], "bastion")
    assert configuration.jump == Jump(Host("gate", "203.0.113.2", 22, (KEY,), "admin"), "admin")
    assert configuration.direct == {"gate"}


def test_a_jump_user_replaces_the_bastions_own() -> None:
    jump = from_inventory(inventory(), ["gate"], "bastion", "operator").jump
    assert jump is not None
    assert jump.user == "operator"


def test_a_direct_topology_leaves_the_bastion_out() -> None:
    configuration = from_inventory(inventory(), ["gate"], "direct")
    assert configuration.jump is None
    assert configuration.direct == {"gate", "web"}


def test_hosts_that_are_not_reached_over_ssh_are_left_out() -> None:
    variables = {**inventory(), "here": {"ansible_connection": "local"}}
    assert [host.name for host in from_inventory(variables, ["gate"], "bastion").hosts] == ["gate", "web"]


def test_every_host_may_have_its_own_way_of_naming_things() -> None:
    changes = {"ansible_port": "2222", "ansible_private_key_file": "/keys/web", "ansible_user": None}
    host = from_inventory(inventory(web=changes), ["gate"], "bastion").hosts[1]
    assert host == Host("web", "10.0.0.3", 2222, (KEY,), "", "/keys/web")


def test_comments_order_and_duplicates_of_host_keys_do_not_matter() -> None:
    keys = ["ssh-rsa AAAAB3 root@web", f"{KEY} root@web", KEY]
    host = from_inventory(inventory(web={"platform_host_keys": keys}), ["gate"], "bastion").hosts[1]
    assert host.host_keys == (KEY, "ssh-rsa AAAAB3")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"platform_host_keys": None}, "web: platform_host_keys is missing"),
        ({"platform_host_keys": ["10.0.0.3 ssh-ed25519 AAAA"]}, "web: platform_host_keys: '10.0.0.3 ssh-ed25519'"),
        ({"platform_host_keys": ["@cert-authority * x"]}, "web: platform_host_keys: '@cert-authority *'"),
        ({"ansible_host": "-oProxyCommand=x"}, "web: ansible_host '-oProxyCommand=x'"),
        ({"ansible_host": "10.0.0.3\nHost *"}, "web: ansible_host"),
        ({"ansible_user": "a b"}, "web: ansible_user 'a b'"),
        ({"ansible_port": "0"}, "web: ansible_port '0'"),
        ({"ansible_port": "ssh"}, "web: ansible_port 'ssh'"),
        ({"ansible_ssh_private_key_file": 'a"b'}, "web: ansible_ssh_private_key_file"),
        ({"ansible_host": "203.0.113.2", "ansible_port": 2222}, "web: ansible_host 203.0.113.2 is that of gate too"),
    ],
)
def test_a_bad_value_is_named_with_its_host(changes: dict[str, Any], words: str) -> None:
    (finding,) = findings(inventory(web=changes), ["gate"], "bastion")
    assert finding.startswith(words)


def test_a_topology_without_its_bastion_is_refused() -> None:
    assert findings(inventory(), [], "bastion") == [
        "platform_topology is 'bastion', but no host is in the group 'bastion'"
    ]


def test_all_findings_come_at_once() -> None:
    variables = inventory(gate={"platform_host_keys": []}, web={"platform_host_keys": []})
    assert len(findings(variables, ["gate"], "tunnel", "no user")) == 4
