# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a list of services, all of it at once, each sentence with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._names import PublicNameError, full_name, labels
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import values

NAME = re.compile(r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?")
# Names of a service's own units end like this; names of the platform's own begin like this.
RESERVED = re.compile(r"gatehouse.*|.*-(blue|green|candidate|task)")

PLATFORM_KEYS = (
    "host",
    "aliases",
    "log_name",
    "virtual_host",
    "peers",
    "fleet",
    "listen",
    "paths",
    "traffic",
    "health_check",
    "stickiness",
    "deregistration_delay",
    "slow_start",
    "algorithm",
    "permissions",
)
SERVICE_KEYS = (
    "name",
    "port",
    "source",
    "kind",
    "application",
    "command",
    "workers",
    "threads",
    "gunicorn",
    "health",
    "environment",
    "secrets",
    "migrate",
    "hooks",
    "memory_max",
    "tasks_max",
    "keep_releases",
    "network",
)
# What only an entry of the role has, and where the platform's list says it.
ROLE_KEYS = {
    "state": "a service is removed when its entry leaves the list",
    "remove_data": "a service is removed when its entry leaves the list; remove.yml takes -e remove_data=true",
    "release": "rollback.yml goes back, with -e release=NAME to a named release",
    "release_source": "rollback.yml goes back, with what the release store has",
    "server_name": "it follows from host",
    "instance_role": "it follows from permissions",
}


def findings(services: Any, domain: str | None = None, place: str = "platform_services") -> list[str]:
    """Sentences about everything that is wrong in ``services``; an empty list when nothing is.

    With ``domain`` the entries are those of ``platform_services``, whose public names have
    to lie below it; without, those of the role, which knows nothing of names.
    """
    if not isinstance(services, Sequence) or isinstance(services, str):
        return [f"{place} is not a list"]
    found: list[str] = []
    for index, service in enumerate(services):
        where = f"{place}[{index}]"
        if isinstance(service, Mapping):
            found += _service(service, where, domain)
        else:
            found.append(f"{where} is not a mapping")
    entries = [(index, service) for index, service in enumerate(services) if isinstance(service, Mapping)]
    found += _duplicates(place, "name", [(f"[{i}].name", s.get("name")) for i, s in entries])
    present = [(i, s) for i, s in entries if domain is not None or s.get("state") != "absent"]
    found += _duplicates(place, "port", [(f"[{i}].port", s.get("port")) for i, s in present])
    if domain is not None:
        found += _duplicates(
            place, "log_name", [(f"[{i}].log_name", s.get("log_name") or s.get("name")) for i, s in present]
        )
        found += _duplicates(place, "public name", [*_once(present, domain), *_of_direct(present, domain)])
    return found


def _of_direct(entries: Sequence[tuple[int, Mapping[str, Any]]], domain: str) -> list[tuple[str, Any]]:
    return [name for index, service in entries if not service.get("listen") for name in _names(index, service, domain)]


def _once(entries: Sequence[tuple[int, Mapping[str, Any]]], domain: str) -> list[tuple[str, Any]]:
    """Names of services behind a load balancer, where paths tell them apart: that is looked at where its rules are."""
    names: dict[Any, tuple[str, Any]] = {}
    for index, service in entries:
        if service.get("listen"):
            for where, name in _names(index, service, domain):
                names.setdefault(name, (where, name))
    return list(names.values())


def _service(service: Mapping[str, Any], where: str, domain: str | None) -> list[str]:
    found = _unknown(service, where, domain)
    name = service.get("name")
    if name is None:
        found.append(f"{where}.name is missing")
    elif not (isinstance(name, str) and NAME.fullmatch(name)):
        found.append(
            f"{where}.name is {name!r}, but a name has a-z, 0-9 and, inside, -; it begins with a letter; at most 31"
        )
    if domain is not None:
        found += _public_names(service, where, domain)
    elif service.get("state") == "absent":
        return found
    if isinstance(name, str) and RESERVED.fullmatch(name):
        found.append(
            f"{where}.name is {name!r}, but names that begin with gatehouse or end in"
            " -blue, -green, -candidate or -task are taken by units of the platform"
        )
    found += values.numbers_and_kinds(service, where)
    found += values.words(service, where)
    if domain is None:
        found += values.role_values(service, where)
    if domain is not None or not service.get("release"):
        found += values.source(service.get("source"), f"{where}.source")
    if service.get("release_source") is not None:
        found += values.source(service["release_source"], f"{where}.release_source")
    found += values.health(service.get("health"), f"{where}.health")
    found += values.variables(service, where)
    found += values.commands(service, where)
    return found


def _unknown(service: Mapping[str, Any], where: str, domain: str | None) -> list[str]:
    allowed = sorted((*SERVICE_KEYS, *(ROLE_KEYS if domain is None else PLATFORM_KEYS)))
    misplaced = {} if domain is None else ROLE_KEYS
    return [
        f"{where}.{key} does not belong into this list: {misplaced[key]}"
        if key in misplaced
        else f"{where}.{key} is not known; known are {', '.join(allowed)}"
        for key in service
        if key not in allowed
    ]


def _public_names(service: Mapping[str, Any], where: str, domain: str) -> list[str]:
    # A name that stands for the host as well is told about once, as a name.
    told = labels(service) if service.get("host") else labels(service)[1:]
    found = [
        f"{where}.{key}: {problem}; it has to be a name below the domain, or @ for {domain} itself"
        for key, label in told
        if (problem := _name_problem(label, domain))
    ]
    if service.get("aliases") and not isinstance(service["aliases"], list):
        found.append(f"{where}.aliases is not a list")
    return found


def _name_problem(label: Any, domain: str) -> str:
    if not isinstance(label, str):
        return f"{label!r} is not a text"
    try:
        full_name(label, domain)
    except PublicNameError as error:
        return str(error)
    return ""


def _full_name(label: Any, domain: str) -> str | None:
    """The public name, or None where the label does not stand for one."""
    try:
        return full_name(label, domain) if isinstance(label, str) else None
    except PublicNameError:
        return None


def _names(index: int, service: Mapping[str, Any], domain: str) -> list[tuple[str, Any]]:
    return [(f"[{index}].{key}", _full_name(label, domain)) for key, label in labels(service)]


def _duplicates(place: str, what: str, values: Sequence[tuple[str, Any]]) -> list[str]:
    first: dict[str, str] = {}
    found = []
    for where, value in values:
        if value is None:
            continue
        earlier = first.setdefault(str(value), where)
        if earlier != where:
            found.append(f"{place}{where}: the {what} {value} is that of {place}{earlier} already")
    return found
