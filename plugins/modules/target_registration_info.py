#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: target_registration_info
short_description: Tell which targets are registered in a load balancer's target groups, and how they are
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Reads target groups and their targets with the states and reasons that the load balancer gives, by one call per
    group and one for the groups.
options:
  target_groups:
    description: Names or ARNs of the target groups; all of the region where this is not given.
    type: list
    elements: str
  targets:
    description: Ids of the targets that are of interest. With them only the groups are told that have one of these.
    type: list
    elements: str
attributes:
  check_mode:
    support: full
    description: Only reads, in check mode as otherwise.
  diff_mode:
    support: none
    description: Changes nothing.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: gatehouse.platform.target_registration
"""

EXAMPLES = r"""
- name: Look at the targets of one group
  gatehouse.platform.target_registration_info:
    target_groups: [shop-web]
  register: found

- name: Give another group the same targets
  gatehouse.platform.target_registration:
    target_groups: [shop-admin]
    targets: "{{ found.target_groups['shop-web'].registered }}"

- name: Ask where an address is registered
  gatehouse.platform.target_registration_info:
    targets: [10.0.3.7]
"""

RETURN = r"""
target_groups:
  description: The groups by their names.
  returned: success
  type: dict
  contains:
    arn:
      description: ARN of the target group.
      type: str
    target_type:
      description: What is registered in the group, V(instance), V(ip), V(lambda) or V(alb).
      type: str
    protocol:
      description: Protocol of the group; empty for functions.
      type: str
    port:
      description: Port of targets that were registered without one; null for functions.
      type: int
    vpc_id:
      description: VPC of the targets; empty for functions.
      type: str
    load_balancers:
      description: ARNs of the load balancers that forward to the group.
      type: list
      elements: str
    targets:
      description: The targets, draining ones included.
      type: list
      elements: dict
      contains:
        id:
          description: The target's id.
          type: str
        port:
          description: Its port; null for a function.
          type: int
        availability_zone:
          description: Its zone, where AWS tells it; otherwise empty.
          type: str
        state:
          description: Its state.
          type: str
          sample: healthy
        reason:
          description: AWS's reason code for the state; empty for a healthy target.
          type: str
        description:
          description: AWS's words for the state; empty for a healthy target.
          type: str
    registered:
      description: >-
        The targets that are not draining, as O(gatehouse.platform.target_registration#module:targets) takes them.
      type: list
      elements: dict
calls:
  description: Number of API calls.
  returned: always
  type: int
"""

from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.info import findings, read
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    TargetRegistrationError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.remote import Remote

SPEC = {
    "target_groups": {"type": "list", "elements": "str"},
    "targets": {"type": "list", "elements": "str"},
}


def main() -> None:
    """Wire parameters, clients and result."""
    module = arguments.module(SPEC, findings)
    calls = Calls()
    remote = Remote(connect(module, "elbv2", calls), lambda: connect(module, "ec2", calls), Retries())
    try:
        result = read(module.params, remote)
    except (AwsError, TargetRegistrationError) as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
