# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system "subdomains" on machines of EC2, from an empty account to its teardown: behind a bastion in a VPC of its
own, and without one in the account's default VPC. Tests run in the order in which they stand.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab import __main__ as lab
from lab.account import Account, region_of
from lab.demo import ANSIBLE_PLAYBOOK, led, lend_acme
from lab.model import ROOT, lab_directory
from lab.region import __main__ as region
from lab.region.place import Place, abandoned
from lab.region.region import leave, settle
from tests.harness import Run

BASTION, DIRECT = "subdomains-ec2", "subdomains-ec2-direct"
NAMES = ["example.test", "microservice1.example.test", "microservice2.example.test"]
OWNED: Any = [{"Name": "tag:gatehouse:platform", "Values": ["subdomains"]}]
LIVING: Any = [*OWNED, {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]


@dataclass(frozen=True)
class System:
    """One of the two, in the account of the region."""

    name: str
    account: Account

    def run(self, playbook: str, *options: str) -> Run:
        """Run a playbook that has to succeed."""
        began = time.monotonic()
        program = [ANSIBLE_PLAYBOOK, *self.account.inventories, f"{ROOT}/playbooks/{playbook}.yml", *options]
        done = subprocess.run(
            self.account.command(*program),
            env={**self.account.environment, "ANSIBLE_NOCOLOR": "1"},
            cwd=ROOT,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return Run(done.returncode, done.stdout, time.monotonic() - began)

    def instances(self) -> dict[str, dict[str, Any]]:
        """Living instances by their role."""
        reservations = self.account.client("ec2").describe_instances(Filters=LIVING)["Reservations"]
        found = [one for reservation in reservations for one in reservation["Instances"]]
        return {next(tag["Value"] for tag in one["Tags"] if tag["Key"] == "gatehouse:role"): one for one in found}

    def addresses(self) -> list[str]:
        """The Elastic IPs of the platform."""
        found = self.account.client("ec2").describe_addresses(Filters=OWNED)["Addresses"]
        return [address["PublicIp"] for address in found]

    def ask(self, url: str, *options: str) -> str:
        """Status and redirect of an answer; the public names are those that the system's zone has."""
        root = lab_directory(self.account.place.lab) / "acme-root.pem"
        command = ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", str(root)]
        for name, address in led(self.account).items():
            command += [word for port in (80, 443) for word in ("--resolve", f"{name}:{port}:{address}")]
        command += ["--output", os.devnull, "--write-out", "%{http_code} %{redirect_url}", *options, url]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A region of its own, and beside it the ACME server of a lab."""
    for name in abandoned("system-ec2-"):
        leave(name)
        lab.main(["down", "--name", name])
    name = f"system-ec2-{os.getpid()}"
    found = settle(name)
    try:
        assert lend_acme(Account(BASTION, found)) == 0
        assert region.main(["up", "--name", name, "--aws-region", region_of(BASTION)]) == 0
        yield found
    finally:
        region.main(["down", "--name", name])
        lab.main(["down", "--name", name])


@pytest.fixture(scope="module", params=[BASTION, pytest.param(DIRECT, marks=pytest.mark.further)])
def system(place: Place, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Built by the first run of site.yml in an account that has a zone and nothing else."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    found = System(request.param, Account(request.param, place, folder))
    found.account.prepare()
    found.account.ensure_zone()
    found.run("site")
    yield found
    if found.instances():
        found.run("teardown", "--extra-vars", "confirm=subdomains")


def port_is_open(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def test_every_name_is_served_over_https_through_the_elastic_ip(system: System) -> None:
    address = system.instances()["web"]["PublicIpAddress"]
    assert address in system.addresses()
    assert led(system.account) == dict.fromkeys(NAMES, address)
    for name in NAMES:
        assert system.ask(f"https://{name}/health") == "200"
        assert system.ask(f"http://{name}/some/path?query=1") == f"301 https://{name}/some/path?query=1"


def test_operators_come_through_the_bastion_or_without_one_directly(system: System) -> None:
    hosts = system.instances()
    assert set(hosts) == ({"bastion", "web"} if system.name == BASTION else {"web"})
    assert port_is_open(hosts["web"]["PublicIpAddress"], 22) == (system.name == DIRECT)
    assert not port_is_open(hosts["web"]["PublicIpAddress"], 5000)


def test_a_second_run_changes_nothing(system: System) -> None:
    run = system.run("site")
    assert run.count("changed") == 0, run.output[-6000:]
    assert run.output.rstrip().splitlines()[-1].startswith("Certificate as served")


def test_teardown_leaves_nothing_of_the_platform_and_everything_else(system: System) -> None:
    ec2, iam = system.account.client("ec2"), system.account.client("iam")
    run = system.run("teardown", "--extra-vars", "confirm=subdomains", "--extra-vars", "delete_data=true")
    assert "public name example.test" in run.output
    assert led(system.account) == {}
    assert (system.instances(), system.addresses()) == ({}, [])
    assert ec2.describe_security_groups(Filters=OWNED)["SecurityGroups"] == []
    assert ec2.describe_key_pairs(Filters=OWNED)["KeyPairs"] == []
    assert iam.list_roles(PathPrefix="/gatehouse/subdomains/")["Roles"] == []
    (default,) = ec2.describe_vpcs()["Vpcs"]
    assert (default["IsDefault"], default.get("Tags", [])) == (True, [])
    assert len(ec2.describe_subnets()["Subnets"]) > 0
