# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the values of one service's options, each sentence with its place."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._secret_references import is_reference
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import KINDS, SOURCES

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SIZE = re.compile(r"[1-9][0-9]*[KMGT]?|infinity")
LOG_NAME = re.compile(r"[A-Za-z0-9._-]+")


def numbers_and_kinds(service: Mapping[str, Any], where: str) -> list[str]:
    """Port, limits, kind and application."""
    found = []
    port = service.get("port")
    if port is None:
        found.append(f"{where}.port is missing")
    elif not _whole(port, 1024, 65535):
        found.append(f"{where}.port is {port!r}, but has to be between 1024 and 65535")
    for key, low, high in (
        ("workers", 1, 256),
        ("threads", 1, 1024),
        ("tasks_max", 8, 100000),
        ("keep_releases", 1, 100),
    ):
        if service.get(key) is not None and not _whole(service[key], low, high):
            found.append(f"{where}.{key} is {service[key]!r}, but has to be between {low} and {high}")
    if service.get("kind") is not None and service["kind"] not in KINDS:
        found.append(f"{where}.kind is {service['kind']!r}, but has to be one of {', '.join(KINDS)}")
    if service.get("memory_max") is not None and not SIZE.fullmatch(str(service["memory_max"])):
        found.append(f"{where}.memory_max is {service['memory_max']!r}, but has to be like 512M")
    application = service.get("application")
    if application is not None and not re.fullmatch(r"[\w.]+:[\w.()]+", str(application)):
        found.append(f"{where}.application is {application!r}, but has to be like module:callable")
    return found


def role_values(service: Mapping[str, Any], where: str) -> list[str]:
    """What only an entry of the role has."""
    found = []
    if service.get("state") not in (None, "present"):
        found.append(f"{where}.state is {service['state']!r}, but has to be present or absent")
    name = service.get("server_name")
    if name is not None and not re.fullmatch(r"[A-Za-z0-9.-]+", str(name)):
        found.append(f"{where}.server_name is {name!r}, which is no host name")
    return found


def words(service: Mapping[str, Any], where: str) -> list[str]:
    """Log name and network."""
    found = []
    log_name = service.get("log_name")
    if log_name is not None and not (isinstance(log_name, str) and LOG_NAME.fullmatch(log_name)):
        found.append(f"{where}.log_name is {log_name!r}, but has to be made of letters, digits, '.', '_' and '-'")
    network = service.get("network") or []
    entries = [network] if isinstance(network, str) else network if isinstance(network, list) else [network]
    if not (entries == ["any"] or all(_is_range(entry) for entry in entries)):
        found.append(f"{where}.network is {network!r}, but has to be any, or a list of ranges like 10.0.0.0/8")
    return found


def _is_range(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_network(value, strict=False))
    except ValueError:
        return False


def source(value: Any, where: str) -> list[str]:
    """Where the code comes from: exactly one kind, with what belongs to it."""
    if value is None:
        return [f"{where} is missing"]
    if not isinstance(value, Mapping):
        return [f"{where} is not a mapping"]
    given = {key: text for key, text in value.items() if text is not None}
    kinds = [kind for kind in SOURCES if kind in given]
    if len(kinds) != 1:
        return [f"{where} has {' and '.join(kinds) or 'none'} of {', '.join(SOURCES)}, but has to have exactly one"]
    companion = {"git": "revision", "package": "version"}.get(kinds[0])
    found = [f"{where}.{key} is not known beside {kinds[0]}" for key in given if key not in (kinds[0], companion)]
    if companion and not str(given.get(companion, "")):
        found.append(f"{where}.{companion} is missing beside {kinds[0]}")
    elif companion and not re.fullmatch(r"[\w.][\w./+!-]*", str(given[companion])):
        found.append(f"{where}.{companion} is {given[companion]!r}, which is no {companion}")
    if not given[kinds[0]] or str(given[kinds[0]]).startswith("-"):
        found.append(f"{where}.{kinds[0]} is {given[kinds[0]]!r}")
    return found


def health(value: Any, where: str) -> list[str]:
    """How a service is asked for its health."""
    if value is None:
        return []
    if not isinstance(value, Mapping):
        return [f"{where} is not a mapping"]
    found = [f"{where}.{key} is not known" for key in value if key not in ("path", "status", "timeout")]
    path = value.get("path")
    if path is not None and not re.fullmatch(r"/[!-~]*", str(path)):
        found.append(f"{where}.path is {path!r}, but has to begin with / and hold no spaces")
    if value.get("status") is not None and not _whole(value["status"], 100, 599):
        found.append(f"{where}.status is {value['status']!r}, which is no HTTP status")
    if value.get("timeout") is not None and not _whole(value["timeout"], 1, 3600):
        found.append(f"{where}.timeout is {value['timeout']!r}, but has to be between 1 and 3600 seconds")
    return found


def variables(service: Mapping[str, Any], where: str) -> list[str]:
    """Environment and secrets: texts by name."""
    found = []
    for key in ("environment", "secrets"):
        values = service.get(key) or {}
        if not isinstance(values, Mapping):
            found.append(f"{where}.{key} is not a mapping")
            continue
        for name, value in values.items():
            if not VARIABLE.fullmatch(str(name)):
                found.append(f"{where}.{key} has {name!r}, which is no name of a variable")
            if isinstance(value, (Mapping, list)) or value is None or "\0" in str(value):
                found.append(f"{where}.{key}.{name} is not a text")
            elif key == "secrets" and is_reference(value) and value.endswith(("*", ":", "/")):
                found.append(
                    f"{where}.{key}.{name} refers to no single secret: give ssm:/path/name or secretsmanager:name"
                )
    return found


def commands(service: Mapping[str, Any], where: str) -> list[str]:
    """Hooks, migration and, for the kind command, what serves."""
    hooks = service.get("hooks") or {}
    if not isinstance(hooks, Mapping):
        return [f"{where}.hooks is not a mapping"]
    known = ("before_switch", "after_switch")
    found = [f"{where}.hooks.{key} is not known; known are {', '.join(known)}" for key in hooks if key not in known]
    commands = {"migrate": service.get("migrate"), "command": service.get("command")}
    commands |= {f"hooks.{key}": hooks.get(key) for key in known}
    for key, value in commands.items():
        if value is not None and not (isinstance(value, list) and all(isinstance(word, (str, int)) for word in value)):
            found.append(f"{where}.{key} is not a list of words")
        elif any("\0" in str(word) for word in value or []):
            found.append(f"{where}.{key} holds a NUL, which no program can be given")
    if service.get("kind") == "command" and not service.get("command"):
        found.append(f"{where}.command is missing for kind command")
    if service.get("kind") != "command" and service.get("command"):
        found.append(f"{where}.command goes with kind command only")
    return found


def _whole(value: Any, low: int, high: int) -> bool:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", str(value)):
        return False
    return low <= int(value) <= high
