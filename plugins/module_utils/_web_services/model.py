# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web service as it should be, and as it was found on its host. Plain data, no input or output."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COLORS = ("blue", "green")
CANDIDATE = "candidate"
TASK = "task"

FAILED = "failed"
VERIFIED = "verified"
ROLLED_BACK = "rolled back"

KINDS = ("wsgi", "asgi", "command")
SOURCES = ("directory", "git", "archive", "package")

# The first that stays two seconds for kept-alive connections when it stops; --no-control-socket came with 25.1.
OLDEST_GUNICORN = (27, 0, 1)
_GUNICORN = re.compile(r"^[ \t]*(gunicorn(?![\w.-]).*)$", re.MULTILINE | re.IGNORECASE)
DEFAULTS: dict[str, Any] = {
    "kind": "wsgi",
    "application": "app:app",
    "workers": 2,
    "threads": 4,
    "gunicorn": "gunicorn==27.0.1",
    "keep_releases": 5,
    "memory_max": "512M",
    "tasks_max": 128,
    "server_name": "localhost",
    "state": "present",
    "remove_data": False,
}
HEALTH_DEFAULTS: dict[str, Any] = {"path": "/health", "status": 200, "timeout": 30}


class WebServiceError(Exception):
    """What went wrong with a service, as one message for a person."""


@dataclass(frozen=True)
class Health:
    """The question that a service must answer before it takes over. ``timeout`` is in seconds."""

    path: str = "/health"
    status: int = 200
    timeout: float = 30


@dataclass(frozen=True)
class Service:
    """One service as declared, completed by what the controller found out about its source.

    ``fetched``: the source is that of ``release``, for a host that never had it.
    """

    name: str
    port: int
    platform: str = "platform"
    kind: str = "wsgi"
    application: str = "app:app"
    command: tuple[str, ...] = ()
    workers: int = 2
    threads: int = 4
    gunicorn: str = "gunicorn==27.0.1"
    health: Health = Health()
    server_name: str = "localhost"
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    migrate: tuple[str, ...] = ()
    before_switch: tuple[str, ...] = ()
    after_switch: tuple[str, ...] = ()
    memory_max: str = "512M"
    tasks_max: int = 128
    keep_releases: int = 5
    network: tuple[str, ...] = ()
    instance_role: bool = False
    absent: bool = False
    remove_data: bool = False
    release: str | None = None
    fetched: bool = False
    source: str = ""
    fingerprint: str = ""
    requirements: str = ""


@dataclass(frozen=True)
class Release:
    """One release on the host. ``migrated`` is '', started or done.

    ``state`` is prepared, then verified once it has been live, failed where it did not come so
    far, and rolled back where an earlier one took its place: no rollback goes there again.
    """

    fingerprint: str
    requirements: str = ""
    state: str = "prepared"
    migrated: str = ""
    source: str = ""


@dataclass(frozen=True)
class Color:
    """One of the two deployments: its files (path to text), whether it runs, whether a hook is still due."""

    files: Mapping[str, str] = field(default_factory=dict)
    active: bool = False
    hook_due: bool = False


@dataclass(frozen=True)
class State:
    """What was found of one service on its host. ``conflicts`` are sentences about things that are not ours.

    ``data`` says that the service has data that is its own, ``foreign_data`` that somebody else
    has something where its data would be.
    """

    owned: bool = False
    conflicts: tuple[str, ...] = ()
    account: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    live: str | None = None
    loaded: bool = True
    enabled: bool = False
    listening: int | None = None
    colors: Mapping[str, Color] = field(default_factory=lambda: {color: Color() for color in COLORS})
    releases: Mapping[str, Release] = field(default_factory=dict)
    environments: frozenset[str] = frozenset()
    current: str | None = None
    half_made: tuple[str, ...] = ()
    data: bool = False
    foreign_data: bool = False


