#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: web_services_lock
short_description: Keep others from deploying a web service for a while
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - While a service is locked, M(gatehouse.platform.web_services) refuses to change it for everybody but the lock's
    owner, and tells who locked it and why.
  - A deploy locks what it changes by itself. A lock that a killed run left is taken over, and the next run says so.
options:
  names:
    description: Names of the services.
    type: list
    elements: str
    required: true
  state:
    description: Whether the services are locked.
    type: str
    choices: [locked, unlocked]
    default: locked
  reason:
    description: Why, for those who want to deploy.
    type: str
    default: ""
  force:
    description: Whether O(state=unlocked) releases somebody else's lock as well.
    type: bool
    default: false
  owner:
    description: Who holds the lock. The action plugin fills in who runs Ansible, as it does for deploys.
    type: str
    default: unknown
attributes:
  check_mode:
    description: Says whether a lock would change, and fails where the run would.
    support: full
  diff_mode:
    description: A lock is no text.
    support: none
  platform:
    description: Linux.
    support: full
    platforms: linux
"""

EXAMPLES = r"""
- name: No deploys of orders before the sale
  gatehouse.platform.web_services_lock:
    names: [orders]
    reason: sale until Monday

- name: Deploy again
  gatehouse.platform.web_services_lock:
    names: [orders]
    state: unlocked
"""

RETURN = r"""
locks:
  description: By service, who holds its lock - C(owner), C(time), C(reason); empty without one.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import ledger
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "state": {"type": "str", "choices": ["locked", "unlocked"], "default": "locked"},
            "reason": {"type": "str", "default": ""},
            "force": {"type": "bool", "default": False},
            "owner": {"type": "str", "default": "unknown"},
        },
        supports_check_mode=True,
    )
    try:
        changed, locks = ledger.bring(
            module.params["names"],
            ledger.Wish(
                locked=module.params["state"] == "locked",
                owner=module.params["owner"],
                reason=module.params["reason"],
                force=module.params["force"],
            ),
            module.check_mode,
        )
    except WebServiceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, locks=locks)


if __name__ == "__main__":
    main()
