#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoints
short_description: Check over the wire what the platform shows to the outside
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Asks every public name as a visitor would, over HTTP and HTTPS or over HTTP alone, and compares the certificate as
    served.
  - Where there is HTTPS, HTTP has to redirect permanently to the same host and URI over HTTPS; the certificate's chain
    has to be trusted, its names have to cover the host, its end has to be far enough away. The health path has to
    answer the expected status; the ports of the services have to be closed.
  - All checks run in parallel and all findings are reported at once. Nothing is changed.
  - Runs where it looks from, usually on the controller with C(delegate_to=localhost).
attributes:
  check_mode:
    support: full
    description: Only reads, in check mode as otherwise.
  diff_mode:
    support: none
    description: Changes nothing.
options:
  endpoints:
    description: What to check, as the filter P(gatehouse.platform.endpoints#filter) returns it.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The service's name, for messages; the host where it is missing.
        type: str
      host:
        description: The public name.
        type: str
        required: true
      aliases:
        description: Further public names that have to behave alike.
        type: list
        elements: str
        default: []
      address:
        description:
          - Address to connect to instead of the one that the names resolve to, or another name, like a load balancer's.
        type: str
      health_path:
        description: Path that is asked for.
        type: str
        default: /health
      status:
        description: Status that it has to answer.
        type: int
        default: 200
      https:
        description:
          - Whether visitors come by HTTPS. Without it the health is asked for over HTTP, and there is neither a
            redirect nor a certificate to look at.
        type: bool
        default: true
  closed_ports:
    description: Ports of the addresses that must not accept connections.
    type: list
    elements: int
    default: []
  closed_addresses:
    description:
      - Further addresses whose O(closed_ports) must not accept connections, like those of hosts behind a load balancer.
    type: list
    elements: str
    default: []
  ca_file:
    description: File with the root certificates to trust; without it the system's are trusted.
    type: path
  minimum_days:
    description: Days that the certificate has to be valid at least.
    type: int
    default: 7
  timeout:
    description: Seconds to wait for an answer.
    type: float
    default: 10
  closed_timeout:
    description: Seconds without an answer after which a port counts as closed.
    type: float
    default: 1
  wait:
    description: Seconds during which the checks are repeated while there are findings.
    type: float
    default: 0
  http_port:
    description: Port of HTTP.
    type: int
    default: 80
  https_port:
    description: Port of HTTPS.
    type: int
    default: 443
  fail:
    description: Whether findings fail the task; otherwise they are only returned.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Verify the platform from outside
  gatehouse.platform.endpoints:
    endpoints:
      - name: orders
        host: microservice1.example.com
        address: 203.0.113.10
    closed_ports: [5000, 5001, 5002]
  delegate_to: localhost
"""

RETURN = r"""
endpoints:
  description: What was seen of each endpoint.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The service's name.
      type: str
    url:
      description: Where its health was asked for.
      type: str
    status:
      description: The status that it answered, or null.
      type: int
    milliseconds:
      description: How long the answer took, connection and TLS included, or null.
      type: int
    certificate:
      description: The certificate as served, or null - C(names), C(expires), C(days_left), C(sha256), C(trusted).
      type: dict
    findings:
      description: What is wrong about it, in words.
      type: list
      elements: str
findings:
  description: All findings, those about ports included.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.api import CaFileError
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.model import Endpoint, Settings
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.run import run

ENDPOINT = {
    "name": {"type": "str"},
    "host": {"type": "str", "required": True},
    "aliases": {"type": "list", "elements": "str", "default": []},
    "address": {"type": "str"},
    "health_path": {"type": "str", "default": "/health"},
    "status": {"type": "int", "default": 200},
    "https": {"type": "bool", "default": True},
}


def main() -> None:
    """Wire the module."""
    module = AnsibleModule(
        argument_spec={
            "endpoints": {"type": "list", "elements": "dict", "required": True, "options": ENDPOINT},
            "closed_ports": {"type": "list", "elements": "int", "default": []},
            "closed_addresses": {"type": "list", "elements": "str", "default": []},
            "ca_file": {"type": "path"},
            "minimum_days": {"type": "int", "default": 7},
            "timeout": {"type": "float", "default": 10},
            "closed_timeout": {"type": "float", "default": 1},
            "wait": {"type": "float", "default": 0},
            "http_port": {"type": "int", "default": 80},
            "https_port": {"type": "int", "default": 443},
            "fail": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    parameters = dict(module.params)
    fail = parameters.pop("fail")
    endpoints = [Endpoint.from_params(entry) for entry in parameters.pop("endpoints")]
    for name in ("closed_ports", "closed_addresses"):
        parameters[name] = tuple(parameters[name])
    try:
        result = run(endpoints, Settings(**parameters))
    except CaFileError as error:
        module.fail_json(msg=str(error))
    if result["findings"] and fail:
        module.fail_json(
            msg="\n".join(["Seen from outside, this is wrong:", *(f"- {f}" for f in result["findings"])]), **result
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
