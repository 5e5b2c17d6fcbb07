#!/usr/bin/python
# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: web_services
short_description: Bring all web services of a host to their declared state
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Deploys services side by side with what runs, asks for their health and only then lets them take over.
  - The listening socket is held by systemd and passed on at a deploy, so that no connection is refused.
  - Whatever changes (code, requirements, environment, secrets, limits) takes the same way. When the new
    deployment is not healthy, the old one goes on, and the error shows the health check's answer and the journal.
  - A run that was killed at any point is completed or cleaned up by the next one.
  - Services are described in O(services); all of them are brought to their state by one call.
options:
  services:
    description: The services, each with everything that concerns it.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the unit, the system user and the directories.
        type: str
        required: true
      state:
        description: Whether the service exists on this host.
        type: str
        choices: [present, absent]
        default: present
      remove_data:
        description: Whether the removal of the service removes its data in C(/var/lib) as well.
        type: bool
        default: false
      port:
        description: Port on 127.0.0.1. Required unless the service is absent.
        type: int
      source:
        description:
          - Where the code is, exactly one of C(directory), C(git), C(archive) and C(package).
          - Paths start from the inventory's directory. Read on the controller.
        type: dict
        suboptions:
          directory:
            description: A directory on the controller.
            type: str
          git:
            description: URL or path of a git repository.
            type: str
          revision:
            description: Branch, tag or commit of the git repository.
            type: str
          archive:
            description: A C(.tar.gz) or C(.zip) on the controller.
            type: str
          package:
            description: Name of a Python package.
            type: str
          version:
            description: Version of the Python package.
            type: str
      release:
        description:
          - A release that is on the host already, to go back to, or V(previous) for the last good one.
          - With it, O(services[].source) is not looked at.
          - The last part of its name, which depends on the code alone, names the newest good release of that code. A
            full name that the host does not have does so too, because each host of a fleet names the same code by the
            time at which it came.
          - V(previous) counts from the live release, so a second rollback goes back one more.
        type: str
      release_source:
        description:
          - Where O(services[].release), told by its full name, comes from on a host that does not have it yet, as an
            instance that was launched later. It counts from then on as one that the host had at that time, and is not
            migrated.
        type: dict
        suboptions:
          archive:
            description: A C(.tar.gz) or C(.zip) on the controller.
            type: str
          package:
            description: Name of a Python package.
            type: str
          version:
            description: Version of the Python package.
            type: str
      kind:
        description: How the service is run.
        type: str
        choices: [wsgi, asgi, command]
        default: wsgi
      application:
        description: Module and callable of a WSGI or ASGI application.
        type: str
        default: app:app
      command:
        description:
          - Command line of a service of the kind V(command).
          - It has to accept connections on every socket that systemd passes, from file descriptor 3 on.
        type: list
        elements: str
      workers:
        description: Number of worker processes.
        type: int
        default: 2
      threads:
        description: Number of threads of each WSGI worker.
        type: int
        default: 4
      gunicorn:
        description: Requirement for gunicorn of this service, instead of O(gunicorn).
        type: str
      health:
        description: The question that a deployment has to answer before it takes over.
        type: dict
        suboptions:
          path:
            description: Path that is asked for.
            type: str
            default: /health
          status:
            description: HTTP status that means healthy.
            type: int
            default: 200
          timeout:
            description: Seconds until the answer has to be there.
            type: int
            default: 30
      server_name:
        description:
          - What the health check says in its Host header, for applications that answer to their public name alone.
        type: str
        default: localhost
      environment:
        description: Environment variables. Their values appear in no log and no diff.
        type: dict
      secrets:
        description:
          - Secrets, readable by the service alone as files in C($CREDENTIALS_DIRECTORY).
          - A value like V(ssm:/shop/token), V(secretsmanager:shop/db) or V(secretsmanager:ARN) says where the secret
            lies; an EC2 instance reads it by its own role, with boto3.
        type: dict
      migrate:
        description: Command that runs once per release, before it is started, as the service's user.
        type: list
        elements: str
      hooks:
        description: Commands around the switch, as the service's user.
        type: dict
        suboptions:
          before_switch:
            description: Runs when the new release has proved healthy.
            type: list
            elements: str
          after_switch:
            description: Runs when the new release is live.
            type: list
            elements: str
      memory_max:
        description: Limit of memory.
        type: str
        default: 512M
      tasks_max:
        description: Limit of processes and threads.
        type: int
        default: 128
      keep_releases:
        description: Number of good releases to keep.
        type: int
        default: 5
      network:
        description:
          - Networks that the service may talk to besides the host itself, or V(any).
        type: list
        elements: str
      instance_role:
        description:
          - Whether the service may use the role of the EC2 instance that it runs on, at the address of the instance's
            metadata. Who may has the secrets of all services there.
        type: bool
        default: false
  platform:
    description: Name of the platform that the services belong to. Services of others are never touched.
    type: str
    default: platform
  gunicorn:
    description: Requirement for gunicorn. A pin in a service's own requirements wins, and has to allow 27.0.1 or newer.
    type: str
    default: gunicorn==27.0.1
  reason:
    description: What others are told while a deploy holds the lock.
    type: str
    default: ""
  operator:
    description: Who deploys, for the history. The action plugin fills it in.
    type: str
    default: unknown
  prepared:
    description: What the action plugin read on the controller. Not for playbooks.
    type: str
