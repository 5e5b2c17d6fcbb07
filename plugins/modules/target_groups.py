#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: target_groups
short_description: Bring a platform's target groups to the declared state
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Makes and changes the target groups of a platform as one set, with every setting of the health check, the
    deregistration delay, stickiness, slow start and the algorithm. Targets are left alone.
  - A group carries the tags C(gatehouse:platform), C(gatehouse:service) and C(Name) from its creation, and is found by
    them. What does not carry the tag of the platform is never changed or removed; where it has a name that is needed,
    that is an error before anything is changed.
  - Port, protocol and VPC of a group cannot be changed. Where they are to be others a new group is made beside the old
    one, with a name of its own, and the old one is told in RV(obsolete). It is removed with O(purge=true), once
    nothing forwards to it any more.
  - After an answer that was lost the groups are read and planned again before anything else is sent.
options:
  platform:
    description:
      - Name of the platform. Names of groups begin with it, and those that AWS would find too long (32 characters) end
        with a hash instead.
    type: str
    required: true
  state:
    description: V(absent) removes all target groups of the platform.
    type: str
    choices: [present, absent]
    default: present
  vpc_id:
    description: VPC of the targets. May be empty in check mode, where it is not there yet.
    type: str
    default: ""
  groups:
    description: The target groups.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the service.
        type: str
        required: true
      port:
        description: Port of targets that are registered without one.
        type: int
        required: true
      protocol:
        description: What the load balancer speaks to the targets.
        type: str
        choices: [HTTP, HTTPS]
        default: HTTP
      protocol_version:
        description: Version of the protocol.
        type: str
        choices: [HTTP1, HTTP2, GRPC]
        default: HTTP1
      target_type:
        description: What is registered, ids of instances or addresses.
        type: str
        choices: [instance, ip]
        default: instance
      health_check:
        description: How the targets are checked.
        type: dict
        default: {}
        suboptions:
          path:
            description: Path that is asked for.
            type: str
            default: /health
          port:
            description: Port that is asked, V(traffic-port) for the target's own.
            type: str
            default: traffic-port
          protocol:
            description: What is spoken; that of the group by default.
            type: str
            choices: [HTTP, HTTPS]
          interval:
            description: Seconds between two checks.
            type: int
            default: 10
          timeout:
            description: Seconds to wait for an answer.
            type: int
            default: 5
          healthy:
            description: Checks in a row that make a target healthy.
            type: int
            default: 2
          unhealthy:
            description: Failed checks in a row that make it unhealthy.
            type: int
            default: 3
          codes:
            description: Codes of good answers, as V(200), V(200,204) or V(200-299).
            type: str
            default: "200"
      deregistration_delay:
        description: Seconds for which a target drains.
        type: int
        default: 30
      stickiness:
        description: Whether a visitor stays with a target.
        type: dict
        default: {}
        suboptions:
          seconds:
            description: For how many seconds; V(0) turns it off.
            type: int
            default: 0
          cookie:
            description: Name of the application's cookie that is followed; the load balancer's own cookie by default.
            type: str
            default: ""
      slow_start:
        description: Seconds for which a new target gets a growing share of the requests; V(0) turns it off.
        type: int
        default: 0
      algorithm:
        description: Who gets the next request.
        type: str
        choices: [round_robin, least_outstanding_requests, weighted_random]
        default: round_robin
  purge:
    description: Whether to remove the platform's groups that are not among O(groups).
    type: bool
    default: false
  tags:
    description: Further tags of every group.
    type: dict
  wait_timeout:
    description: Seconds for which calls are repeated that AWS cannot take now.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
    description: Says what would be done. Groups that are not there yet have an empty ARN.
  diff_mode:
    support: full
    description: Shows the settings of all groups before and after.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - Needs the permissions C(elasticloadbalancing:DescribeTargetGroups), C(DescribeTargetGroupAttributes),
    C(DescribeTags), C(CreateTargetGroup), C(ModifyTargetGroup), C(ModifyTargetGroupAttributes), C(AddTags) and
    C(DeleteTargetGroup).
seealso:
  - module: gatehouse.platform.target_registration
"""

EXAMPLES = r"""
- name: Make the target groups of the shop
  gatehouse.platform.target_groups:
    platform: shop
    vpc_id: vpc-0a1b2c3d4e5f60718
    groups:
      - name: web
        port: 8000
        health_check:
          path: /health
          interval: 5
          timeout: 2
      - name: api
        port: 8001
        stickiness:
          seconds: 3600
  register: made

- name: Remove those that nothing leads to any more
  gatehouse.platform.target_groups:
    platform: shop
    vpc_id: vpc-0a1b2c3d4e5f60718
    groups:
      - name: web
        port: 8000
    purge: true
"""

RETURN = r"""
groups:
  description: The wanted groups by their services.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the group.
      type: str
    arn:
      description: ARN of the group; empty in check mode where there is none yet.
      type: str
    port:
      description: Its port.
      type: int
obsolete:
  description: The platform's other groups, each with C(service), C(name), C(arn) and C(port).
  returned: success
  type: list
  elements: dict
plan:
  description: What was to be done, in words.
  returned: success
  type: list
  elements: str
  sample: ["shop-api: new, HTTP 8001 of api"]
calls:
  description: Number of API calls.
  returned: always
  type: int
"""

from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.model import TargetGroupsError, findings
from ansible_collections.gatehouse.platform.plugins.module_utils._target_groups.run import bring_to_state

HEALTH_CHECK = {
    "path": {"type": "str", "default": "/health"},
    "port": {"type": "str", "default": "traffic-port"},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"]},
    "interval": {"type": "int", "default": 10},
    "timeout": {"type": "int", "default": 5},
    "healthy": {"type": "int", "default": 2},
    "unhealthy": {"type": "int", "default": 3},
    "codes": {"type": "str", "default": "200"},
}
STICKINESS = {"seconds": {"type": "int", "default": 0}, "cookie": {"type": "str", "default": ""}}
ALGORITHMS = ["round_robin", "least_outstanding_requests", "weighted_random"]
GROUP = {
    "name": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"], "default": "HTTP"},
    "protocol_version": {"type": "str", "choices": ["HTTP1", "HTTP2", "GRPC"], "default": "HTTP1"},
    "target_type": {"type": "str", "choices": ["instance", "ip"], "default": "instance"},
    "health_check": {"type": "dict", "default": {}, "options": HEALTH_CHECK},
    "deregistration_delay": {"type": "int", "default": 30},
    "stickiness": {"type": "dict", "default": {}, "options": STICKINESS},
    "slow_start": {"type": "int", "default": 0},
    "algorithm": {"type": "str", "choices": ALGORITHMS, "default": "round_robin"},
}
SPEC = {
    "platform": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "vpc_id": {"type": "str", "default": ""},
    "groups": {"type": "list", "elements": "dict", "default": [], "options": GROUP},
    "purge": {"type": "bool", "default": False},
    "tags": {"type": "dict"},
    "wait_timeout": {"type": "int", "default": 120},
}


def main() -> None:
    """Wire parameters, client and result."""
    module = arguments.module(SPEC, findings)
    found = list(findings(module.params, module.check_mode))
    if found:
        module.fail_json(msg="\n".join(found), calls=0)
    calls = Calls()
    try:
        retries = Retries(seconds=module.params["wait_timeout"])
        result = bring_to_state(module.params, connect(module, "elbv2", calls), retries, module.check_mode)
    except (AwsError, TargetGroupsError) as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
