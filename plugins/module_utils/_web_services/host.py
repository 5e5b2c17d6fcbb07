# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what is there of services on this host, all of them with one question to systemd."""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import pwd
import re
import socket
import stat
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _files
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import releases, systemd, units
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    CANDIDATE,
    COLORS,
    TASK,
    Color,
    Service,
    State,
)

DATA = "/var/lib"
DATA_MARK = ".gatehouse-service"
HOOK_DUE = "after-switch-due"

Units = Mapping[str, Mapping[str, str]]


def account_comment(name: str) -> str:
    """The comment by which a user is known as ours."""
    return f"gatehouse service {name}"


def owned_services(platform: str) -> list[str]:
    """Names of all services on this host that belong to a platform."""
    paths = sorted(glob.glob(f"{units.SETTINGS}/*/service.json"))
    return [path.split("/")[-2] for path in paths if _manifest(path).get("platform") == platform]


def read(services: Sequence[Service]) -> dict[str, State]:
    """The state of each service, by name."""
    shown = systemd.show([unit for service in services for unit in _unit_names(service.name)])
    found = {service.name: _listening(shown[f"{service.name}.socket"]) for service in services}
    held = {port: name for name, port in found.items() if port}
    return {service.name: _read(service, shown, held) for service in services}


def _read(service: Service, shown: Units, held: Mapping[int, str]) -> State:
    name = service.name
    found = manifest(name)
    owned = found.get("platform") == service.platform
    ours = owned or _is_marked(data_path(name))
    alias = _link(f"{units.UNITS}/{name}.service")
    turned = next((color for color in COLORS if alias == f"{name}-{color}.service"), None)
    current = _link(f"{units.base(name)}/current")
    return State(
        owned=owned,
        conflicts=tuple(_conflicts(service, found, shown, held)),
        account=_account(name) is not None,
        files=_texts([*units.static_files(service)]),
        # The first deploy needs the link before its switch; the link `current` comes with the switch alone.
        live=turned if current else None,
        loaded=_loaded(name, turned, shown),
        enabled=_enabled(name),
        listening=_listening(shown[f"{name}.socket"]),
        colors={color: _color(name, color, shown) for color in COLORS},
        releases=releases.releases(name) if owned else {},
        environments=frozenset(releases.environments(name)) if owned else frozenset(),
        current=os.path.basename(current) if current else None,
        half_made=tuple(_half_made(name) if owned else _unclaimed(name)),
        data=ours and os.path.isdir(data_path(name)),
        foreign_data=not ours and _is_filled(data_path(name)),
    )


def data_path(name: str) -> str:
    """Where a service keeps its data."""
    return f"{DATA}/{name}"


def _is_filled(path: str) -> bool:
    return os.path.isdir(path) and bool(os.listdir(path))


def _is_marked(path: str) -> bool:
    """Whether a service of ours that was removed left this directory to root."""
    try:
        directory, mark = os.lstat(path), os.lstat(f"{path}/{DATA_MARK}")
    except OSError:
        return False
    roots = directory.st_uid == 0 and mark.st_uid == 0
    return roots and stat.S_ISDIR(directory.st_mode) and stat.S_ISREG(mark.st_mode)


def _unit_names(name: str) -> list[str]:
    return [f"{name}.service", f"{name}.socket", *(f"{name}-{color}.service" for color in COLORS)]


def _color(name: str, color: str, shown: Units) -> Color:
    settings = f"{units.SETTINGS}/{name}/{color}"
    paths = [units.unit_path(name, color), f"{settings}/environment", *glob.glob(f"{settings}/secrets/*")]
    unit = shown[f"{name}-{color}.service"]
    active = unit.get("ActiveState") in ("active", "activating", "reloading")
    return Color(files=_texts(paths), active=active, hook_due=os.path.exists(f"{settings}/{HOOK_DUE}"))


def _half_made(name: str) -> list[str]:
    paths = releases.half_made(name)
    paths += glob.glob(f"{units.SETTINGS}/{name}/**/.gatehouse-*", recursive=True)
    for slot in (CANDIDATE, TASK):
        paths += [path for path in slot_paths(name, slot) if os.path.exists(path)]
    return paths + [left for path in _replaced(name) for left in _files.leftovers(path)]


