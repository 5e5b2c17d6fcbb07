#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a whole set of security groups of one VPC to the declared state."""

from __future__ import annotations

DOCUMENTATION = r"""
module: security_groups
short_description: Bring a whole set of security groups of one VPC to the declared state
version_added: 0.1.0
author: [gatehouse.platform maintainers (!UNKNOWN)]
description:
  - Creates groups, adds and removes their rules, sets their tags and deletes them, as one plan over the whole set.
  - Groups of the set refer to each other by name, to themselves and in cycles as well, in any order.
  - Nothing is taken away before everything that is new is there. Groups are created, rules are added to all of them,
    the groups are read again, and only then are rules removed and groups deleted. When something cannot be added,
    nothing is removed, and the error says what was added and what was not.
  - What AWS shows only later is read again, for up to a minute, and never sent a second time.
  - What is not declared is not managed. An omitted direction is left as it is, an empty list means no rule.
    A new group whose O(groups[].egress) is omitted keeps the rule that AWS gives it.
  - Rules are compared as AWS keeps them, so that C(10.1.2.3/16) is C(10.1.0.0/16), C(6) is C(tcp), and a list of ports
    is a rule for each.
  - A run that finds nothing to do makes a single call, C(DescribeSecurityGroups), and one more for every further
    thousand groups of the VPC. In a VPC that another account shares one more asks whose groups are this account's.
  - Groups of other accounts in a shared VPC are left alone, and referred to by their id.
  - Calls that change something are never sent twice unseen. When an answer is lost the groups are read again, and what
    is still missing is planned anew.
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
    description: Says exactly what would change. Whether the quota has room and what forbids the change is checked too.
    support: full
  diff_mode:
    description: Shows the plan in words, and every group that it changes as it is and as it will be.
    support: full
options:
  vpc_id:
    description:
      - The VPC whose groups these are.
      - May be empty in check mode, for a VPC that would only be created. Everything is then new, and no call is made.
    type: str
    required: true
  owner:
    description:
      - Value of the tag C(gatehouse:platform), which is set when a group is created and says whose it is.
      - A group of a declared name that does not carry it is refused, unless O(adopt) is set.
      - A group that carries it with another value is another platform's and is never changed.
      - Without an owner a group of a declared name is managed where it carries no such tag. Nothing is ever deleted.
    type: str
  state:
    description:
      - V(present) brings the declared groups to their state.
      - V(absent) deletes groups of O(owner). All of them where O(groups) is empty, else those of the declared names.
    type: str
    choices: [present, absent]
    default: present
  groups:
    description: The set.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the group. Names are compared without regard to case.
          - V(default) is refused, and so is what looks like an id of a group or prefix list, or like a CIDR.
        type: str
        required: true
      description:
        description:
          - Description of the group, which AWS never changes.
          - Omitted, it is the name for a new group, and is not compared.
          - One that differs from that of an existing group is an error, unless O(accept_description) is set.
        type: str
      tags:
        description:
          - Tags of the group. Others are removed, except C(gatehouse:platform) and AWS's own.
          - Omitted, the tags of an existing group are left as they are.
        type: dict
      ingress:
        description: Rules for what may come in. Omitted, they are not managed; an empty list means that nothing may.
        type: list
        elements: dict
        suboptions:
          protocol:
            description: V(tcp), V(udp), V(icmp), V(icmpv6), the name or number of another protocol, or V(-1) for all.
            type: str
            default: tcp
          ports:
            description:
              - A port, a range like V(9000-9010), or a list of these. Each makes a rule of its own.
              - Needed for V(tcp) and V(udp), and not possible for other protocols.
            type: raw
          icmp_type:
            description: Type of ICMP or ICMPv6. Omitted, all types.
            type: int
          icmp_code:
            description: Code of the type. Omitted, all codes.
            type: int
          sources:
            description:
              - Where the traffic comes from. Each makes a rule of its own.
              - A CIDR, the name of a group of this set, the id of a group (V(sg-0def), or V(444455556666/sg-0123) for
                one of another account), or the id of a prefix list (V(pl-0abc)).
            type: list
            elements: str
            required: true
          description:
            description: Description of the rule. A changed one is updated in place.
            type: str
            default: ""
      egress:
        description: Rules for what may go out. Omitted, they are not managed; an empty list means that nothing may.
        type: list
        elements: dict
        suboptions:
          protocol:
            description: V(tcp), V(udp), V(icmp), V(icmpv6), the name or number of another protocol, or V(-1) for all.
            type: str
            default: tcp
          ports:
            description:
              - A port, a range like V(9000-9010), or a list of these. Each makes a rule of its own.
              - Needed for V(tcp) and V(udp), and not possible for other protocols.
            type: raw
          icmp_type:
            description: Type of ICMP or ICMPv6. Omitted, all types.
            type: int
          icmp_code:
            description: Code of the type. Omitted, all codes.
            type: int
          destinations:
            description: Where the traffic goes to, in the forms of O(groups[].ingress[].sources).
            type: list
            elements: str
            required: true
            aliases: [sources]
          description:
            description: Description of the rule. A changed one is updated in place.
            type: str
            default: ""
  purge_rules:
    description:
      - Whether rules that are not declared are removed, in the directions that are declared.
      - V(false) keeps the rule that AWS gives a new group as well.
    type: bool
    default: true
  purge_groups:
    description:
      - Whether groups of O(owner) that are not in the set are deleted.
      - With no group in the set it is refused, because O(state=absent) is there for deleting all of them.
    type: bool
    default: false
  adopt:
    description:
      - Whether a group of a declared name that carries no tag C(gatehouse:platform) becomes the owner's.
      - One that carries it belongs to another platform, which has to give it up first.
    type: bool
    default: false
  protect:
    description:
      - Paths that have to stay open, such as the one that this run itself takes.
      - When one is open before the run and would not be after it, the run is refused.
      - A path is open when the rules of the group together let all of it through, so V(0.0.0.0/0) opens every address.
      - A path whose group, or group as source, is neither in the VPC nor in O(groups) is refused.
    type: list
    elements: dict
    default: []
    suboptions:
      group:
        description: Name or id of a group of the VPC, of this set or not.
        type: str
        required: true
      protocol:
        description: As in O(groups[].ingress[].protocol).
        type: str
        default: tcp
      port:
        description: A port or a range of ports.
        type: raw
      icmp_type:
        description: Type of ICMP or ICMPv6. Omitted, all types.
        type: int
      icmp_code:
        description: Code of the type. Omitted, all codes.
        type: int
      source:
        description: Where the traffic comes from. A CIDR, the name or id of a group, or the id of a prefix list.
        type: str
        required: true
  allow_lockout:
    description: Whether a path of O(protect) may be closed.
    type: bool
    default: false
  allow_gap:
    description:
      - Whether rules may be removed before others are added, in one direction of a group, where the quota has no room
        for both and no old rule can become a new one in place. Between the two calls traffic is cut.
      - As few as make room are removed first, and given back when the new ones cannot be added.
    type: bool
    default: false
  accept_description:
    description: Whether an existing group may have another description than the declared one.
    type: bool
    default: false
  clear_foreign_references:
    description: Whether rules of groups that are not the owner's are removed where they refer to a group that goes.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait until no network interface uses a group that is to be deleted, and AWS lets it go.
      - What still uses it then is named.
    type: int
    default: 300
seealso:
  - module: gatehouse.platform.security_groups_info
  - module: amazon.aws.ec2_security_group
"""

