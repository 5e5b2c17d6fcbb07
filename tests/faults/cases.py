# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a serving platform, and where in them a run is killed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.harness import Platform

SERVICES = "Bring the services to their declared state"
VIRTUAL_HOSTS = "Bring Apache's sites, configuration and modules to their declared state"
CERTIFICATES = "Bring certificates to the declared state"
REMOVAL = "Remove the services that left the list"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """A change and the task that makes it.

    ``prepare`` declares the change anew and returns the arguments of the run. ``victim`` and ``middle`` are
    those of the one position that is always tried, ``step`` is the distance of all others; in seconds.
    """

    name: str
    playbook: str
    task: str
    prepare: Callable[[Platform], tuple[str, ...]]
    victim: str
    middle: float
    step: float


def _append(platform: Platform, path: str) -> None:
    file = platform.folder / "applications/orders" / path
    file.write_text(f"{file.read_text(encoding='utf-8')}\n# change {next(_numbers)}\n", encoding="utf-8")


def _entry(variables: dict[str, Any], name: str = "orders") -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in variables["platform_services"] if entry["name"] == name)
    return found


def change_code(platform: Platform) -> tuple[str, ...]:
    """Another line in the service's code."""
    _append(platform, "app.py")
    return ("--extra-vars", "service=orders")


def _change_requirements(platform: Platform) -> tuple[str, ...]:
    _append(platform, "requirements.txt")
    return ("--extra-vars", "service=orders")


def _change_virtual_host(platform: Platform) -> tuple[str, ...]:
    options = {"timeout": 30 + next(_numbers)}
    platform.change(lambda variables: _entry(variables).update(virtual_host=options))
    return ()


def _change_names(platform: Platform) -> tuple[str, ...]:
    """Have the certificate re-issued: an alias more or less."""

    def toggle(variables: dict[str, Any]) -> None:
        entry = _entry(variables)
        entry["aliases"] = [] if entry.get("aliases") else ["shop"]

    platform.change(toggle)
    return ()


def _roll_back(platform: Platform) -> tuple[str, ...]:
    """Deploy a change, and name the release before it."""
    before = platform.on("web1", "readlink /srv/orders/current").strip().rpartition("/")[2]
    platform.succeed("deploy", *change_code(platform))
    return ("--extra-vars", f"service=orders release={before}")


def _remove_service(platform: Platform) -> tuple[str, ...]:
    """Run a fourth service, and take it off the list."""
    source = {"directory": "../../applications/orders"}
    entry = {"name": "returns", "port": 5003, "source": source, "migrate": ["python", "migrate.py"]}
    platform.change(lambda variables: variables["platform_services"].append(entry))
    platform.succeed("web")
    platform.change(lambda variables: variables["platform_services"].pop())
    return ()


CASES = (
    Case("deploy", "deploy", SERVICES, change_code, "host", 1.0, 0.25),
    Case("deploy with new requirements", "deploy", SERVICES, _change_requirements, "host", 3.0, 0.5),
    Case("virtual host", "web", VIRTUAL_HOSTS, _change_virtual_host, "host", 0.6, 0.1),
    Case("certificate", "web", CERTIFICATES, _change_names, "host", 2.0, 0.35),
    Case("rollback", "rollback", SERVICES, _roll_back, "controller", 0.8, 0.25),
    Case("removal", "web", REMOVAL, _remove_service, "host", 0.5, 0.15),
)
