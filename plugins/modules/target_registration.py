#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: target_registration
short_description: Bring the targets of a load balancer's target groups to the declared state
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Registers many targets in many target groups, or deregisters them, and waits until they are healthy or drained.
  - Every group is changed by one call at most for registering and one for deregistering (one per 200 targets), all
    groups side by side, and looked at by one call however many targets it has.
  - What is registered and healthy is left alone. A draining target that is to be present is registered again. One that
    is registered but not healthy yet is not registered again but waited for.
  - Nothing is changed anywhere when the input, a target's type, the number of targets that would stay healthy, or a
    missing listener says that the run cannot end well; all of that is told in one message. Where more than one call
    registers something, instances that AWS would refuse, because they do not exist, do not run or lie in another VPC,
    are found before the first one, if C(ec2:DescribeInstances) is permitted.
  - A run that fails says what it has done, what it has perhaps done, because the answer was lost, and what it has not.
    It counts as changed when something was done, or perhaps.
  - After an answer that was lost the state is read and planned again before anything else is sent. A network that is
    down for a while, once AWS has answered, is waited for.
options:
  target_groups:
    description: Names or ARNs of the target groups.
    type: list
    elements: str
    required: true
  targets:
    description: The targets, every one for every group. Their order, and whether one is there twice, does not matter.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description:
          - What the groups' target type asks for, the id of an instance, an IP address, or the ARN of a Lambda function
            or of an Application Load Balancer.
        type: str
        required: true
      port:
        description:
          - The port; that of the group by default. A target is its id with its port, so that one id can be registered
            with several ports.
          - With O(state=absent) and without a port every port of the id is deregistered.
        type: int
      availability_zone:
        description:
          - The zone of an address outside of the VPC's subnets, V(all) by default. AWS finds out the zone of every
            other target, where it can be given only as what it is.
        type: str
  state:
    description:
      - V(present) registers the targets, V(absent) deregisters them.
    type: str
    choices: [present, absent]
    default: present
  exclusive:
    description:
      - Whether the groups are to have no other targets than these.
      - Others are deregistered after these have been registered and, with O(wait=true), have become healthy in all
        groups. With O(wait=false) they are deregistered at once, as far as O(minimum_healthy) lets them go without
        counting the new ones.
    type: bool
    default: false
  minimum_healthy:
    description:
      - How many targets of each group have to be healthy after the change; what would leave fewer is refused for all
        groups before anything is changed.
      - A number, or a percentage of the targets that are registered before the change (draining ones apart), rounded
        up.
      - With O(wait=true) the targets to be present count as healthy, since no other is deregistered before they are;
        what is healthy then is counted again.
      - A target that is not healthy can always be deregistered. V(0) lets every target go.
    type: str
    default: "1"
  wait:
    description:
      - Whether to wait until the targets are healthy, or are drained and gone from the group's list.
      - A Lambda function whose target group does not check its health is not waited for. A target to which nothing is
        sent, because no listener forwards to its group, its zone is not enabled or the instance does not run, is an
        error at once. Where a listener does forward to the group it may be so new that it sends nothing yet, so that
        this is an error only after a minute.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait for health, and again for the drain.
      - By default what the slowest of the groups takes, which is the interval of its health check times the healthy
        threshold, or its deregistration delay, and 120 seconds more.
    type: int
attributes:
  check_mode:
    description:
      - Says what would be done, and refuses what would be refused, instances that do not exist or run included where
        C(ec2:DescribeInstances) is permitted. RV(target_groups) has the expected states.
    support: full
  diff_mode:
    description: Shows who is registered in each group that changes, before and after.
    support: full
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - Needs the permissions C(elasticloadbalancing:DescribeTargetGroups), C(DescribeTargetHealth),
    C(DescribeTargetGroupAttributes), C(RegisterTargets) and C(DeregisterTargets), and C(ec2:DescribeSubnets) for IP
    addresses. With C(ec2:DescribeInstances) instances are looked at before they are registered in several groups.
    Where C(elasticloadbalancing:DescribeLoadBalancers), C(ec2:DescribeNetworkInterfaces),
    C(ec2:DescribeSecurityGroups) and C(ec2:DescribeSubnets) are given too, the message of a time-out names security
    groups that keep the health checks away.
seealso:
  - module: gatehouse.platform.target_registration_info
"""

EXAMPLES = r"""
- name: Find the instances of the shop
  amazon.aws.ec2_instance_info:
    filters:
      tag:gatehouse:platform: shop
      instance-state-name: running
  register: shop

- name: Take two of them into service, with the port of the target group
  gatehouse.platform.target_registration:
    target_groups: [shop-web]
    targets:
      - id: "{{ shop.instances[0].instance_id }}"
      - id: "{{ shop.instances[1].instance_id }}"

- name: Say what making one of them the only target of two groups would change
  gatehouse.platform.target_registration:
    target_groups: [shop-web, shop-admin]
    targets:
      - id: "{{ shop.instances[0].instance_id }}"
    exclusive: true
  check_mode: true

- name: Drain the other one, unless less than half of the targets would stay healthy
  gatehouse.platform.target_registration:
    target_groups: [shop-web]
    targets:
      - id: "{{ shop.instances[1].instance_id }}"
    state: absent
    minimum_healthy: 50%

- name: Register addresses outside of the VPC, and do not wait for their health
  gatehouse.platform.target_registration:
    target_groups: [shop-office]
    targets:
      - {id: 10.0.3.7, port: 8080}
      - {id: 10.0.3.8, port: 8080}
    wait: false
"""

RETURN = r"""
plan:
  description: What was done, or in check mode would be done, in words.
  returned: success
  type: list
  elements: str
  sample: ["shop-web: registers i-0abc1234:8080", "shop-web: deregisters i-0def5678:8080"]
target_groups:
  description: The groups by their names.
  returned: success
  type: dict
  contains:
    arn:
      description: ARN of the target group.
      type: str
    targets:
      description: Every target that was registered before or is now.
      type: list
      elements: dict
      contains:
        id:
          description: The target's id.
          type: str
        port:
          description: Its port; null for a function.
          type: int
        before:
          description: Its state before the run, or V(absent).
          type: str
          sample: draining
        after:
          description: Its state at the end, or V(absent).
          type: str
          sample: healthy
        reason:
          description: AWS's reason code for the state at the end; empty for a healthy target.
          type: str
        description:
          description: AWS's words for the state at the end; empty for a healthy target.
          type: str
waited:
  description: Seconds that were waited for health and for the drain.
  returned: success
  type: float
calls:
  description: Number of API calls.
  returned: always
  type: int
"""

from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    TargetRegistrationError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.params import findings
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.remote import Remote
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.run import bring_to_state

TARGET = {
    "id": {"type": "str", "required": True},
    "port": {"type": "int"},
    "availability_zone": {"type": "str"},
}

SPEC = {
    "target_groups": {"type": "list", "elements": "str", "required": True},
    "targets": {"type": "list", "elements": "dict", "required": True, "options": TARGET},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "exclusive": {"type": "bool", "default": False},
    "minimum_healthy": {"type": "str", "default": "1"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int"},
}


def main() -> None:
    """Wire parameters, clients and result."""
    module = arguments.module(SPEC, findings)
    calls = Calls()
    remote = Remote(connect(module, "elbv2", calls), lambda: connect(module, "ec2", calls), Retries())
    try:
        result = bring_to_state(module.params, remote, module.check_mode)
    except (AwsError, TargetRegistrationError) as error:
        module.fail_json(msg=str(error), changed=remote.ledger.changed, calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