EXAMPLES = r"""
- name: Bring the groups of the shop to their state
  gatehouse.platform.security_groups:
    vpc_id: "{{ vpc_id }}"
    owner: shop
    groups:
      - name: shop-alb
        description: Public entry
        ingress:
          - {ports: [80, 443], sources: [0.0.0.0/0, "::/0"], description: web}
        tags: {Tier: edge}
      - name: shop-app
        ingress:
          - {ports: 8080, sources: [shop-alb, shop-app]}
          - {protocol: icmp, icmp_type: 3, icmp_code: 4, sources: [10.0.0.0/16]}
          - {ports: 9000-9010, sources: [10.0.0.0/16]}
      - name: shop-db
        ingress:
          - {ports: 5432, sources: [shop-app]}
        egress: []
  register: security_groups

- name: Change the bastion's group without locking this run out
  gatehouse.platform.security_groups:
    vpc_id: "{{ vpc_id }}"
    owner: shop
    groups:
      - name: shop-bastion
        ingress:
          - {ports: 22, sources: [203.0.113.0/24]}
    protect:
      - {group: shop-bastion, port: 22, source: 203.0.113.7/32}

- name: Leave nothing of the shop but its database's group
  gatehouse.platform.security_groups:
    vpc_id: "{{ vpc_id }}"
    owner: shop
    groups:
      - name: shop-db
        ingress: []
    purge_groups: true

- name: Remove all groups of the shop
  gatehouse.platform.security_groups:
    vpc_id: "{{ vpc_id }}"
    owner: shop
    state: absent
"""

