#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: to_be_created
short_description: Say in check mode what cannot be asked for yet
version_added: 0.1.0
description:
  - In check mode, what stands on something that is still missing cannot be looked at; subnets of a VPC that is to be
    made are an example. This lists them in words instead, and is changed.
  - Outside of check mode everything exists by then, and an entry in the list is an error.
  - Runs on the controller and calls nothing.
author:
  - gatehouse.platform maintainers (!UNKNOWN)
options:
  resources:
    description:
      - What the run would create, in words, an entry per resource.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    description: Meant for check mode, and changes nothing outside of it.
    support: full
  diff_mode:
    description: Shows a line for each resource.
    support: full
"""

EXAMPLES = r"""
- name: Say what is to be created besides
  gatehouse.platform.to_be_created:
    resources: [subnet shop-public-a 10.0.0.0/24 in eu-central-1a]
  when: ansible_check_mode
"""

RETURN = r"""
resources:
  description: What would be created, as it was given.
  returned: always
  type: list
  elements: str
"""

# It runs in process, in the action plugin of the same name.
