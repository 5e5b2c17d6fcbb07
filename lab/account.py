# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A system whose hosts are made through the AWS API, on the region of this machine: what an operator brings along.

That is a key, an address that may log in, credentials and an endpoint; names are answered by the region, for the
run alone and not for this machine.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.machine import LabError, run
from lab.model import ROOT
from lab.region.place import CLOUD, Place

# The files that say who answers names; the second leaves out what would answer instead of the first.
RESOLVER_FILES = ("resolv.conf", "nsswitch.conf")


@dataclass(frozen=True)
class Account:
    """A system's account in a region that is up; state for users and scripts is in ``directory``."""

    system: str
    place: Place

    @property
    def directory(self) -> Path:
        """One for each region that has the system."""
        return ROOT / ".lab" / (self.system if self.place.name == CLOUD else f"{self.system}-{self.place.name}")

    @property
    def inventories(self) -> list[str]:
        """Options of ansible-playbook: what should exist, and what the operator brings along."""
        return ["--inventory", f"{ROOT}/inventory/{self.system}", "--inventory", f"{self.directory}/inventory"]

    @property
    def environment(self) -> dict[str, str]:
        """Leads AWS clients to the region, and keeps them away from the settings of whoever runs them."""
        known = self.place.noted()
        if not known.get("endpoint"):
            raise LabError(f"the region '{self.place.name}' is not up; start it with: make cloud")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            "AWS_ENDPOINT_URL": known["endpoint"],
            "AWS_CONFIG_FILE": known["config"],
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        }

    def prepare(self) -> None:
        """Write the key pair, the inventory beside the system's own, and the files that lead to the region's names."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = self.directory / "id_ed25519"
        if not (key.exists() and key.with_suffix(".pub").exists()):
            key.unlink(missing_ok=True)
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", str(key))
        variables = {
            "platform_state_dir": str(self.directory),
            "platform_operators": [f"{self.place.uplink[0]}/32"],
            "platform_public_key": key.with_suffix(".pub").read_text(encoding="ascii").strip(),
            "platform_ca_file": self.place.noted()["root"],
            "ansible_ssh_private_key_file": str(key),
        }
        (self.directory / "inventory").write_text(yaml.safe_dump({"all": {"vars": variables}}), encoding="utf-8")
        (self.directory / "resolv.conf").write_text(f"nameserver {self.place.uplink[1]}\n", encoding="ascii")
        (self.directory / "nsswitch.conf").write_text(
            "passwd: files\ngroup: files\nhosts: files dns\n", encoding="ascii"
        )

    def command(self, *program: str) -> list[str]:
        """A program that asks the region for names, whatever this machine asks."""
        binds = " && ".join(f'mount --bind "$0/{name}" /etc/{name}' for name in RESOLVER_FILES)
        return ["unshare", "--mount", "sh", "-c", f'{binds} && exec "$@"', str(self.directory), *program]


def needs_region(system: str) -> bool:
    """Whether a system's hosts are found through the AWS API."""
    return (ROOT / "inventory" / system / "aws_ec2.yml").exists()


def region_of(system: str) -> str:
    """What the region of a system is called on AWS."""
    found = yaml.safe_load((ROOT / "inventory" / system / "aws_ec2.yml").read_text(encoding="utf-8"))
    return str(found["regions"][0])
