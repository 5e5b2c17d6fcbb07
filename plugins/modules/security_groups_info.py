#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the security groups of a VPC in the form in which they are declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: security_groups_info
short_description: Read the security groups of a VPC in the form in which they are declared
version_added: 0.1.0
author: [gatehouse.platform maintainers (!UNKNOWN)]
description:
  - Reads the groups of a VPC. RV(groups), given to M(gatehouse.platform.security_groups) as its groups, changes
    nothing, so that the groups of an existing VPC can be taken over and then be changed step by step.
  - Makes a single call, C(DescribeSecurityGroups), and one more for every further thousand groups of the VPC. In a VPC
    that another account shares one more asks whose groups are this account's, and only these are read.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  action_group:
    description: Use C(group/gatehouse.platform.aws) in C(module_defaults) to set defaults for this module.
    support: full
    membership: [gatehouse.platform.aws]
  check_mode:
    description: Only reads, in check mode as otherwise.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
options:
  vpc_id:
    description: The VPC whose groups are read.
    type: str
    required: true
  owner:
    description: Only groups whose tag C(gatehouse:platform) has this value.
    type: str
  names:
    description: Only groups of these names, without regard to case.
    type: list
    elements: str
seealso:
  - module: gatehouse.platform.security_groups
"""

EXAMPLES = r"""
- name: Read the groups of a VPC
  gatehouse.platform.security_groups_info:
    vpc_id: "{{ vpc_id }}"
  register: existing

- name: Make them the shop's, as they are
  gatehouse.platform.security_groups:
    vpc_id: "{{ vpc_id }}"
    owner: shop
    adopt: true
    groups: "{{ existing.groups }}"
"""

RETURN = r"""
groups:
  description:
    - The groups as M(gatehouse.platform.security_groups) takes them, without those that it cannot take.
    - A group that is not in the list is referred to by its id.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the group.
      type: str
    description:
      description: Description of the group.
      type: str
    tags:
      description: Its tags, without C(gatehouse:platform) and AWS's own.
      type: dict
    ingress:
      description: Rules for what may come in.
      type: list
      elements: dict
      sample: [{protocol: tcp, ports: [80, 443], sources: ["0.0.0.0/0", "::/0"], description: web}]
    egress:
      description: Rules for what may go out.
      type: list
      elements: dict
      sample: [{protocol: "-1", destinations: ["0.0.0.0/0"]}]
left_out:
  description: Groups that cannot be declared, as the VPC's default one, by name.
  returned: success
  type: dict
  contains:
    id:
      description: Id of the group.
      type: str
    reason:
      description: Why it cannot be declared.
      type: str
ids:
  description: All groups that were read, by name.
  returned: success
  type: dict
  contains:
    id:
      description: Id of the group.
      type: str
    arn:
      description: ARN of the group.
      type: str
    owner:
      description: Value of its tag C(gatehouse:platform), empty without one.
      type: str
calls:
  description: Number of API calls that were made.
  returned: success
  type: int
  sample: 1
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.info import read_back
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import SecurityGroupsError

SPEC = {
    "vpc_id": {"type": "str", "required": True},
    "owner": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
}


def main() -> None:
    """Wire parameters and result."""
    module = AnsibleAWSModule(argument_spec=SPEC, supports_check_mode=True)
    calls = Calls()
    try:
        result = read_back(module.params, lambda service: connect(module, service, calls), calls, Retries())
    except (SecurityGroupsError, AwsError) as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