def _replaced(name: str) -> list[str]:
    """Files and links outside of a service's settings that runs replace."""
    return [
        f"{units.UNITS}/{name}.service",
        f"{units.UNITS}/{name}.socket",
        *(f"{units.UNITS}/{name}-{color}.socket" for color in COLORS),
        *(units.unit_path(name, slot) for slot in (*COLORS, CANDIDATE, TASK)),
        f"{units.TRANSIENT_UNITS}/{name}-{CANDIDATE}.socket",
        *links(name),
        f"{units.base(name)}/current",
        *(f"{units.base(name)}/releases/{release}/{releases.MARKER}" for release in releases.releases(name)),
        f"{data_path(name)}/{DATA_MARK}",
    ]


def _unclaimed(name: str) -> list[str]:
    """The settings of a service that a run was about to claim, or had all but removed."""
    settings = f"{units.SETTINGS}/{name}"
    temporary = os.path.isdir(settings) and all(entry.startswith(_files.TEMPORARY) for entry in os.listdir(settings))
    return [settings] if temporary else []


def slot_paths(name: str, slot: str) -> list[str]:
    """Everything that a candidate or a task has on the disk."""
    directory = os.path.dirname(units.unit_path(name, slot))
    return [
        f"{directory}/{name}-{slot}.socket",
        f"{directory}/{name}-{slot}.service",
        f"{units.SETTINGS}/{name}/{slot}",
    ]


def _conflicts(service: Service, marked: Mapping[str, str], shown: Units, held: Mapping[int, str]) -> list[str]:
    name, found = service.name, []
    if marked and marked.get("platform") != service.platform:
        return [f"the service belongs to the platform '{marked.get('platform')}'"]
    account = _account(name)
    if account is not None and account.pw_gecos.split(",")[0] != account_comment(name):
        found.append(f"a user {name} exists that is not this service's")
    if service.absent:
        return found if marked else []
    if not marked:
        found += _foreign(name, shown)
    if _listening(shown[f"{name}.socket"]) != service.port and (service.port in held or _taken(service.port)):
        found.append(_port_taken(service, held))
    return found


def _port_taken(service: Service, held: Mapping[int, str]) -> str:
    port = service.port
    settings = sorted(os.path.dirname(path) for path in glob.glob(f"{units.SETTINGS}/*/service.json"))
    known = (os.path.basename(path) for path in settings if _manifest(f"{path}/service.json").get("port") == port)
    other = held.get(port) or next((name for name in known if name != service.name), None)
    if other is None:
        return f"port {port} is used by another program"
    return f"port {port} is still held by the service {other}; change it in two runs, the first takes {other} off it"


def _foreign(name: str, shown: Units) -> list[str]:
    found = [
        f"a unit {unit} exists that is not this service's ({shown[unit].get('FragmentPath')})"
        for unit in _unit_names(name)
        if shown[unit].get("LoadState") != "not-found"
    ]
    for path in (units.base(name), data_path(name)):
        foreign = set(os.listdir(path)) - {"deploy.lock"} if os.path.isdir(path) else set()
        if foreign and not _is_marked(path):
            found.append(f"a directory {path} exists that is not this service's")
    return found


def _taken(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _loaded(name: str, live: str | None, shown: Units) -> bool:
    stale = any(shown[unit].get("NeedDaemonReload") == "yes" for unit in _unit_names(name))
    return not stale and (live is None or shown[f"{name}.service"].get("Id") == f"{name}-{live}.service")


def links(name: str) -> dict[str, str]:
    """The links by which a service starts at boot."""
    return {
        f"{units.UNITS}/multi-user.target.wants/{name}.service": f"../{name}.service",
        f"{units.UNITS}/sockets.target.wants/{name}.socket": f"../{name}.socket",
    }


def _enabled(name: str) -> bool:
    return all(_link(path) == target for path, target in links(name).items())


def _listening(unit: Mapping[str, str]) -> int | None:
    found = re.search(r":(\d+) \(Stream\)", unit.get("Listen", ""))
    return int(found[1]) if found and unit.get("ActiveState") == "active" else None


def _account(name: str) -> pwd.struct_passwd | None:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(name)
    return None


def manifest(name: str) -> dict[str, Any]:
    """What a service's manifest says: platform, name, port, health; empty for a service that is not there."""
    return _manifest(f"{units.SETTINGS}/{name}/service.json")


def _manifest(path: str) -> dict[str, Any]:
    text = _files.read_text(path)
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}


def _texts(paths: Sequence[str]) -> dict[str, str]:
    return {path: text for path in paths if (text := _files.read_text(path)) is not None}


def _link(path: str) -> str | None:
    with contextlib.suppress(OSError):
        return os.readlink(path)
    return None
