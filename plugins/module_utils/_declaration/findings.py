# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is wrong with a platform's declaration as far as it can be known without the account.

Each part is derived as its role will have it, so that nothing is made before the last of them can be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute import derive as machines
from ansible_collections.gatehouse.platform.plugins.module_utils._compute import findings as compute
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer import services as balancing
from ansible_collections.gatehouse.platform.plugins.module_utils._names import PublicNameError
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_identity import findings as identity
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_identity import policies
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security import declaration, groups
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security import findings as security
from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.findings import service_findings
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.derive import records
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.fleets import deploy_findings
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.services import virtual_hosts

Told = Mapping[str, Any]
ERRORS = (
    declaration.PlatformSecurityError,
    balancing.LoadBalancerError,
    machines.ComputeError,
    policies.IdentityError,
    VirtualHostsError,
    PublicNameError,
)
# What a fleet or a group of hosts may say, and a fleet's health check.
OF_ALL = frozenset({"name", "instance_type", *machines.HANDED_ON})
OF_HOSTS = OF_ALL | {"elastic_address"}
OF_FLEETS = OF_ALL | {*machines.OF_FLEETS, "policies", "deploy"}
OF_HEALTH_CHECKS = frozenset({"kind", "grace_period"})
# What separates the findings in the message of an error.
SEPARATOR = "; "
# Where the roles' variables come from.
VARIABLES = {
    "compute_fleets": "platform_fleets",
    "compute_image": "platform_image",
    "compute_key.public_key": "platform_public_key",
    "compute_tags": "platform_tags",
}
ACCOUNT = "000000000000"


def findings(
    services: Sequence[Told],
    platform: str,
    domain: str,
    topology: str = "bastion",
    operators: Sequence[str] = (),
    load_balancer: Told | None = None,
    fleets: Sequence[Told] = (),
    hosts: Sequence[Told] = (),
    open_ssh: bool = False,
    machine: Told | None = None,
    inventories: Sequence[str] = (),
) -> list[str]:
    """Sentences, each once.

    ``machine`` has what all machines have: ``public_key``, ``image``, ``tags``, and what is said of the ``bastion``.
    ``inventories`` are paths; sources of services are looked for beside them.
    """
    given = machine or {}

    def of_services() -> list[str]:
        return service_findings(services, domain, inventories)

    def of_security() -> list[str]:
        told = {"operators": operators, "load_balancer": load_balancer, "fleets": fleets, "hosts": hosts}
        read = declaration.read(services, platform, topology=topology, **told)
        return security.findings(groups.groups(read), groups.health_checks(read), open_ssh)

    def of_load_balancer() -> list[str]:
        if load_balancer:
            balancing.listeners(services, domain, load_balancer)
        return []

    def of_names() -> list[str]:
        virtual_hosts(services, domain)
        records(services, domain, hosts, fleets)
        return []

    def of_permissions() -> list[str]:
        place = policies.Place(platform, ACCOUNT, "")
        return identity.findings(policies.profiles(services, fleets, hosts), place)

    def of_machines() -> list[str]:
        made = _stand_ins(services if load_balancer else ())
        wanted = machines.machines(services, platform, topology, fleets, hosts, given.get("bastion") or {}, made)
        key = {"name": "operator", "public_key": given.get("public_key")}
        told = {"platform": platform, "key": key, "template_versions": 1, **wanted}
        return _missing_key(given) + compute.findings({**told, "image": given.get("image"), "tags": given.get("tags")})

    def of_keys() -> list[str]:
        return [*_unknown("platform_fleets", fleets, OF_FLEETS), *_unknown("platform_hosts", hosts, OF_HOSTS)]

    def of_deploys() -> list[str]:
        return [finding for fleet in fleets if fleet.get("name") for finding in deploy_findings(fleet)]

    # What is derived needs entries that have at least the shape of one.
    misshapen = _misshapen(given, fleets)
    if misshapen or not all(isinstance(one, Mapping) and one.get("name") for one in services):
        return list(dict.fromkeys([*of_services(), *misshapen]))
    parts = (of_services, of_security, of_load_balancer, of_names, of_permissions, of_machines, of_keys, of_deploys)
    return list(dict.fromkeys(_as_declared(found) for part in parts for found in _told(part)))


def _unknown(place: str, entries: Sequence[Told], known: Collection[str]) -> Iterator[str]:
    """Keys that nobody reads, most of them misspelt."""
    for index, entry in enumerate(entries):
        here = f"{place}[{index}] {entry.get('name', '')}".strip()
        keys = [(here, entry, known), (f"{here}: health_check", entry.get("health_check") or {}, OF_HEALTH_CHECKS)]
        for where, told, names in keys:
            for key in sorted(set(told) - set(names)) if isinstance(told, Mapping) else ():
                yield f"{where} has no option '{key}'; known are {', '.join(sorted(names))}"


def _misshapen(given: Told, fleets: Sequence[Told]) -> list[str]:
    told = {"platform_image": given.get("image"), "platform_bastion": given.get("bastion")}
    told |= {f"platform_fleets[{index}].deploy": fleet.get("deploy") for index, fleet in enumerate(fleets)}
    return [f"{name} is '{value}', and has to be a mapping" for name, value in told.items() if not _is_mapping(value)]


def _is_mapping(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)


def _stand_ins(behind: Sequence[Told]) -> dict[str, Any]:
    """What roles that have not run yet will have made."""
    return {
        "network": {"subnets": {"public": [{}], "private": [{}]}},
        "load_balancer": {"target_groups": {str(one.get("name")): "" for one in behind if one.get("listen")}},
    }


def _missing_key(given: Told) -> list[str]:
    if given.get("public_key"):
        return []
    return ["platform_public_key is missing: give the line of the .pub file of the key that you log in with"]


def _as_declared(finding: str) -> str:
    for own, name in VARIABLES.items():
        finding = finding.replace(own, name)
    return finding


def _told(part: Callable[[], list[str]]) -> list[str]:
    try:
        return part()
    except ERRORS as error:
        return str(error).split(SEPARATOR)
