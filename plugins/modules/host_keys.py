#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_keys
short_description: Read the SSH host keys of EC2 instances from their consoles
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Reads the public host keys that cloud-init prints on the console at the first boot, so that the first connection to
    an instance is checked like every other. They come from the EC2 API, over TLS, and not over the network that is to
    be checked.
  - What was read once is kept in C(host_keys.json) under the instance's id, and never asked for again.
  - Waits for instances that were launched just now.
  - Runs where the AWS API is called from, usually the controller. It writes in check mode as well, because without the
    keys no host can be reached to be checked.
options:
  instances:
    description: Ids of the instances.
    type: list
    elements: str
    required: true
  state_directory:
    description: Directory for C(host_keys.json), made with mode C(0700).
    type: path
    required: true
  wait_timeout:
    description: Seconds to wait for keys on the consoles, for all instances together.
    type: int
    default: 300
attributes:
  check_mode:
    support: partial
    description: Changes no host.
    details: The controller's own file is written in check mode as well.
  diff_mode:
    support: none
    description: Changes nothing on a host.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: gatehouse.platform.ssh_configuration
"""

EXAMPLES = r"""
- name: Read the host keys of all instances
  gatehouse.platform.host_keys:
    instances: [i-0123456789abcdef0]
    state_directory: "{{ platform_state_dir }}"
  register: found
  delegate_to: localhost
  run_once: true

- name: Pin them
  ansible.builtin.set_fact:
    platform_host_keys: "{{ found.host_keys['i-0123456789abcdef0'] }}"
"""

RETURN = r"""
host_keys:
  description: By instance, its public keys as C(platform_host_keys) holds them.
  returned: success
  type: dict
  sample: {i-0123456789abcdef0: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…]}
calls:
  description: Number of API calls.
  returned: always
  type: int
"""

from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting
from ansible_collections.gatehouse.platform.plugins.module_utils._host_keys.run import HostKeysError, read

SPEC = {
    "instances": {"type": "list", "elements": "str", "required": True},
    "state_directory": {"type": "path", "required": True},
    "wait_timeout": {"type": "int", "default": 300},
}


def main() -> None:
    """Wire parameters, client and result."""
    module = arguments.module(SPEC, lambda _params, _check_mode: ())
    calls = Calls()
    ec2 = connect(module, "ec2", calls)
    waiting = Waiting(module.params["wait_timeout"], first=3.0)
    try:
        result = read(module.params, ec2, waiting, Retries())
    except (AwsError, HostKeysError) as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
