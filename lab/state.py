# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the lab writes for Ansible, users and scripts."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from lab.acme import DIRECTORY_PORT
from lab.hosts import host_keys, process_of
from lab.model import ZONE, Host, Lab, lab_directory, lab_key
from lab.network import known_number


def write_state(lab: Lab) -> None:
    """Write ``inventory`` and ``hosts.json``; unchanged files keep their time."""
    keys = {host.name: host_keys(process_of(lab, host)) for host in lab.hosts}
    _write(lab.directory / "inventory", yaml.safe_dump(inventory(lab, keys), sort_keys=False))
    path = lab.directory / "hosts.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    public_names = {"public_names": known["public_names"]} if "public_names" in known else {}
    _write(path, json.dumps({**summary(lab), **public_names}, indent=2) + "\n")


def remembered(name: str) -> Lab | None:
    """The lab as it was brought up last; without hosts when its folder is gone."""
    path = lab_directory(name) / "lab.json"
    if path.exists():
        state = json.loads(path.read_text(encoding="utf-8"))
        return Lab(name, state["number"], tuple(Host.named(host) for host in state["hosts"]))
    number = known_number(lab_key(name))
    return Lab(name, number, ()) if number else None


def inventory(lab: Lab, keys: dict[str, list[str]]) -> dict[str, object]:
    """Inventory of Ansible: hosts, addresses and keys; what exists on them is another inventory's to say."""
    groups: dict[str, dict[str, dict[str, object]]] = {}
    for host in lab.hosts:
        groups.setdefault(host.group, {"hosts": {}})["hosts"][host.name] = _host_variables(lab, host, keys[host.name])
    variables: dict[str, object] = {
        **({"platform_topology": "direct"} if lab.direct else {}),
        "ansible_user": "admin",
        "ansible_ssh_args": f"-F {lab.directory / 'ssh_config'}",
        "ansible_ssh_retries": 2,
        "ansible_ssh_private_key_file": str(lab.directory / "id_ed25519"),
        "platform_state_dir": str(lab.directory),
        "platform_acme_directory_url": f"https://acme.{ZONE}:{DIRECTORY_PORT}/dir",
        "platform_ca_file": str(lab.directory / "acme-root.pem"),
    }
    acme = groups.pop("acme")
    return {"all": {"vars": variables, "children": {**groups, "lab_services": acme}}}


def _host_variables(lab: Lab, host: Host, keys: list[str]) -> dict[str, object]:
    variables: dict[str, object] = {"ansible_host": lab.management_address(host), "platform_host_keys": keys}
    if host.group == "web":
        variables["platform_public_address"] = lab.elastic_address(host)
    return variables


def summary(lab: Lab) -> dict[str, object]:
    """Names, addresses and groups of the hosts, and the public names with the address they lead to."""
    hosts = {
        host.name: {
            "group": host.group,
            "distribution": host.distribution,
            "container": lab.container(host),
            "addresses": {interface: lab.address(host, interface) for interface in host.interfaces},
            **({"public_address": lab.elastic_address(host)} if host.group == "web" else {}),
        }
        for host in lab.hosts
    }
    return {"hosts": hosts, "zones": lab.zones(), "range": lab.range}


def _write(path: Path, content: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.write_text(content, encoding="utf-8")
