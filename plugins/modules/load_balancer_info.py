#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_balancer_info
short_description: Tell a platform's load balancer and how its targets are
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Reads the load balancer that the role P(gatehouse.platform.load_balancer#role) makes, by its derived name, which the
    tag C(gatehouse:platform) has to confirm, and the targets of each service with the states and reasons that it gives.
  - Where there is none, RV(arn) is empty.
options:
  platform:
    description: Name of the platform.
    type: str
    required: true
  healthy:
    description: Ids of targets that should be healthy in every target group that has them.
    type: list
    elements: str
    default: []
  wait:
    description: Seconds during which it looks again while these are not.
    type: float
    default: 0
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
  - module: gatehouse.platform.target_registration_info
"""

EXAMPLES = r"""
- name: Look for the load balancer
  gatehouse.platform.load_balancer_info:
    platform: shop
  register: found

- name: Wait until an instance is healthy
  gatehouse.platform.load_balancer_info:
    platform: shop
    healthy: [i-0abc]
    wait: 60
"""

RETURN = r"""
name:
  description: The name that the platform's load balancer has or would have.
  returned: success
  type: str
arn:
  description: ARN of the load balancer; empty where there is none.
  returned: success
  type: str
dns_name:
  description: Its DNS name; empty where there is none.
  returned: success
  type: str
zone_id:
  description: Id of the hosted zone of that name, as alias records want it.
  returned: success
  type: str
scheme:
  description: V(internet-facing) or V(internal); empty where there is none.
  returned: success
  type: str
networks:
  description: Blocks of addresses of its subnets, from which it asks its targets; empty where there is none.
  returned: success
  type: list
  elements: str
  sample: [10.0.0.0/20, 10.0.32.0/20]
services:
  description: The targets by service, draining ones included.
  returned: success
  type: dict
  contains:
    id:
      description: The target's id.
      type: str
    port:
      description: Its port.
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
waiting:
  description: Those of O(healthy) that are not.
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
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_info.read import read

SPEC = {
    "platform": {"type": "str", "required": True},
    "healthy": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "float", "default": 0},
}


def main() -> None:
    """Wire parameters, client and result."""
    module = arguments.module(SPEC, lambda _params, _check_mode: [])
    calls = Calls()
    try:
        result = read(connect(module, "elbv2", calls), connect(module, "ec2", calls), module.params, Retries())
    except AwsError as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
