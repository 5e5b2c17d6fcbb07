# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook of amazon.aws alone: it starts an instance, reaches it over SSH, and ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.region.account import OWNER, Account

PLAYBOOK = f"""\
- hosts: localhost
  gather_facts: false
  tasks:
    - amazon.aws.ec2_vpc_net: {{name: shop, cidr_block: 10.94.0.0/16}}
      register: vpc
    - amazon.aws.ec2_vpc_subnet: {{vpc_id: "{{{{ vpc.vpc.id }}}}", cidr: 10.94.0.0/24, az: eu-central-1a}}
      register: subnet
    - amazon.aws.ec2_vpc_igw: {{vpc_id: "{{{{ vpc.vpc.id }}}}"}}
      register: gateway
    - amazon.aws.ec2_vpc_route_table:
        vpc_id: "{{{{ vpc.vpc.id }}}}"
        tags: {{Name: public}}
        subnets: ["{{{{ subnet.subnet.id }}}}"]
        routes: [{{dest: 0.0.0.0/0, gateway_id: "{{{{ gateway.gateway_id }}}}"}}]
    - amazon.aws.ec2_security_group:
        name: ssh
        description: SSH
        vpc_id: "{{{{ vpc.vpc.id }}}}"
        rules: [{{proto: tcp, ports: [22], cidr_ip: 0.0.0.0/0}}]
      register: group
    - amazon.aws.ec2_ami_info: {{owners: ["{OWNER}"], filters: {{name: debian-13-amd64-*}}}}
      register: images
    - &instance
      amazon.aws.ec2_instance:
        name: alpha
        image_id: "{{{{ (images.images | sort(attribute='creation_date') | last).image_id }}}}"
        instance_type: t3.micro
        key_name: operator
        vpc_subnet_id: "{{{{ subnet.subnet.id }}}}"
        security_group: "{{{{ group.group_id }}}}"
        network_interfaces: [{{assign_public_ip: true}}]
        state: "{{{{ wanted | default('started') }}}}"
        wait: "{{{{ wanted is not defined }}}}"
      register: made
    - ansible.builtin.wait_for:
        host: "{{{{ made.instances[0].public_ip_address }}}}"
        port: 22
        search_regex: OpenSSH
        timeout: 60
    - <<: *instance
      register: again
    - ansible.builtin.assert: {{that: not again.changed}}
    - <<: *instance
      vars: {{wanted: absent}}
"""


def test_a_playbook_of_amazon_aws_finds_what_it_finds_on_aws(account: Account, tmp_path: Path) -> None:
    account.key_pair()
    path = tmp_path / "playbook.yml"
    path.write_text(PLAYBOOK, encoding="utf-8")
    program = Path(sys.executable).parent / "ansible-playbook"
    environment = {**os.environ, **account.cloud.environment, "ANSIBLE_LOCALHOST_WARNING": "false"}
    command = [str(program), "--inventory", "localhost,", "--connection", "local", str(path)]
    command += ["--extra-vars", f"ansible_python_interpreter={sys.executable}"]
    result = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr
