#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_publication
short_description: Publish what a fleet runs, for instances that Auto Scaling launches
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Puts into the release store what a new instance of a fleet needs to bring itself to what the others run; the
    releases, this collection, and a manifest C(FLEET/current.json) with the settings, which is written last.
  - What is published is what the hosts say that they run. A release that is not what its source holds any more, after a
    rollback, is in the store from before.
  - Nothing is put that is there already. Objects are named by their content, and their SHA-256 are in the manifest.
  - Secrets are published as references alone. One that is the secret itself is an error.
  - Runs on the controller.
options:
  platform:
    description: Name of the platform.
    type: str
    required: true
  fleet:
    description: Name of the fleet.
    type: str
    required: true
  bucket:
    description: The release store. Empty, it is C(PLATFORM-releases-ACCOUNT-REGION).
    type: str
    default: ""
  services:
    description: Entries of the role web_service. Those count that O(running) names.
    type: list
    elements: dict
    required: true
  running:
    description: What the hosts run. By service and host, a mapping with C(release) and C(fingerprint).
    type: dict
    required: true
  only:
    description: The services that the run was about. Others stay as they are published. Left out, it was about all.
    type: list
    elements: str
  virtual_hosts:
    description:
      - The virtual hosts of role apache_proxy, whose variables are published with them.
      - Left out, all of that stays as it was published.
    type: list
    elements: dict
  target_groups:
    description:
      - How the load balancer asks the instances for their health, as the filter
        P(gatehouse.platform.platform_target_groups#filter) tells it.
    type: list
    elements: dict
    default: []
  ansible_core:
    description: Version of ansible-core that instances use. The action plugin fills in its own.
    type: str
    default: ""
  collection:
    description: Directory of this collection. The action plugin fills it in.
    type: str
    default: ""
  inventory:
    description: Directory that paths of sources start from. The action plugin fills it in.
    type: str
    default: ""
  cache:
    description: Directory for clones of git repositories. The action plugin fills it in.
    type: str
    default: ""
  prepared:
    description: What the action plugin put together. Not for playbooks.
    type: str
attributes:
  check_mode:
    description: Says what would be put, for a bucket that does not exist yet as well.
    support: full
  diff_mode:
    description: Shows the manifest, with names of variables and secrets, and no values.
    support: full
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Publish what the fleet runs
  gatehouse.platform.release_publication:
    platform: shop
    fleet: web
    services: "{{ platform_services | gatehouse.platform.web_services(domain=platform_domain) }}"
    running:
      orders:
        i-0123456789abcdef0: {release: 20261120T131800Z-1a2b3c4d, fingerprint: "{{ my_fingerprint }}"}
  vars:
    my_fingerprint: 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809
"""

RETURN = r"""
plan:
  description: What was put, or in check mode would be, as sentences.
  returned: success
  type: list
  elements: str
  sample: ["web: publishes what new instances get"]
bucket:
  description: The release store.
  returned: success
  type: str
releases:
  description: Fingerprint of each service's release that new instances get.
  returned: success
  type: dict
calls:
  description: Number of API calls.
  returned: always
  type: int
"""

import json

from ansible_collections.gatehouse.platform.plugins.module_utils._aws import arguments
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import Calls, connect
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication import run
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.model import PublicationError

SPEC = {
    "platform": {"type": "str", "required": True},
    "fleet": {"type": "str", "required": True},
    "bucket": {"type": "str", "default": ""},
    # The action plugin moves them into `prepared`: environments are for the service alone.
    "services": {"type": "list", "elements": "dict", "required": True},
    "running": {"type": "dict", "required": True},
    "only": {"type": "list", "elements": "str"},
    "virtual_hosts": {"type": "list", "elements": "dict"},
    "target_groups": {"type": "list", "elements": "dict", "default": []},
    "ansible_core": {"type": "str", "default": ""},
    "collection": {"type": "str", "default": ""},
    "inventory": {"type": "str", "default": ""},
    "cache": {"type": "str", "default": ""},
    "prepared": {"type": "str", "no_log": True},
}


def main() -> None:
    """Wire parameters, clients and result."""
    module = arguments.module(SPEC, lambda _params, _check: ())
    calls, retries = Calls(), Retries()
    try:
        wish = run.wish_from(module.params, json.loads(module.params["prepared"] or "{}"))
        # Reading the sources may have taken longer than the account is asked for.
        retries.renew()
        store = run.bucket(module.params, connect(module, "sts", calls), module.region, retries)
        result = run.publish(wish, store, connect(module, "s3", calls), retries, module.check_mode)
    except (AwsError, PublicationError) as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
