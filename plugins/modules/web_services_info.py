#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: web_services_info
short_description: Tell which releases of a platform's services run on a host
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Finds the platform's services by what M(gatehouse.platform.web_services) left on the host, whether they are
    declared or not, and asks each live deployment for its health.
attributes:
  check_mode:
    support: full
    description: Only reads, in check mode as otherwise.
  diff_mode:
    support: none
    description: Changes nothing.
options:
  platform:
    description: The platform's name.
    type: str
    default: platform
  services:
    description: Declared services; only C(name) and C(health) are read, everything else is ignored.
    type: list
    elements: dict
    default: []
  journal:
    description: How many of the last lines that each live deployment wrote are told.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Ask the host what runs
  gatehouse.platform.web_services_info:
    services: "{{ platform_services }}"
"""

RETURN = r"""
services:
  description: What was found, by service.
  returned: success
  type: dict
  contains:
    release:
      description: The live release, or null.
      type: str
    fingerprint:
      description: What the content of the live release is known by, or null.
      type: str
    previous:
      description: Where a rollback goes, or null.
      type: str
    releases:
      description: Every release on the host and its state.
      type: dict
    color:
      description: The live deployment, V(blue) or V(green), or null.
      type: str
    port:
      description: Port that systemd holds for it, or null.
      type: int
    units:
      description: The states of the units that have to run.
      type: dict
      sample: {"orders.socket": "active (running)", "orders-blue.service": "active (running)"}
    health:
      description: What the live deployment answered - C(healthy), C(status) and C(text).
      type: dict
    findings:
      description: Sentences about what is not as it should be, as when both deployments answer requests.
      type: list
      elements: str
    lock:
      description: Who keeps others from deploying or deploys now - C(owner), C(time), C(reason); empty without one.
      type: dict
    journal:
      description: The last lines that the live deployment wrote, without values of secrets and variables.
      returned: with O(journal)
      type: list
      elements: str
    last:
      description: >-
        The last deploy, rollback or attempt - C(time), C(who), C(reason), C(release), C(from) (the release before),
        C(result) (C(done) or what went wrong), C(seconds) and C(steps). Null for a service without a history.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.info import run


def main() -> None:
    """Wire the module."""
    module = AnsibleModule(
        argument_spec={
            "platform": {"type": "str", "default": "platform"},
            "services": {"type": "list", "elements": "dict", "default": []},
            "journal": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module.params["platform"], module.params["services"], module.params["journal"])
    except (CommandError, OSError) as error:
        module.fail_json(msg=f"What runs here cannot be told: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
