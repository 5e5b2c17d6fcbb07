# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role compute with real hosts: a bastion and a private fleet, reached over SSH, refreshed and removed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.cloud.provisioning.playbook import Run, run
from tests.region.account import Account, eventually


def test_operators_reach_the_fleet_through_the_bastion_and_a_refresh_replaces_it(
    account: Account, tmp_path: Path
) -> None:
    network = account.vpc()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(account.key)], check=True)
    fleet = {
        "name": "web",
        "subnets": [network.private],
        "security_groups": [network.group],
        "health_check": {"kind": "EC2", "grace_period": 30},
        "user_data": "#!/bin/sh\necho one > /srv/version\n",
    }
    bastion = {
        "name": "bastion",
        "role": "bastion",
        "subnet": network.public,
        "security_groups": [network.group],
        "elastic_address": True,
    }
    variables: dict[str, Any] = {
        "compute_platform": "shop",
        "compute_key": {"name": "operator", "public_key": account.key.with_suffix(".pub").read_text()},
        "compute_instances": [bastion],
        "compute_fleets": [fleet],
        "compute_wait": 120,
    }

    def play(**more: Any) -> Run:
        return run(account.cloud, tmp_path, "compute", {**variables, **more})

    def version(made: dict[str, Any]) -> str:
        """What an instance of the fleet was told by its user data, asked through the bastion."""
        (member,) = made["fleets"]["web"]["instances"]
        address = account.instance(member)["PrivateIpAddress"]
        account.trust(member, address)
        through = made["instances"]["bastion"]["public_address"]

        def ask() -> str:
            return account.ssh(address, "cat /srv/version", through=through).stdout.strip()

        return str(eventually(ask, 60, 1))

    made = play().facts["compute_result"]
    machine = made["instances"]["bastion"]
    account.trust(machine["id"], machine["public_address"])
    asked = account.ssh(machine["public_address"], "hostname --all-ip-addresses")
    assert asked.stdout.split() == [machine["private_address"]], asked
    assert version(made) == "one"
    again = play()
    assert again.changed == 0, again.stdout

    refresh = {"enabled": True, "min_healthy": 0, "timeout": 180}
    later = {**fleet, "user_data": "#!/bin/sh\necho two > /srv/version\n", "warm_up": 0, "refresh": refresh}
    refreshed = play(compute_fleets=[later]).facts["compute_result"]
    assert refreshed["instances"] == made["instances"]
    assert refreshed["fleets"]["web"]["version"] == 2
    assert version(refreshed) == "two"
    again = play(compute_fleets=[later])
    assert again.changed == 0, again.stdout

    play(compute_state="absent")
    left = [one for entry in account.ec2.describe_instances()["Reservations"] for one in entry["Instances"]]
    assert {one["State"]["Name"] for one in left} == {"terminated"}
    assert account.ec2.describe_addresses()["Addresses"] == []
