# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure, but for a look at the controller's own files: everything that preflight found, on every host, as sentences."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _places
from ansible_collections.gatehouse.platform.plugins.module_utils._inventory import inventory_directory
from ansible_collections.gatehouse.platform.plugins.module_utils._names import PublicNameError, full_name, labels
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.services import OPTIONS
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.findings import findings

Service = Mapping[str, Any]
NOISE = re.compile(
    r"^(Task failed: |Module failed: |Failed to connect to the host via ssh: "
    r"|Data could not be sent to remote host \S+ Make sure this host can be reached over ssh: )*"
)


@dataclass(frozen=True)
class Host:
    """A host of the inventory and what the module ``preflight`` returned for it."""

    name: str
    address: str
    user: str
    result: Mapping[str, Any]

    @property
    def unreachable(self) -> bool:
        """Whether no connection came about."""
        return bool(self.result.get("unreachable"))

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        return f"{self.name} ({user}{self.address})"


def _entries(services: Any) -> list[Service]:
    """The entries of a list that may be wrong in any way."""
    entries = services if isinstance(services, Sequence) and not isinstance(services, str) else []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _name(label: Any, domain: str) -> Iterator[str]:
    try:
        yield full_name(label, domain)
    except PublicNameError:
        return  # the findings about the list tell it


def request(
    services: Any,
    domain: str,
    group_names: Sequence[str] = (),
    fleets: Sequence[Service] = (),
    hosts: Sequence[Service] = (),
) -> dict[str, Any]:
    """The names and the ports of a host to look at, from a list that need not be right.

    The names of what stands behind a load balancer lead there and not to the host.
    """
    entries = _places.here(_entries(services), group_names, fleets, hosts)
    ports = [
        {"name": str(entry.get("name")), "port": entry["port"]}
        for entry in entries
        if isinstance(entry.get("port"), int)
    ]
    return {
        "names": [
            name
            for entry in entries
            if not entry.get("listen")
            for _key, label in labels(entry)
            for name in _name(label, domain)
        ],
        "services": ports,
    }


def service_findings(services: Any, domain: str, inventories: Iterable[str]) -> list[str]:
    """What is wrong with the list of services, missing sources included."""
    found = findings(services, domain)
    base = inventory_directory(inventories)
    for entry in _entries(services):
        options, source = entry.get("virtual_host"), entry.get("source")
        unknown = sorted(set(options) - OPTIONS) if isinstance(options, Mapping) else []
        found += [f"{entry.get('name')}: virtual_host has no option '{key}'" for key in unknown]
        for kind, exists in (("directory", os.path.isdir), ("archive", os.path.isfile)):
            path = source.get(kind) if isinstance(source, Mapping) else None
            if isinstance(path, str) and path and not exists(os.path.join(base, path)):
                found.append(
                    f"{entry.get('name')}: the source {kind} {os.path.normpath(os.path.join(base, path))} is not there"
                )
    return found


def _reason(host: Host) -> str:
    """The line of the error that tells the cause, without what Ansible and ssh put around it."""
    lines = [line.strip() for line in str(host.result.get("msg") or "").splitlines()]
    told = [line for line in lines if line and "UNKNOWN port" not in line] or ["no reason given"]
    return NOISE.sub("", told[-1]).rstrip(".: ")[:300]


def _unreachable(hosts: Sequence[Host], bastions: Sequence[str], ssh_config: str) -> Iterator[str]:
    """One sentence per host out of reach; those behind a bastion that is out of reach are told with it."""
    lost = [host for host in hosts if host.unreachable]
    gate = next((host for host in hosts if bastions and host.name == bastions[0]), None)
    for host in lost:
        again = f"try: ssh -F {ssh_config} {host.name}"
        if host.name in bastions:
            behind = [other.name for other in lost if other.name not in bastions]
            also = f"; {', '.join(behind)} behind it cannot be reached either" if host is gate and behind else ""
            yield (
                f"the bastion {host} cannot be reached: {_reason(host)}{also}. Check that it runs, that its address is "
                f"right and that port 22 is open to this machine; {again}"
            )
        elif gate is None or not gate.unreachable:
            way = f"through the bastion {gate}" if gate else "directly"
            yield (
                f"{host} cannot be reached {way}: {_reason(host)}. Check that it runs, that its address and host key "
                f"are right and that port 22 is open to {gate.name if gate else 'this machine'}; {again}"
            )


def host_findings(hosts: Sequence[Host], bastions: Sequence[str], ssh_config: str) -> list[str]:
    """What was found on the hosts, or why nothing was."""
    found = list(_unreachable(hosts, bastions, ssh_config))
    for host in hosts:
        if host.unreachable:
            continue
        if "findings" in host.result:
            found += [f"{host.name}: {finding}" for finding in host.result["findings"]]
        else:
            found.append(f"{host} could not be examined: {_reason(host)}")
    return found


def message(found: Sequence[str]) -> str:
    """All findings as one message."""
    count = "One thing stands" if len(found) == 1 else f"{len(found)} things stand"
    return "\n".join([f"{count} in the way; no host was touched:", *(f"- {finding}" for finding in found)])