RETURN = r"""
plan:
  description: What was done, or in check mode would be done, in words.
  returned: success
  type: list
  elements: str
  sample: ["shop-app: opens 8080/tcp from shop-alb", "shop-db: closes 22/tcp to 10.0.0.0/8"]
groups:
  description: The declared groups by name.
  returned: success
  type: dict
  contains:
    id:
      description: Id of the group; empty in check mode for one that would be created.
      type: str
    arn:
      description: ARN of the group; empty in check mode for one that would be created.
      type: str
  sample:
    shop-app:
      id: sg-0123456789abcdef0
      arn: arn:aws:ec2:eu-central-1:111122223333:security-group/sg-0123456789abcdef0
calls:
  description: Number of API calls that were made.
  returned: success
  type: int
  sample: 1
"""

from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.declare import findings
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import SecurityGroupsError
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.run import bring_to_state

RULE = {
    "protocol": {"type": "str", "default": "tcp"},
    "ports": {"type": "raw"},
    "icmp_type": {"type": "int"},
    "icmp_code": {"type": "int"},
    "description": {"type": "str", "default": ""},
}
INGRESS = {**RULE, "sources": {"type": "list", "elements": "str", "required": True}}
EGRESS = {**RULE, "destinations": {"type": "list", "elements": "str", "required": True, "aliases": ["sources"]}}
GROUP = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "tags": {"type": "dict"},
    "ingress": {"type": "list", "elements": "dict", "options": INGRESS},
    "egress": {"type": "list", "elements": "dict", "options": EGRESS},
}
PATH = {
    "group": {"type": "str", "required": True},
    "protocol": {"type": "str", "default": "tcp"},
    "port": {"type": "raw"},
    "icmp_type": {"type": "int"},
    "icmp_code": {"type": "int"},
    "source": {"type": "str", "required": True},
}
SPEC = {
    "vpc_id": {"type": "str", "required": True},
    "owner": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "groups": {"type": "list", "elements": "dict", "default": [], "options": GROUP},
    "purge_rules": {"type": "bool", "default": True},
    "purge_groups": {"type": "bool", "default": False},
    "adopt": {"type": "bool", "default": False},
    "protect": {"type": "list", "elements": "dict", "default": [], "options": PATH},
    "allow_lockout": {"type": "bool", "default": False},
    "allow_gap": {"type": "bool", "default": False},
    "accept_description": {"type": "bool", "default": False},
    "clear_foreign_references": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 300},
}


def main() -> None:
    """Wire parameters, plan and result."""
    module = arguments.module(SPEC, findings)
    calls = Calls()
    try:
        result = bring_to_state(
            module.params, lambda service: connect(module, service, calls), calls, Retries(), module.check_mode
        )
    except (SecurityGroupsError, AwsError) as error:
        module.fail_json(msg=str(error), changed=getattr(error, "changed", False), calls=calls.total)
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
