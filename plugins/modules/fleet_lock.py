#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_lock
short_description: Keep others, and Auto Scaling itself, from a fleet while it is deployed to
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Locks Auto Scaling groups for one run of Ansible and suspends processes that would interfere with it; and puts both
    back, where processes that somebody else has suspended stay suspended.
  - Who holds the lock and what was suspended are tags of the group. They are set first and removed last, so that the
    successor of a run that was killed finds them.
  - A lock is taken over from a run of the same user and machine that is over, and from any other once it is
    O(lock_timeout) seconds old.
options:
  groups:
    description: Names of the Auto Scaling groups.
    type: list
    elements: str
    required: true
  state:
    description:
      - Whether the groups are locked. A group that does not exist is unlocked.
      - With V(renewed), locks that this run holds begin anew where a quarter of O(lock_timeout) is over, and all others
        stay as they are.
    type: str
    choices: [locked, unlocked, renewed]
    default: locked
  suspend:
    description:
      - The processes that stand still while the groups are locked.
      - V(HealthCheck) is among them because an instance that is out of the load balancer for a while would be marked as
        unhealthy otherwise, and be replaced as soon as V(ReplaceUnhealthy) goes on.
    type: list
    elements: str
    default: [AZRebalance, AlarmNotification, HealthCheck, InstanceRefresh, ReplaceUnhealthy, ScheduledActions]
  lock_timeout:
    description: Seconds after which somebody else's lock is taken over.
    type: int
    default: 3600
  force:
    description: Take over any lock.
    type: bool
    default: false
  owner:
    description: Who holds the lock. The action plugin fills in who runs Ansible.
    type: str
    default: unknown
  run:
    description: Which run of Ansible holds the lock. The action plugin fills it in.
    type: str
    default: "0"
attributes:
  check_mode:
    description: Says what would change, and fails where the run would.
    support: full
  diff_mode:
    description: A lock is no text.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep others from the fleet
  gatehouse.platform.fleet_lock:
    groups: [shop-web]

- name: Let them go on
  gatehouse.platform.fleet_lock:
    groups: [shop-web]
    state: unlocked
"""

RETURN = r"""
groups:
  description: By group, its C(lock) in words, empty without one, and the processes that are C(suspended).
  returned: success
  type: dict
lost:
  description: Groups whose lock was to be renewed, and is not held by this run.
  returned: success
  type: list
  elements: str
plan:
  description: What was done, or would be, in words.
  returned: success
  type: list
  elements: str
calls:
  description: Number of API calls.
  returned: always
  type: int
"""

from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock.model import FleetLockError
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_lock.run import bring_to_state, findings

SPEC = {
    "groups": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["locked", "unlocked", "renewed"], "default": "locked"},
    "suspend": {
        "type": "list",
        "elements": "str",
        "default": [
            "AZRebalance",
            "AlarmNotification",
            "HealthCheck",
            "InstanceRefresh",
            "ReplaceUnhealthy",
            "ScheduledActions",
        ],
    },
    "lock_timeout": {"type": "int", "default": 3600},
    "force": {"type": "bool", "default": False},
    "owner": {"type": "str", "default": "unknown"},
    "run": {"type": "str", "default": "0"},
}


def main() -> None:
    """Wire parameters, client and result."""
    module = arguments.module(SPEC, findings)
    calls = Calls()
    client = connect(module, "autoscaling", calls)
    try:
        result = bring_to_state(module.params, client, Retries(), Clock(), module.check_mode)
    except (AwsError, FleetLockError) as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
