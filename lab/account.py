# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A system whose hosts are made through the AWS API, on the region of this machine: what an operator brings along.

That is a key, an address that may log in, credentials and an endpoint; names are answered by the region, for the
run alone and not for this machine.
"""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml

from lab.acme import DIRECTORY_PORT
from lab.machine import LabError, run
from lab.model import ROOT, ZONE, lab_directory
from lab.region.place import CLOUD, Place
from lab.region.resolvers import lab_names

# The files that say who answers names; the second leaves out what would answer instead of the first.
RESOLVER_FILES = ("resolv.conf", "nsswitch.conf")


@dataclass(frozen=True)
class Account:
    """A system's account in a region that is up; state for users and scripts is in ``directory``."""

    system: str
    place: Place
    folder: Path | None = None

    @property
    def directory(self) -> Path:
        """One for each region that has the system, where nothing else was said."""
        name = self.system if self.place.name == CLOUD else f"{self.system}-{self.place.name}"
        return self.folder or ROOT / ".lab" / name

    @property
    def inventories(self) -> list[str]:
        """Options of ansible-playbook: what should exist, and what the operator brings along."""
        sources = [*folders(self.system), self.directory / "inventory"]
        return [option for source in sources for option in ("--inventory", str(source))]

    @property
    def roots(self) -> Path:
        """What vouches for the certificates that services show: the region's authority, and the ACME server's."""
        return self.directory / "roots.pem"

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
        self._trust()
        variables = {
            "platform_state_dir": str(self.directory),
            "platform_operators": [f"{self.place.uplink[0]}/32"],
            "platform_public_key": key.with_suffix(".pub").read_text(encoding="ascii").strip(),
            "platform_ca_file": str(self.roots),
            "ansible_ssh_private_key_file": str(key),
            **(
                {"platform_acme_directory_url": f"https://acme.{ZONE}:{DIRECTORY_PORT}/dir"} if self._has_acme() else {}
            ),
        }
        (self.directory / "inventory").write_text(yaml.safe_dump({"all": {"vars": variables}}), encoding="utf-8")
        (self.directory / "resolv.conf").write_text(f"nameserver {self.place.uplink[1]}\n", encoding="ascii")
        (self.directory / "nsswitch.conf").write_text(
            "passwd: files\ngroup: files\nhosts: files dns\n", encoding="ascii"
        )

    def _has_acme(self) -> bool:
        """Whether the lab beside the region is up, with its ACME server."""
        return bool(lab_names(self.place.lab))

    def _trust(self) -> None:
        beside = [lab_directory(self.place.lab) / "acme-root.pem"] if self._has_acme() else []
        parts = [Path(self.place.noted()["root"]), *beside]
        self.roots.write_text("".join(path.read_text(encoding="ascii") for path in parts), encoding="ascii")

    def client(self, service: str) -> Any:
        """A boto3 client for the operator's own account."""
        known = self.place.noted()
        config = configparser.ConfigParser()
        config.read(known["config"])
        keys = {name: config["default"][name] for name in ("aws_access_key_id", "aws_secret_access_key")}
        return boto3.client(service, endpoint_url=known["endpoint"], region_name=known["region"], **keys)

    def ensure_zone(self) -> None:
        """The public zone of the domain, where the system wants its names to be led to it.

        Whoever asks a zone asks nobody else about its names, so that it has the ACME server's as well.
        """
        told = variables(self.system)
        if "platform_zone" not in told:
            return
        route53 = self.client("route53")
        name = f"{told['platform_domain']}."
        there = {zone["Name"]: zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]}
        if name not in there:
            there[name] = route53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]
        acme = lab_names(self.place.lab).get(f"acme.{ZONE}")
        if acme and name == f"{ZONE}.":
            record = {"Name": f"acme.{ZONE}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": acme}]}
            changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
            route53.change_resource_record_sets(HostedZoneId=there[name], ChangeBatch={"Changes": changes})

    def command(self, *program: str) -> list[str]:
        """A program that asks the region for names, whatever this machine asks."""
        binds = " && ".join(f'mount --bind "$0/{name}" /etc/{name}' for name in RESOLVER_FILES)
        return ["unshare", "--mount", "sh", "-c", f'{binds} && exec "$@"', str(self.directory), *program]


def folders(system: str) -> list[Path]:
    """The inventory's folder, after those that it adds to: subdomains comes before subdomains-ec2."""
    parts = system.split("-")
    names = ["-".join(parts[: count + 1]) for count in range(len(parts))]
    return [ROOT / "inventory" / name for name in names if (ROOT / "inventory" / name).is_dir()]


def variables(system: str) -> dict[str, Any]:
    """What a system declares for all hosts, as it is written."""
    files = [folder / "group_vars" / "all.yml" for folder in folders(system)]
    return {key: value for file in files for key, value in yaml.safe_load(file.read_text(encoding="utf-8")).items()}


def needs_region(system: str) -> bool:
    """Whether a system's hosts are found through the AWS API."""
    return any((folder / "aws_ec2.yml").exists() for folder in folders(system))


def needs_acme(system: str) -> bool:
    """Whether a system's hosts get certificates of their own."""
    return "platform_load_balancer" not in variables(system)


def region_of(system: str) -> str:
    """What the region of a system is called on AWS."""
    return str(variables(system)["platform_region"])
