# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout back to an earlier release: where each fleet goes, and what its hosts are brought to; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._rollout import survey
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import Fleet, Host

Told = Mapping[str, Any]


def destinations(
    fleets: Sequence[Fleet], surveys: Mapping[str, Told], release: str, former: Told
) -> list[dict[str, Any]]:
    """Where the fleets go in a rollback to ``release``: the code, by fleet, and whether a host is without it.

    Hosts that a later round is about go where those of the ``former`` one went.
    """
    found = []
    for fleet in fleets:
        service, mine = fleet.services[0], asked(fleet, surveys)
        code = (former.get("codes") or {}).get(fleet.name) or survey.code_of(mine, service, release)
        lacks = survey.lacking(mine, service, code)
        found.append({"fleet": fleet.name, "service": service, "code": code, "lacking": lacks})
    return found


def asked(fleet: Fleet, surveys: Mapping[str, Told]) -> dict[str, Told]:
    """The surveys of a fleet's hosts."""
    return {name: surveys[name] for name in fleet.members if name in surveys}


def hosts(surveys: Mapping[str, Told], destination: Told, stored: Told, later: bool) -> Sequence[Host]:
    """The hosts of a fleet that goes to one of the ``destinations``; in a ``later`` round none keeps others from it."""
    found = survey.by_release(surveys, destination["service"], destination["code"], stored)
    return found if later else survey.refused(found, stored)


def services_of(services: Sequence[Told], step: Told) -> list[dict[str, Any]]:
    """The services as a host has to be brought to them: at the step's releases, where it has some."""
    releases, sources = step["releases"], step["sources"]
    if not releases:
        return [dict(service) for service in services]
    going = {service["name"]: {**service, "release": releases.get(service["name"])} for service in services}
    fetched = {name: {**going[name], "release_source": source} for name, source in sources.items() if name in going}
    return [entry for name, entry in {**going, **fetched}.items() if name in releases]