def service_from_params(params: Mapping[str, Any], platform: str, prepared: Mapping[str, Any]) -> Service:
    """A service from one element of the option ``services`` and what the action plugin prepared for it."""
    given = {**DEFAULTS, **{key: value for key, value in params.items() if value is not None}}
    health = {
        **HEALTH_DEFAULTS,
        **{key: value for key, value in (given.get("health") or {}).items() if value is not None},
    }
    hooks = given.get("hooks") or {}
    network = given.get("network") or ()
    return Service(
        name=given["name"],
        port=int(given.get("port") or 0),
        platform=platform,
        kind=given["kind"],
        application=given["application"],
        command=_words(given.get("command")),
        workers=int(given["workers"]),
        threads=int(given["threads"]),
        gunicorn=given["gunicorn"],
        health=Health(health["path"], int(health["status"]), float(health["timeout"])),
        server_name=given["server_name"],
        environment=_texts(prepared.get("environment")),
        secrets=_texts(prepared.get("secrets")),
        migrate=_words(given.get("migrate")),
        before_switch=_words(hooks.get("before_switch")),
        after_switch=_words(hooks.get("after_switch")),
        memory_max=str(given["memory_max"]),
        tasks_max=int(given["tasks_max"]),
        keep_releases=int(given["keep_releases"]),
        network=_words([network] if isinstance(network, str) else network),
        instance_role=bool(given.get("instance_role")),
        absent=given["state"] == "absent",
        remove_data=bool(given["remove_data"]),
        release=given.get("release"),
        fetched=bool(prepared.get("fetched")),
        source=prepared.get("source", ""),
        fingerprint=prepared.get("fingerprint", ""),
        requirements=prepared.get("requirements", ""),
    )


def environment_digest(service: Service, requirements: str, python: str) -> str:
    """Name of the virtual environment that fits: requirements, server and the host's Python (``3.11``)."""
    text = json.dumps([requirements, requirement_lines(service, requirements), python])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def requirement_lines(service: Service, requirements: str) -> list[str]:
    """What is installed beside the service's own requirements; its own pin of gunicorn wins."""
    if service.kind == "command" or _GUNICORN.search(requirements):
        return []
    return [service.gunicorn]


def gunicorn_problem(service: Service) -> str:
    """Why the gunicorn that a service pins cannot serve it, or an empty text."""
    if service.kind == "command":
        return ""
    lines = _GUNICORN.findall(service.requirements) or [service.gunicorn]
    old = next((line.strip() for line in lines if _is_too_old(line)), "")
    return old and (
        f"{old} is too old: for a switch without lost requests it needs gunicorn "
        f"{'.'.join(map(str, OLDEST_GUNICORN))} or newer; raise the pin, or leave it out"
    )


def _is_too_old(requirement: str) -> bool:
    """Whether no version that a requirement allows is new enough (versions: PyPA, version specifiers)."""
    specifiers = re.split(r"[;#@\\]|\s--", requirement)[0]
    return any(
        not _allows_new(operator, tuple(map(int, version.split("."))), bool(wildcard))
        for operator, version, wildcard in re.findall(r"(===|==|~=|<=|<)\s*(\d+(?:\.\d+)*)(\.\*)?", specifiers)
    )


def _allows_new(operator: str, version: tuple[int, ...], wildcard: bool) -> bool:
    if operator == "<":
        return version > OLDEST_GUNICORN
    if operator == "~=":
        version, wildcard = version[:-1], True
    return version >= (OLDEST_GUNICORN[: len(version)] if wildcard else OLDEST_GUNICORN)


def release_id(fingerprint: str, now: str) -> str:
    """Name of a new release: time first, so that names sort by age. ``now`` is like 20261120T131800Z."""
    return f"{now}-{fingerprint[:8]}"


def short(release: str) -> str:
    """The part of a release's name that depends on its content alone."""
    return release.rpartition("-")[2]


def _words(value: Sequence[Any] | None) -> tuple[str, ...]:
    return tuple(str(word) for word in value or ())


def _texts(value: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): str(text) for key, text in sorted((value or {}).items())}