extends_documentation_fragment:
  - gatehouse.platform.packages
attributes:
  check_mode:
    description: Says what a run would do, on a host that has nothing yet as well.
    support: full
  diff_mode:
    description: Shows units, releases and names of variables, no values of variables and no secrets.
    support: full
  platform:
    description: Linux with systemd 249 or newer.
    support: full
    platforms: linux
"""

EXAMPLES = r"""
- name: Deploy two services
  gatehouse.platform.web_services:
    services:
      - name: orders
        port: 5001
        source: {directory: ../../applications/orders}
        secrets: {API_TOKEN: "{{ vault_orders_token }}"}
      - name: payments
        port: 5002
        source: {git: "https://git.example.org/payments.git", revision: v1.2.0}

- name: Go back to the last good release
  gatehouse.platform.web_services:
    services:
      - name: orders
        port: 5001
        release: previous

- name: Remove a service and keep its data
  gatehouse.platform.web_services:
    services:
      - name: orders
        state: absent
"""

RETURN = r"""
missing_packages:
  description: Those of O(packages) that are not installed.
  returned: always
  type: list
  elements: str
plan:
  description: What was done, or in check mode would be, as sentences.
  returned: always
  type: list
  elements: str
  sample: ["orders: unpacks release 1a2b3c4d from directory ../../applications/orders"]
services:
  description: >-
    What runs now, by service: C(release), C(fingerprint) of its content, C(previous) (where a rollback goes), C(color),
    C(url), C(health) and C(changed); C(before) has the C(release) and the C(color) that were live before.
  returned: success
  type: dict
unlisted:
  description: Services of this platform that are on the host and not in O(services).
  returned: always
  type: list
  elements: str
needs:
  description: Services whose archive the host does not have yet. The action plugin sends them and asks again.
  returned: when an archive is missing
  type: list
  elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gatehouse.platform.plugins.module_utils._packages import (
    PACKAGES_OPTION,
    missing_packages,
    unfinished,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import run
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.arguments import SPEC
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError


def main() -> None:
    os.umask(0o022)  # what is made for others to read is readable whatever the host's umask is
    module = AnsibleModule(argument_spec={**SPEC, "packages": PACKAGES_OPTION}, supports_check_mode=True)
    missing = missing_packages(module.params["packages"])
    if missing and not module.check_mode:
        module.exit_json(unlisted=[], **unfinished(missing))
    request = run.Request(
        platform=module.params["platform"],
        services=module.params["services"],
        gunicorn=module.params["gunicorn"],
        operator=module.params["operator"],
        reason=module.params["reason"],
        prepared=run.parse_prepared(module.params["prepared"]),
        check=module.check_mode,
    )
    try:
        result = run.run(request)
    except WebServiceError as error:
        module.fail_json(msg=str(error))
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(missing_packages=missing, **result)


if __name__ == "__main__":
    main()
