#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: account_info
short_description: Tell whose account it is, or why AWS cannot be asked
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Asks for the caller's identity and the zones of the region, and where that fails says what is wrong with credentials
    or region and what to do. M(amazon.aws.aws_caller_info) and others say that they failed.
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
  - module: amazon.aws.aws_caller_info
"""

EXAMPLES = r"""
- name: See whether AWS can be asked
  gatehouse.platform.account_info:
    region: eu-central-1
"""

RETURN = r"""
account:
  description: Number of the account.
  returned: success
  type: str
arn:
  description: ARN of who asks.
  returned: success
  type: str
region:
  description: The region.
  returned: success
  type: str
zones:
  description: The region's availability zones that are available.
  returned: success
  type: list
  elements: str
calls:
  description: Number of API calls.
  returned: always
  type: int
"""

from ansible_collections.gatehouse.platform.plugins.module_utils._account_info.read import AccountError, read
from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries

# Seconds: somebody is waiting for a message.
PATIENCE = 15.0


def main() -> None:
    """Wire clients and result."""
    module = arguments.module({}, lambda _params, _check_mode: [])
    calls = Calls()
    try:
        result = read(lambda service: connect(module, service, calls), str(module.region), Retries(seconds=PATIENCE))
    except AccountError as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
