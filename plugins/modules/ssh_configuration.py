#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_configuration
short_description: Write the ssh_config and known_hosts of an inventory on the controller
version_added: 0.1.0
description:
  - Writes C(ssh_config) and C(known_hosts) from the hosts of the inventory, so that Ansible, scripts and people reach
    every host in the same way with C(ssh -F <state_directory>/ssh_config <host>).
  - Reads C(ansible_host), C(ansible_port), C(ansible_user), C(ansible_ssh_private_key_file) and C(platform_host_keys)
    of each host whose connection is SSH. Host keys are pinned under the inventory's name of the host, and always
    checked.
  - With the topology V(bastion), hosts outside of the group C(bastion) are reached through the first host of that
    group. All of them share one connection to it, which is opened once and stays open for ten minutes after its last
    use.
  - A changed host key takes effect at once, even while a connection to the host's predecessor is still open.
  - Runs on the controller and makes no connection. It writes in check mode as well, because without these files no
    host can be reached to be checked.
author:
  - gatehouse.platform maintainers (!UNKNOWN)
options:
  state_directory:
    description:
      - Directory on the controller, made with mode C(0700).
    type: path
    required: true
  topology:
    description:
      - How the hosts are reached.
    type: str
    choices: [bastion, direct]
    default: bastion
  jump_user:
    description:
      - User in whose name connections pass the bastion. By default that of the bastion's C(ansible_user).
    type: str
    default: ""
  leave_out:
    description:
      - Hosts of the inventory that are not to be reached, as those whose host keys nobody knows.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Writes the controller's own files in check mode as well.
    support: none
  diff_mode:
    description: Shows what changes in the files.
    support: full
"""

EXAMPLES = r"""
- name: Write how the hosts are reached
  gatehouse.platform.ssh_configuration:
    state_directory: "{{ platform_state_dir }}"
    topology: bastion
"""

RETURN = r"""
path:
  description: Path of the ssh_config.
  returned: success
  type: str
  sample: /home/operator/shop/.gatehouse/ssh_config
hosts:
  description: Names of the hosts in it.
  returned: success
  type: list
  elements: str
  sample: [bastion, web]
jump_host:
  description: Name of the bastion that other hosts are reached through.
  returned: success
  type: str
  sample: bastion
"""
