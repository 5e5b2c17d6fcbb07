#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: bastion
short_description: Make a host a bastion, a tunnel and nothing else for its jump users
version_added: 0.1.0
description:
  - Brings sshd, nftables, groups and jump users to the declared state in one call.
  - Jump users get no shell, no command, no agent, no X11, and reach port 22 of the named ranges only. sshd allows
    the port, nftables rules by the gid of the jump group allow the ranges. Each forwarded connection is logged.
  - A new configuration of sshd is tested as a whole before it is put in place. It is loaded by a reload, never a
    restart, so that open connections stay. A reload that a killed run has lost is made up for.
  - Refuses, with nothing changed, what would lock out the user of the connection that it comes over.
  - Changes nothing while a package is missing; RV(missing_packages) then names it.
author:
  - gatehouse.platform maintainers (!UNKNOWN)
options:
  state:
    description: Whether the host is a bastion. V(absent) removes jump users, groups, rules and the part of sshd_config.
    type: str
    choices: [present, absent]
    default: present
  admin_group:
    description: Group of the administrators, who keep their shell. Made when it is not there.
    type: str
    default: gatehouse-admin
  admins:
    description: Users of the host who are administrators; others are taken out of the group.
    type: list
    elements: str
    default: []
  jump_group:
    description: Primary group of the jump users. Made when it is not there.
    type: str
    default: gatehouse-jump
  jump_users:
    description: Users who pass the bastion. Those who are not named here any more are removed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      keys:
        description: All public keys that let the user in, without options.
        type: list
        elements: str
        required: true
  forward_ranges:
    description: Networks in CIDR notation whose port 22 the jump users reach.
    type: list
    elements: str
    default: []
  pinned_host_keys:
    description: Public host keys that clients know. One of them has to be offered still.
    type: list
    elements: str
    default: []
  post_quantum_only:
    description:
      - Offer no key exchange that a quantum computer could break. Clients need OpenSSH 8.5 or newer, built with
        C(sntrup761x25519-sha512).
    type: bool
    default: false
  max_startups:
    description: C(MaxStartups) of sshd, the number of connections that are logging in at the same time.
    type: str
    default: "100:30:200"
  max_sessions:
    description: C(MaxSessions) of sshd for administrators, the number of sessions over one connection.
    type: int
    default: 100
  login_grace_time:
    description: Seconds in which a login has to be done.
    type: int
    default: 30
  client_alive_interval:
    description: Seconds after which a silent client is asked whether it is there.
    type: int
    default: 30
  client_alive_count_max:
    description: Number of such questions without an answer that end a connection.
    type: int
    default: 4
extends_documentation_fragment:
  - gatehouse.platform.packages
attributes:
  check_mode:
    description: Tells what would change, and tests the configuration and the way back in.
    support: full
  diff_mode:
    description: Shows what changes in the files.
    support: full
"""

EXAMPLES = r"""
- name: Let two operators pass to the private network
  gatehouse.platform.bastion:
    packages: [nftables, openssh-server]
    admins: [admin]
    jump_users:
      - name: ada
        keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada"]
    forward_ranges: [10.0.2.0/24]
"""

RETURN = r"""
plan:
  description: What was changed, or would be, in words.
  returned: success
  type: list
  elements: str
  sample: [create the jump user ada]
missing_packages:
  description: Packages that have to be installed first. Nothing was changed when there is one.
  returned: success
  type: list
  elements: str
  sample: [nftables]
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.model import BastionError
from ansible_collections.gatehouse.platform.plugins.module_utils._bastion.run import run
from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError
from ansible_collections.gatehouse.platform.plugins.module_utils._packages import PACKAGES_OPTION


def main() -> None:
    names = {"type": "list", "elements": "str", "default": []}
    user = {
        "name": {"type": "str", "required": True},
        "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
    }
    os.umask(0o022)  # what is made for others to read is readable whatever the host's umask is
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "packages": PACKAGES_OPTION,
            "admin_group": {"type": "str", "default": "gatehouse-admin"},
            "admins": names,
            "jump_group": {"type": "str", "default": "gatehouse-jump"},
            "jump_users": {"type": "list", "elements": "dict", "default": [], "options": user},
            "forward_ranges": names,
            "pinned_host_keys": {**names, "no_log": False},
            "post_quantum_only": {"type": "bool", "default": False},
            "max_startups": {"type": "str", "default": "100:30:200"},
            "max_sessions": {"type": "int", "default": 100},
            "login_grace_time": {"type": "int", "default": 30},
            "client_alive_interval": {"type": "int", "default": 30},
            "client_alive_count_max": {"type": "int", "default": 4},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(module.params, module.check_mode))
    except (BastionError, CommandError, OSError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
