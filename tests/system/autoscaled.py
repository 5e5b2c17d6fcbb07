# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system "autoscaled" in an account of its own: run playbooks, ask the API, ask the load balancer."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lab.account import Account, region_of
from lab.fleet import Fleet
from lab.model import ROOT
from lab.region import __main__ as region
from lab.region.region import settle
from tests.harness import Answer, Platform
from tests.region.account import eventually

SYSTEM = "autoscaled"
# In seconds; no request takes longer.
SOON = {"deregistration_delay": 5, "health_check": {"interval": 5, "timeout": 4}}
PROBE = ROOT / "plugins" / "module_utils"


@dataclass
class Autoscaled(Platform):
    """The system declared in ``folder``, on the region ``name``."""

    domain: str = "shop.example"

    @cached_property
    def account(self) -> Account:
        return Account(SYSTEM, settle(self.name))

    @property
    def state(self) -> Path:
        return self.account.directory

    @property
    def declaration(self) -> Path:
        return self.folder / f"inventory/{SYSTEM}/group_vars/all.yml"

    @property
    def inventories(self) -> list[str]:
        return ["--inventory", f"{self.folder}/inventory/{SYSTEM}", "--inventory", f"{self.state}/inventory"]

    def declare_afresh(self) -> None:
        """Start from the checkout's own declaration, with drains and health checks that take less time."""
        super().declare_afresh()
        self.change(lambda variables: variables["platform_load_balancer"].update(SOON))

    def up(self, *_hosts: object, **_options: object) -> None:
        """Start the region, if it does not run; hosts are made through its API."""
        assert region.main(["up", "--name", self.name, "--aws-region", region_of(SYSTEM)]) == 0
        self.account.prepare()

    def down(self) -> None:
        """Remove the region and what was written beside it."""
        region.main(["down", "--name", self.name])
        shutil.rmtree(self.state, ignore_errors=True)

    def command(self, program: str, *arguments: str) -> list[str]:
        return self.account.command(*super().command(program, *arguments))

    def _environment(self) -> dict[str, str]:
        return {**self.account.environment, "ANSIBLE_NOCOLOR": "1", **self.environment}

    @cached_property
    def web(self) -> Fleet:
        """The fleet, as the API tells of it and as visitors meet it."""
        return Fleet(self.account, SYSTEM, "web", "shop", self.domain)

    def client(self, service: str) -> Any:
        """A client of the region's API."""
        return self.account.client(service)

    def fleet(self) -> dict[str, Any]:
        """The Auto Scaling group of the fleet."""
        return self.web.described()

    def tags(self) -> dict[str, str]:
        """The tags of the fleet's group."""
        return {tag["Key"]: tag["Value"] for tag in self.fleet()["Tags"]}

    def suspended(self) -> set[str]:
        """Processes of the group that stand still."""
        return self.web.suspended()

    def instances(self) -> list[str]:
        """Ids of the group's instances, in order."""
        return list(self.web.instances())

    def targets(self) -> dict[str, str]:
        """State of every registered target by its id."""
        return {target: str(health["State"]) for target, health in self.web.targets().items()}

    def releases(self) -> dict[str, str]:
        """Live release of the service by host."""
        link = "readlink /srv/shop/current"
        return {host: self.on(host, link).strip().rpartition("/")[2] for host in self.instances()}

    def codes(self) -> set[str]:
        """The code that is live, by which names of releases end; before it stands when a host got it."""
        return {release.rpartition("-")[2] for release in self.releases().values()}

    def scale(self, desired: int) -> None:
        """Have the group launch or terminate instances until it has so many."""
        named = {"AutoScalingGroupName": self.web.group, "DesiredCapacity": desired}
        self.client("autoscaling").set_desired_capacity(**named)

    def bastions(self) -> list[str]:
        """Ids of the bastions that live."""
        alive = {"Name": "instance-state-name", "Values": ["pending", "running"]}
        filters = [{"Name": "tag:gatehouse:role", "Values": ["bastion"]}, alive]
        told = self.client("ec2").describe_instances(Filters=filters)["Reservations"]
        return [one["InstanceId"] for entry in told for one in entry["Instances"]]

    # The load balancer, as a visitor meets it.

    @property
    def nodes(self) -> list[str]:
        """Public addresses of the load balancer's nodes, one per zone."""
        return self.web.nodes()

    def visit(self, path: str = "/health", node: int = 0, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask one node of the load balancer by the public name."""
        connection = http.client.HTTPConnection(self.nodes[node], 80, timeout=15)
        connection.request("GET", path, headers={"Host": self.domain, **(headers or {})})
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.getheaders()), response.read().decode())
        connection.close()
        return answer

    @contextmanager
    def visitors(self, rate: int = 40, seconds: int = 600) -> Iterator[dict[str, int]]:
        """Requests over kept and over new connections to every node while the block runs.

        How many were ``sent`` and ``failed`` is in the dictionary afterwards. A request that met the end of a kept
        connection is sent again, as every HTTP client does (RFC 9112, section 9.3.1).
        """
        tally = {"sent": 0, "failed": 0}
        nodes = self.nodes
        started = {node: self._visitor(node, rate / len(nodes), seconds) for node in nodes}
        failures: list[Any] = []
        try:
            assert eventually(lambda: all(self._sends(*one) for one in started.items()), 30)
            yield tally
        finally:
            for process in started.values():
                os.kill(process.pid, signal.SIGTERM)
            for process in started.values():
                report = json.loads(process.communicate(timeout=60)[0])
                tally["sent"] += report["sent"]
                tally["failed"] += report["failed"]
                failures += [report] if report["failed"] else []
        assert not failures, failures

    def _visitor(self, node: str, rate: float, seconds: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "_load_probe", "--address", node, "--rate", str(rate)]
        command += ["--seconds", str(seconds), "--pid-file", f"{self.state}/visitor-{node}"]
        return subprocess.Popen(
            [*command, f"http://{self.domain}/health"], cwd=PROBE, stdout=subprocess.PIPE, text=True
        )

    def _sends(self, node: str, process: subprocess.Popen[str]) -> bool:
        try:
            known = json.loads((self.state / f"visitor-{node}").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(known == {"pid": process.pid, "ready": True})
