#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_balancer_certificate
short_description: Have a platform's certificate in ACM, imported or requested
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Imports a certificate into AWS Certificate Manager, or requests one that is proven by DNS, tells the records that
    prove it, and waits until it is issued.
  - The certificate carries the tag C(gatehouse:platform) from its creation, and is found by it. What does not carry
    the tag is never changed or removed.
  - A certificate with other names or another content is another certificate, beside the one there was, which goes with
    O(state=absent) and O(keep) once no load balancer has it any more.
options:
  platform:
    description: Name of the platform.
    type: str
    required: true
  state:
    description: V(absent) removes the platform's certificates, apart from those of O(keep).
    type: str
    choices: [present, absent]
    default: present
  names:
    description: Names of a certificate that is requested, the first one at most 64 characters long.
    type: list
    elements: str
    default: []
  certificate:
    description: Certificate that is imported, as PEM.
    type: str
  private_key:
    description: Its private key, as PEM without a passphrase.
    type: str
  chain:
    description: The certificates between it and an authority's own, as PEM.
    type: str
  keep:
    description: ARNs of certificates that stay with O(state=absent).
    type: list
    elements: str
    default: []
  wait_timeout:
    description:
      - Seconds to wait until a requested certificate is issued. When they have passed, the error says which records
        ACM does not see.
      - With V(0) nothing is waited for, apart from the records.
    type: int
    default: 0
  tags:
    description: Further tags of a new certificate.
    type: dict
attributes:
  check_mode:
    support: full
    description: Says what would be done. A certificate that is not there yet has an empty ARN. Nothing is waited for.
  diff_mode:
    support: none
    description: Certificates are not changed.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - C(community.aws.acm_certificate) imports certificates as well, and tags them afterwards, so that a run that ends in
    between leaves one that nobody knows. It cannot request any.
  - Needs the permissions C(acm:ListCertificates), C(ListTagsForCertificate), C(DescribeCertificate),
    C(ImportCertificate), C(RequestCertificate), C(AddTagsToCertificate) (for tags at creation) and
    C(DeleteCertificate).
"""

EXAMPLES = r"""
- name: Request a certificate for the shop
  gatehouse.platform.load_balancer_certificate:
    platform: shop
    names: [shop.example, www.shop.example]
  register: requested

- name: Prove the names
  amazon.aws.route53:
    state: present
    zone: shop.example
    record: "{{ item.name }}"
    type: "{{ item.type }}"
    value: "{{ item.value }}"
    ttl: 300
  loop: "{{ requested.records }}"

- name: Wait until it is issued
  gatehouse.platform.load_balancer_certificate:
    platform: shop
    names: [shop.example, www.shop.example]
    wait_timeout: 300

- name: Remove those that the shop had before
  gatehouse.platform.load_balancer_certificate:
    platform: shop
    state: absent
    keep: ["{{ requested.arn }}"]
"""

RETURN = r"""
arn:
  description: ARN of the certificate; empty in check mode where there is none yet.
  returned: with O(state=present)
  type: str
status:
  description: Its status, V(ISSUED) or V(PENDING_VALIDATION).
  returned: with O(state=present)
  type: str
records:
  description: The records that prove a requested certificate, each with C(domain), C(name), C(type) and C(value).
  returned: with O(state=present)
  type: list
  elements: dict
obsolete:
  description: ARNs of the platform's other certificates.
  returned: with O(state=present)
  type: list
  elements: str
plan:
  description: What was to be done, in words.
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
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_certificate.model import (
    CertificateError,
    findings,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_certificate.run import (
    Remote,
    bring_to_state,
)

SPEC = {
    "platform": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "names": {"type": "list", "elements": "str", "default": []},
    "certificate": {"type": "str"},
    "private_key": {"type": "str", "no_log": True},
    "chain": {"type": "str"},
    "keep": {"type": "list", "elements": "str", "default": []},
    "wait_timeout": {"type": "int", "default": 0},
    "tags": {"type": "dict"},
}
# Seconds for which a certificate is removed again and again, because ACM believes that a load balancer has it.
PATIENCE = 300.0


def main() -> None:
    """Wire parameters, client and result."""
    module = arguments.module(SPEC, findings)
    found = list(findings(module.params, module.check_mode))
    if found:
        module.fail_json(msg="\n".join(found), calls=0)
    calls = Calls()
    try:
        remote = Remote(connect(module, "acm", calls), Retries(seconds=PATIENCE))
        result = bring_to_state(module.params, remote, module.check_mode)
    except (AwsError, CertificateError) as error:
        module.fail_json(msg=str(error), calls=calls.total)
    module.exit_json(calls=calls.total, **result)


if __name__ == "__main__":
    main()
