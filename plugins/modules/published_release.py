#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: published_release
short_description: Get a release back that was published for a fleet
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Looks for a release of a service in the release store, and puts its archive into a directory of the controller, as a
    source that the role P(gatehouse.platform.web_service#role) takes. Its content is compared with its name.
  - A host that Auto Scaling has launched has the one release that was published then. This is how it can go back to an
    earlier one.
  - Runs on the controller. Files there are a cache, so that getting one counts as no change.
options:
  platform:
    description: Name of the platform.
    type: str
    required: true
  fleet:
    description: Name of the fleet.
    type: str
    required: true
  service:
    description: Name of the service.
    type: str
    required: true
  release:
    description: Name of the release, or the code that it ends with. Empty, only what there is is told.
    type: str
    default: ""
  bucket:
    description: The release store. Empty, it is C(PLATFORM-releases-ACCOUNT-REGION).
    type: str
    default: ""
  directory:
    description: Where to put archives. It is made when it is missing.
    type: path
    required: true
attributes:
  check_mode:
    description: The same in check mode.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: gatehouse.platform.release_publication
"""

EXAMPLES = r"""
- name: Look which releases the store has
  gatehouse.platform.published_release:
    platform: shop
    fleet: web
    service: orders
    release: 1a2b3c4d
    directory: ~/.cache/gatehouse/releases
  register: found
"""

RETURN = r"""
source:
  description: The release as a C(source), an C(archive), or a C(package) and its C(version). Empty where there is none.
  returned: success
  type: dict
  sample: {archive: /home/operator/.cache/gatehouse/releases/1a2b3c4d5e6f.tar.gz}
available:
  description: Codes of the releases that the store has, the one that was put last first.
  returned: success
  type: list
  elements: str
calls:
  description: Number of API calls.
  returned: always
  type: int
"""

from pathlib import Path

from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication import fetch, run
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.model import PublicationError

SPEC = {
    "platform": {"type": "str", "required": True},
    "fleet": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "release": {"type": "str", "default": ""},
    "bucket": {"type": "str", "default": ""},
    "directory": {"type": "path", "required": True},
}


def main() -> None:
    """Wire parameters, clients and result."""
    module = arguments.module(SPEC, lambda _params, _check: ())
    calls, retries = Calls(), Retries()
    told = module.params
    wanted = fetch.Wanted(told["fleet"], told["service"], told["release"], Path(told["directory"]))
    try:
        store = run.bucket(told, connect(module, "sts", calls), module.region, retries)
        result = fetch.fetch(wanted, store, connect(module, "s3", calls), retries)
    except (AwsError, PublicationError) as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
