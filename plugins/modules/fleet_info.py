#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: Tell the scaling policies of Auto Scaling groups and what failed there last
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Reads what no module of C(amazon.aws) and C(community.aws) reads, the scaling policies of Auto Scaling groups and
    their activities.
options:
  groups:
    description: Names of the Auto Scaling groups.
    type: list
    elements: str
    required: true
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
  - module: amazon.aws.autoscaling_group_info
"""

EXAMPLES = r"""
- name: See why no instance starts
  gatehouse.platform.fleet_info:
    groups: [shop-web]
  register: found
  failed_when: found.failed_activities['shop-web'] | length > 0
"""

RETURN = r"""
policies:
  description: The scaling policies of each group, by its name.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the policy.
      type: str
    kind:
      description: Its type.
      type: str
      sample: TargetTrackingScaling
    metric:
      description: The predefined metric that it tracks; empty for another kind of policy.
      type: str
      sample: ASGAverageCPUUtilization
    label:
      description: Load balancer and target group that requests are counted of; empty for other metrics.
      type: str
    target:
      description: The value that the metric is kept at; null for another kind of policy.
      type: float
    scale_in:
      description: Whether it takes instances out of service, too.
      type: bool
    warm_up:
      description: Seconds until a new instance counts; null where the policy does not say.
      type: int
failed_activities:
  description: The last failed activity of each group in words, by the group's name; empty where none has failed.
  returned: success
  type: dict
calls:
  description: Number of API calls.
  returned: always
  type: int
"""

from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._fleet_info.read import read

SPEC = {"groups": {"type": "list", "elements": "str", "required": True}}


def main() -> None:
    """Wire parameters, client and result."""
    module = arguments.module(SPEC, lambda _params, _check_mode: [])
    calls = Calls()
    try:
        result = read(connect(module, "autoscaling", calls), module.params["groups"], Retries())
    except AwsError as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
