#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: public_names
short_description: Lead the public names of a platform to it, in a zone of Route 53
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Brings the records of a platform in a public zone to the declared state, as one set and in one change that happens
    as a whole.
  - Records have no tags, so that a TXT record C(_gatehouse.NAME) beside each name says whose it is. A name that another
    platform has, or that leads elsewhere and is nobody's, is an error before anything is changed; one that leads here
    already is left as it is. Names of the platform that are not declared any more go.
  - M(amazon.aws.route53) changes a record a call, and knows of nobody's ownership.
options:
  platform:
    description: Name of the platform.
    type: str
    required: true
  state:
    description: V(absent) removes all names of the platform from the zone.
    type: str
    choices: [present, absent]
    default: present
  zone:
    description: Name of the public zone. It is neither made nor removed.
    type: str
    required: true
  records:
    description: Where the names lead. All that is missing here goes.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The public name.
        type: str
        required: true
      addresses:
        description: Public addresses. In check mode they may be empty, where what has them is not there yet.
        type: list
        elements: str
        default: []
      load_balancer:
        description: A load balancer instead, which the name becomes an alias of.
        type: dict
        suboptions:
          dns_name:
            description: Its DNS name. May be empty in check mode.
            type: str
            default: ""
          zone_id:
            description: Id of the zone of that name.
            type: str
            default: ""
  ttl:
    description: Seconds for which others may remember an address.
    type: int
    default: 60
  wait_timeout:
    description: Seconds to wait until all name servers of the zone have a change.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
    description: Tells what would change, also where what a name is to lead to does not exist yet.
  diff_mode:
    support: full
    description: Shows where the platform's names lead.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: amazon.aws.route53
"""

EXAMPLES = r"""
- name: Lead the names to a host and a load balancer
  gatehouse.platform.public_names:
    platform: shop
    zone: shop.example
    records:
      - name: shop.example
        addresses: [203.0.113.20]
      - name: api.shop.example
        load_balancer:
          dns_name: shop-lb-1234567890.eu-central-1.elb.amazonaws.com
          zone_id: Z215JYRZR1TBD5

- name: Remove them
  gatehouse.platform.public_names:
    platform: shop
    zone: shop.example
    state: absent
"""

RETURN = r"""
plan:
  description: What was changed, or would be, in words.
  returned: success
  type: list
  elements: str
  sample: ["api.shop.example: leads to 203.0.113.20"]
names:
  description: The names that are the platform's afterwards.
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
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.model import PublicNamesError
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.run import bring_to_state

BALANCER = {"dns_name": {"type": "str", "default": ""}, "zone_id": {"type": "str", "default": ""}}
RECORD = {
    "name": {"type": "str", "required": True},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "load_balancer": {"type": "dict", "options": BALANCER},
}
SPEC = {
    "platform": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "zone": {"type": "str", "required": True},
    "records": {"type": "list", "elements": "dict", "default": [], "options": RECORD},
    "ttl": {"type": "int", "default": 60},
    "wait_timeout": {"type": "int", "default": 300},
}


def main() -> None:
    """Wire parameters, client and result."""
    module = arguments.module(SPEC, lambda _params, _check_mode: [])
    calls = Calls()
    try:
        result = bring_to_state(module.params, connect(module, "route53", calls), Retries(), module.check_mode)
    except (AwsError, PublicNamesError) as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
