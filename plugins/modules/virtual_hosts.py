#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a whole set of Apache's virtual hosts to the declared state."""

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_hosts
short_description: Bring a whole set of Apache's virtual hosts to the declared state
version_added: 0.1.0
author: [gatehouse.platform maintainers (!UNKNOWN)]
description:
  - Installs the files of C(sites-available) and C(conf-available), and enables them and modules, as Debian does it.
  - The result is validated as a copy of C(/etc/apache2) before a file of the real one is touched, by the configuration
    test and by starting the copy for a moment in namespaces of its own. An invalid one is refused and changes nothing.
  - Then the files are put in place one by one, each in one step, and Apache is reloaded, never restarted, unless
    another multi-processing module is asked for. When it does not load them, the previous files are put back.
  - What is on disk but not loaded, because an earlier run was killed or a certificate was renewed, is loaded.
  - Every file begins with a line that names its owner. Files without that line are never changed or removed.
requirements: [systemd, the layout of /etc/apache2 of Debian or Ubuntu]
extends_documentation_fragment:
  - gatehouse.platform.packages
attributes:
  check_mode:
    description: Says what would change; where Apache is installed the result is validated too.
    support: full
  diff_mode:
    description: Shows every file as it was and as it will be.
    support: full
  platform:
    description: Debian and Ubuntu.
    support: full
    platforms: debian
options:
  owner:
    description: Name that marks the files as belonging together.
    type: str
    default: apache_proxy
  sites:
    description: Files of C(sites-available).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the file without C(.conf).
        type: str
        required: true
      content:
        description: Text of the file.
        type: str
        required: true
      requires:
        description: Files, certificates for example, without which the site waits and is not enabled.
        type: list
        elements: path
        default: []
      interim:
        description:
          - Text that is enabled instead for as long as a required file is missing.
          - A site that has served nothing yet gets its content at once, unless O(sites[].interim_for_new) is set.
        type: str
      interim_for_new:
        description: Whether a new site gets the interim text too.
        type: bool
        default: false
  configurations:
    description: Files of C(conf-available), all of which are enabled.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the file without C(.conf).
        type: str
        required: true
      content:
        description: Text of the file.
        type: str
        required: true
  modules:
    description: Modules to enable, with those that they depend on. Only a module in conflict with these is disabled.
    type: list
    elements: str
    default: []
  disabled_sites:
    description: Sites whose link in C(sites-enabled) is removed, whoever has written them.
    type: list
    elements: str
    default: []
  directories:
    description: Directories that the sites need, created when they are missing.
    type: list
    elements: path
    default: []
  purge:
    description: Whether files of this owner that are not in the lists are disabled and removed.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Serve one virtual host
  gatehouse.platform.virtual_hosts:
    modules: [proxy_http]
    sites:
      - name: orders
        content: |
          <VirtualHost *:80>
              ServerName orders.example.org
              ProxyPass "/" "http://127.0.0.1:5001/"
          </VirtualHost>

- name: Remove all virtual hosts of this owner
  gatehouse.platform.virtual_hosts:
    sites: []
"""

RETURN = r"""
missing_packages:
  description: Those of O(packages) that are not installed.
  returned: always
  type: list
  elements: str
plan:
  description: What was done, or in check mode would be done, in words.
  returned: success
  type: list
  elements: str
  sample: ["enables module ssl", "orders.conf: new"]
waiting:
  description: Sites that wait for a required file.
  returned: success
  type: list
  elements: dict
  contains:
    site:
      description: Name of the site.
      type: str
    missing:
      description: The files that it waits for.
      type: list
      elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError
from ansible_collections.gatehouse.platform.plugins.module_utils._packages import (
    PACKAGES_OPTION,
    missing_packages,
    unfinished,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.run import bring_to_state

TEXT = {"name": {"type": "str", "required": True}, "content": {"type": "str", "required": True}}
SITE = {
    **TEXT,
    "requires": {"type": "list", "elements": "path", "default": []},
    "interim": {"type": "str"},
    "interim_for_new": {"type": "bool", "default": False},
}


def main() -> None:
    """Wire parameters, plan and result."""
    os.umask(0o022)  # what is made for others to read is readable whatever the host's umask is
    module = AnsibleModule(
        argument_spec={
            "owner": {"type": "str", "default": "apache_proxy"},
            "sites": {"type": "list", "elements": "dict", "default": [], "options": SITE},
            "configurations": {"type": "list", "elements": "dict", "default": [], "options": TEXT},
            "modules": {"type": "list", "elements": "str", "default": []},
            "disabled_sites": {"type": "list", "elements": "str", "default": []},
            "directories": {"type": "list", "elements": "path", "default": []},
            "purge": {"type": "bool", "default": True},
            "packages": PACKAGES_OPTION,
        },
        supports_check_mode=True,
    )
    missing = missing_packages(module.params["packages"])
    if missing and not module.check_mode:
        module.exit_json(waiting=[], **unfinished(missing))
    try:
        result = bring_to_state(module.params, module.check_mode)
    except (VirtualHostsError, CommandError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(missing_packages=missing, **result)


if __name__ == "__main__":
    main()
