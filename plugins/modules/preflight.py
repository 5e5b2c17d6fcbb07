#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Find what stands in the way on a host before anything is touched
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Looks at the system, the names as the host resolves them, the ports that Apache and the services need, the room
    on the disk and the clock, and returns all findings at once, in words. Nothing is changed.
  - A port counts as free when it is held by Apache or by a unit of one of the platform's own services.
attributes:
  check_mode:
    support: full
    description: Only reads, in check mode as otherwise.
  diff_mode:
    support: none
    description: Changes nothing.
options:
  systems:
    description: Systems that are supported, each as C(ID) and C(VERSION_ID) of C(/etc/os-release).
    type: list
    elements: str
    default: [debian 12, debian 13, ubuntu 22.04, ubuntu 24.04]
  names:
    description: Public names that have to lead to O(public_address).
    type: list
    elements: str
    default: []
  public_address:
    description: Address that the public names lead to; without it names are not resolved.
    type: str
  public_ports:
    description: Ports that Apache needs.
    type: list
    elements: int
    default: [80, 443]
  proxy:
    description: Processes that may hold the public ports.
    type: list
    elements: str
    default: [apache2]
  services:
    description: Services whose ports on the loopback address have to be free or their own.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The service's name.
        type: str
        required: true
      port:
        description: Its port on 127.0.0.1.
        type: int
        required: true
  free_space:
    description: Room that has to be there.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: A path, which need not exist yet.
        type: path
        required: true
      megabytes:
        description: Megabytes that have to be free there.
        type: int
        required: true
  time:
    description: The controller's time in seconds since 1970; without it the clock is not compared.
    type: float
  time_tolerance:
    description: Seconds that the clocks may differ, the time until the module runs included.
    type: float
    default: 120
  fail:
    description: Whether findings fail the task; otherwise they are only returned.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Look for what stands in the way
  gatehouse.platform.preflight:
    names: [example.com, microservice1.example.com]
    public_address: 203.0.113.10
    services:
      - name: orders
        port: 5001
    free_space:
      - path: /srv
        megabytes: 500
    time: "{{ now(utc=true).timestamp() }}"
"""

RETURN = r"""
findings:
  description: What stands in the way, in words.
  returned: always
  type: list
  elements: str
system:
  description: The system as O(systems) names it.
  returned: always
  type: str
  sample: debian 12
addresses:
  description: The addresses of each name.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.model import SUPPORTED, Request
from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.run import run

SERVICE = {"name": {"type": "str", "required": True}, "port": {"type": "int", "required": True}}
SPACE = {"path": {"type": "path", "required": True}, "megabytes": {"type": "int", "required": True}}


def main() -> None:
    """Wire the module."""
    module = AnsibleModule(
        argument_spec={
            "systems": {"type": "list", "elements": "str", "default": list(SUPPORTED)},
            "names": {"type": "list", "elements": "str", "default": []},
            "public_address": {"type": "str"},
            "public_ports": {"type": "list", "elements": "int", "default": [80, 443]},
            "proxy": {"type": "list", "elements": "str", "default": ["apache2"]},
            "services": {"type": "list", "elements": "dict", "default": [], "options": SERVICE},
            "free_space": {"type": "list", "elements": "dict", "default": [], "options": SPACE},
            "time": {"type": "float"},
            "time_tolerance": {"type": "float", "default": 120},
            "fail": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    result = run(Request.from_params(module.params))
    if result["findings"] and module.params["fail"]:
        lines = [
            "This stands in the way, and this host was not touched:",
            *(f"- {finding}" for finding in result["findings"]),
        ]
        module.fail_json(msg="\n".join(lines), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
