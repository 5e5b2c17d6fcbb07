#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: certificates
short_description: Bring all certificates of a host to the declared state with certbot
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Requests, re-issues, renews and removes the certificates that a host gets from an ACME server, all in one call.
  - Reads certbot's files and does not start certbot when there is nothing to do.
  - Before the ACME server is asked, every name is proven to lead to this host's challenge directory.
  - Renewal is left to Debian's C(certbot.timer), with a deploy hook that tests and reloads Apache.
  - When Apache serves another certificate than the one on disk, it is reloaded.
  - What a killed run left behind is mended or removed.
extends_documentation_fragment:
  - gatehouse.platform.packages
attributes:
  check_mode:
    description: Says what would be done and changes nothing. Works before certbot is installed.
    support: full
  diff_mode:
    description: Shows the names of every certificate before and after.
    support: full
options:
  certificates:
    description: All certificates of the host.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the certificate, which is the directory below C(/etc/letsencrypt/live).
        type: str
        required: true
      names:
        description: Host names in the certificate. Their order does not matter.
        type: list
        elements: str
        required: true
      key_type:
        description: Type of this certificate's key, when it differs from the others.
        type: str
        choices: [ecdsa, rsa]
      authenticator:
        description: How the names of this certificate are proven, when that differs from the others.
        type: str
        choices: [webroot, dns-route53]
  directory_url:
    description: Directory of the ACME server. The default is the production server of Let's Encrypt.
    type: str
    default: ""
  staging:
    description: Use the staging server of Let's Encrypt.
    type: bool
    default: false
  email:
    description: Contact given to the ACME server. Empty for none.
    type: str
    default: ""
  external_account:
    description: External account binding, for ACME servers that want one.
    type: dict
    suboptions:
      key_id:
        description: Identifier of the key.
        type: str
        required: true
      hmac_key:
        description: The key, in base64url. It is never an argument of a program.
        type: str
        required: true
  key_type:
    description: Type of the keys.
    type: str
    choices: [ecdsa, rsa]
    default: ecdsa
  authenticator:
    description:
      - V(webroot) proves the names by files that the web server serves on port 80.
      - V(dns-route53) proves them by records in Route 53, with the credentials of the instance.
    type: str
    choices: [webroot, dns-route53]
    default: webroot
  challenge_directory:
    description: Directory whose C(.well-known/acme-challenge) the web server serves for every name.
    type: str
    default: /var/www/acme-challenge
  ca_file:
    description: File on the host with the authorities that the ACME server's own TLS chains to.
    type: str
    default: ""
  deploy_hook:
    description: Shell commands to run after a certificate was issued or renewed and Apache was reloaded.
    type: str
    default: ""
  self_check:
    description: Prove that every name leads to this host's challenge directory before the ACME server is asked.
    type: bool
    default: true
  purge:
    description: Remove certificates that were made by this module and are not in the list any more.
    type: bool
    default: true
  revoke:
    description: Revoke the certificates that are removed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Have one certificate with three names
  gatehouse.platform.certificates:
    certificates:
      - name: example.org
        names: [example.org, orders.example.org, payments.example.org]
    email: operations@example.org

- name: Remove every certificate that the module made
  gatehouse.platform.certificates:
    certificates: []
"""

RETURN = r"""
missing_packages:
  description: Those of O(packages) that are not installed.
  returned: always
  type: list
  elements: str
plan:
  description: What was done, or would be, in words.
  returned: always
  type: list
  elements: str
  sample: ["example.org: re-issues the certificate: adds shop.example.org"]
certificates:
  description: Every declared certificate by its name.
  returned: success
  type: dict
  contains:
    names:
      description: Host names, sorted.
      type: list
      elements: str
    expires:
      description: Date of the end, in UTC; null where it is not known in check mode.
      type: str
    issuer:
      description: Who issued it.
      type: str
    serial:
      description: Serial number, hexadecimal.
      type: str
    fingerprint:
      description: SHA-256 of the certificate, hexadecimal.
      type: str
    path:
      description: Directory of C(fullchain.pem) and C(privkey.pem).
      type: str
    changed:
      description: Whether it was requested, re-issued or renewed.
      type: bool
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.run import bring
from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError
from ansible_collections.gatehouse.platform.plugins.module_utils._packages import (
    PACKAGES_OPTION,
    missing_packages,
    unfinished,
)

KEY_TYPES = ["ecdsa", "rsa"]
AUTHENTICATORS = ["webroot", "dns-route53"]

CERTIFICATE = {
    "name": {"type": "str", "required": True},
    "names": {"type": "list", "elements": "str", "required": True},
    "key_type": {"type": "str", "choices": KEY_TYPES, "no_log": False},
    "authenticator": {"type": "str", "choices": AUTHENTICATORS},
}
EXTERNAL_ACCOUNT = {
    "key_id": {"type": "str", "required": True},
    "hmac_key": {"type": "str", "required": True, "no_log": True},
}
ARGUMENTS = {
    "certificates": {"type": "list", "elements": "dict", "required": True, "options": CERTIFICATE},
    "directory_url": {"type": "str", "default": ""},
    "staging": {"type": "bool", "default": False},
    "email": {"type": "str", "default": ""},
    "external_account": {"type": "dict", "options": EXTERNAL_ACCOUNT},
    "key_type": {"type": "str", "choices": KEY_TYPES, "default": "ecdsa", "no_log": False},
    "authenticator": {"type": "str", "choices": AUTHENTICATORS, "default": "webroot"},
    "challenge_directory": {"type": "str", "default": "/var/www/acme-challenge"},
    "ca_file": {"type": "str", "default": ""},
    "deploy_hook": {"type": "str", "default": ""},
    "self_check": {"type": "bool", "default": True},
    "purge": {"type": "bool", "default": True},
    "revoke": {"type": "bool", "default": False},
    "packages": PACKAGES_OPTION,
}


def main() -> None:
    os.umask(0o022)  # what is made for others to read is readable whatever the host's umask is
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    missing = missing_packages(module.params["packages"])
    if missing and not module.check_mode:
        module.exit_json(**unfinished(missing))
    try:
        result = bring(module.params, module.check_mode)
    except (CertificatesError, CommandError) as error:
        module.fail_json(msg=str(error))
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(missing_packages=missing, **result)


if __name__ == "__main__":
    main()
