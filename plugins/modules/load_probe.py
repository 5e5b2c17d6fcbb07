#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_probe
short_description: Send requests while something changes, and tell what happened to them
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - With V(started) a small program is started that sends requests at a fixed rate in the background; with V(stopped)
    it is ended and its report returned. It ends by itself after O(seconds).
  - Most requests go over connections that are kept alive, every tenth over a new one. A kept connection that the
    server closes before it answers is replaced and the request sent again, as every HTTP client does; the report
    counts that as C(retried).
  - Only observes; never reports a change.
  - Runs where it looks from, usually on the controller with C(delegate_to=localhost).
attributes:
  check_mode:
    support: full
    description: Starts and ends nothing.
  diff_mode:
    support: none
    description: Changes nothing.
options:
  state:
    description: Whether to start probing, or to end it and return the report.
    type: str
    choices: [started, stopped]
    default: started
  directory:
    description: Directory for the program, its lock and its report; one probe at a time works there.
    type: path
    required: true
  urls:
    description: What is asked, in turn. Required with O(state=started).
    type: list
    elements: str
  address:
    description: Address to connect to instead of the ones that the hosts resolve to.
    type: str
  ca_file:
    description: File with the root certificates to trust; without it the system's are trusted.
    type: path
  rate:
    description: Requests per second.
    type: float
    default: 50
  seconds:
    description: Seconds after which it ends by itself.
    type: float
    default: 900
  status:
    description: Status that every answer has to have.
    type: int
    default: 200
  timeout:
    description: Seconds after which a request has failed.
    type: float
    default: 10
"""

EXAMPLES = r"""
- name: Start to send requests
  gatehouse.platform.load_probe:
    directory: /tmp/platform/probe
    urls: [https://example.com/health]
  delegate_to: localhost

- name: Stop and report
  gatehouse.platform.load_probe:
    state: stopped
    directory: /tmp/platform/probe
  delegate_to: localhost
"""

RETURN = r"""
running:
  description: Whether it runs now. When nothing answers yet it does not, and C(reason) tells why.
  returned: always
  type: bool
reason:
  description: Why it was not started, or why there is no report.
  returned: always
  type: str
sentence:
  description: The report in one line.
  returned: with O(state=stopped), when a probe ran
  type: str
  sample: 3021 requests, 0 failed, slowest 41 ms
report:
  description: The whole report - C(sent), C(failed), C(failures), C(retried), C(milliseconds), C(slowest_ms) and more.
  returned: with O(state=stopped), when a probe ran
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gatehouse.platform.plugins.module_utils._load_probe.run import Place, ProbeError, start, stop


def command_line(parameters: dict[str, object]) -> list[str]:
    """The program's arguments for the module's parameters."""
    names = ("address", "ca_file", "rate", "seconds", "status", "timeout")
    given = [(name, parameters[name]) for name in names if parameters[name] is not None]
    return [part for name, value in given for part in (f"--{name.replace('_', '-')}", str(value))]


def main() -> None:
    """Wire the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
            "directory": {"type": "path", "required": True},
            "urls": {"type": "list", "elements": "str"},
            "address": {"type": "str"},
            "ca_file": {"type": "path"},
            "rate": {"type": "float", "default": 50},
            "seconds": {"type": "float", "default": 900},
            "status": {"type": "int", "default": 200},
            "timeout": {"type": "float", "default": 10},
        },
        required_if=[("state", "started", ["urls"])],
        supports_check_mode=True,
    )
    parameters = module.params
    place = Place(parameters["directory"])
    if module.check_mode:
        module.exit_json(changed=False, running=False, reason="nothing is probed in check mode")
    try:
        if parameters["state"] == "stopped":
            result = stop(place, parameters["timeout"])
        else:
            result = start(place, [*command_line(parameters), "--", *parameters["urls"]], parameters["timeout"])
    except (ProbeError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
