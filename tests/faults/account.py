# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system "autoscaled" in an account without real hosts: its playbooks, and what is there in the account."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.cloud import ControlPlane
from lab.model import ROOT
from tests.faults.killing import Watched, kill_with_all_below

SYSTEM, REGION = "autoscaled", "ap-south-1"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPyKx0pdp9VvT8pjvVE4lbHmDJdrcuXbL5XwR5d8N5gR operator"
# A run of the whole account takes two minutes on a busy machine.
PATIENCE = 600


@dataclass(frozen=True)
class Provisioned:
    """``folder`` holds what an operator brings along."""

    cloud: ControlPlane
    folder: Path

    def declare(self) -> None:
        variables = {
            "platform_state_dir": str(self.folder),
            "platform_operators": ["203.0.113.7/32"],
            "platform_public_key": PUBLIC_KEY,
        }
        (self.folder / "inventory").write_text(yaml.safe_dump({"all": {"vars": variables}}), encoding="utf-8")

    def start(self, playbook: str, *arguments: str) -> subprocess.Popen[str]:
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-v"]
        command += ["--inventory", str(ROOT / "inventory" / SYSTEM), "--inventory", str(self.folder / "inventory")]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        settings = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        # Here nobody starts what Auto Scaling wants, so that nobody has to wait for it.
        command += [str(ROOT / "playbooks" / f"{playbook}.yml"), "--extra-vars", "compute_wait=0"]
        return subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env={**environment, **self.cloud.environment, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def run(self, playbook: str, *arguments: str) -> tuple[int, str]:
        """Exit status and output."""
        process = self.start(playbook, *arguments)
        output, _none = process.communicate(timeout=PATIENCE)
        return process.returncode, output

    def run_and_kill(self, task: str, delay: float, playbook: str, *arguments: str) -> bool:
        """Kill a run with all that it started ``delay`` seconds after a task began; False when it was over by then."""
        watched = Watched(self.start(playbook, *arguments))
        threading.Thread(target=watched.read, daemon=True).start()
        try:
            with watched.changed:
                watched.changed.wait_for(lambda: watched.ended or task in watched.started(), PATIENCE)
            time.sleep(delay)
            return watched.process.poll() is None
        finally:
            kill_with_all_below(watched.process.pid)
            watched.process.wait()

    def there(self) -> Counter[str]:
        """How many of each kind there are in the account that the system makes."""
        ec2, elb, iam, s3 = (self.cloud.client(name) for name in ("ec2", "elbv2", "iam", "s3"))
        owned = [{"Name": "tag:gatehouse:platform", "Values": [SYSTEM]}]
        alive = [*owned, {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
        gateways = ec2.describe_nat_gateways(Filters=[*owned, {"Name": "state", "Values": ["pending", "available"]}])
        found: dict[str, list[Any]] = {
            "VPC": ec2.describe_vpcs(Filters=owned)["Vpcs"],
            "subnet": ec2.describe_subnets(Filters=owned)["Subnets"],
            "Internet gateway": ec2.describe_internet_gateways(Filters=owned)["InternetGateways"],
            "NAT gateway": gateways["NatGateways"],
            "Elastic IP": ec2.describe_addresses()["Addresses"],
            "route table": ec2.describe_route_tables(Filters=owned)["RouteTables"],
            "security group": ec2.describe_security_groups(Filters=owned)["SecurityGroups"],
            "instance": ec2.describe_instances(Filters=alive)["Reservations"],
            "launch template": ec2.describe_launch_templates()["LaunchTemplates"],
            "key pair": ec2.describe_key_pairs()["KeyPairs"],
            "load balancer": elb.describe_load_balancers()["LoadBalancers"],
            "target group": elb.describe_target_groups()["TargetGroups"],
            "role": iam.list_roles(PathPrefix=f"/gatehouse/{SYSTEM}/")["Roles"],
            "instance profile": iam.list_instance_profiles(PathPrefix=f"/gatehouse/{SYSTEM}/")["InstanceProfiles"],
            "bucket": s3.list_buckets()["Buckets"],
            "Auto Scaling group": self.cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        }
        return +Counter({kind: len(items) for kind, items in found.items()})
