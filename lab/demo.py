# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a system's site.yml on the lab, as a user would, and says how to look at the result."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.gatehouse.platform.plugins.module_utils._names import public_names as public_names_of

from lab import __main__ as lab
from lab.account import Account, needs_acme, needs_region, region_of, variables
from lab.demonstration import demonstrate, fleets
from lab.machine import LabError
from lab.model import ROOT, lab_directory
from lab.region import __main__ as region
from lab.region.place import CLOUD
from lab.region.region import settle
from lab.state import remembered

ANSIBLE_PLAYBOOK = str(Path(sys.executable).parent / "ansible-playbook")
PLAYBOOK = ROOT / "playbooks" / "site.yml"


def inventories(system: str, name: str) -> list[str]:
    """Options of ansible-playbook: what should exist, and the hosts of the lab."""
    return ["--inventory", f"{ROOT}/inventory/{system}", "--inventory", f"{lab_directory(name)}/inventory"]


def run_site(system: str, name: str, *extra: str) -> int:
    """Run site.yml on the hosts of a lab. The exit status."""
    command = [ANSIBLE_PLAYBOOK, *inventories(system, name), str(PLAYBOOK), *extra]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    return show(command, environment, lab_directory(name) / "last-run.log")


def show(command: list[str], environment: dict[str, str], log: Path) -> int:
    """Run a program whose full output goes to the screen and to a file. The exit status."""
    with (
        open(log, "w", encoding="utf-8") as file,
        subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            file.write(line)
    return process.returncode


def public_names(system: str, name: str) -> dict[str, str]:
    """Public name → address of every service of the system, services first in the list first."""
    told = variables(system)
    domain = told["platform_domain"]
    address = json.loads((lab_directory(name) / "hosts.json").read_text(encoding="utf-8"))["zones"][domain]
    return {name: address for service in told["platform_services"] for name in public_names_of(service, domain)}


def remember_names(name: str, names: dict[str, str]) -> None:
    """Add the public names to hosts.json."""
    path = lab_directory(name) / "hosts.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    if state.get("public_names") != names:
        path.write_text(json.dumps({**state, "public_names": names}, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    parser.add_argument("--system", default="subdomains", help="folder below inventory/ (default: subdomains)")
    parser.add_argument("--name", default="demo", help="the lab to use (default: demo)")
    options = parser.parse_args()
    try:
        return on_region(options.system) if needs_region(options.system) else on_hosts(options.system, options.name)
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def on_region(system: str) -> int:
    """Build a system through the AWS API, and show what its fleet does."""
    account = Account(system, settle(CLOUD))
    status = lend_acme(account) if needs_acme(system) else 0
    status = status or region.main(["up", "--aws-region", region_of(system)])
    if status:
        return status
    account.prepare()
    account.ensure_zone()

    def play(*arguments: str) -> int:
        command = account.command(ANSIBLE_PLAYBOOK, *arguments)
        return show(command, account.environment, account.directory / "last-run.log")

    status = play(*account.inventories, str(PLAYBOOK))
    if status:
        return status
    demonstrate(account, play)
    for host, address in led(account).items():
        print(f"curl --cacert {account.roots} --resolve {host}:443:{address} https://{host}/")
    for fleet in fleets(account):
        print(f"curl --header 'Host: {fleet.domain}' http://{fleet.nodes()[0]}/")
    print(f"Log in: ssh -F {account.directory}/ssh_config INSTANCE    Remove it all: make demo-down")
    return 0


def lend_acme(account: Account) -> int:
    """Bring up the lab beside the region with its ACME server alone. The exit status."""
    beside = remembered(account.place.lab)
    if beside and any(host.group == "web" for host in beside.hosts):
        raise LabError("the demo on hosts of this machine has the public names; remove it first with: make demo-down")
    return lab.main(["up", "--name", account.place.lab, "--hosts", "acme", "--direct"])


def led(account: Account) -> dict[str, str]:
    """Public name → address, as the system's own zone has them."""
    route53 = account.client("route53")
    zones = [zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]]
    sets = [one for zone in zones for one in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]]
    return {
        one["Name"].rstrip("."): one["ResourceRecords"][0]["Value"]
        for one in sets
        if one["Type"] == "A" and "ResourceRecords" in one and not one["Name"].startswith("acme.")
    }


def on_hosts(system: str, name: str) -> int:
    """Build a system on hosts of the lab."""
    status = lab.main(["up", "--name", name])
    if status:
        return status
    names = public_names(system, name)
    remember_names(name, names)
    status = run_site(system, name)
    if status == 0:
        root = lab_directory(name) / "acme-root.pem"
        print("Ask the services yourself:\n")
        for host, address in names.items():
            print(f"curl --cacert {root} --resolve {host}:443:{address} https://{host}/")
        print(f"\nLog in: ssh -F {lab_directory(name)}/ssh_config web1    Remove it all: make demo-down")
    return status


if __name__ == "__main__":
    sys.exit(main())
