# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases for the fleet: those that differ, one that is not healthy, and how a run hands the fleet back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness import Run
from tests.system.autoscaled import Autoscaled
from tests.system.conftest import settled

LOCK = "gatehouse:lock"
REPLACING = {"HealthCheck", "ReplaceUnhealthy"}
BROKEN = "\n@app.get('/health', endpoint='broken')\ndef broken():\n    raise RuntimeError('the disk is full')\n"
BROKEN += "app.url_map._rules_by_endpoint\napp.view_functions['health'] = broken\n"


@contextmanager
def kept(system: Autoscaled) -> Iterator[None]:
    """Have Auto Scaling replace nothing that is unhealthy, as somebody else but a deploy may."""
    named = {"AutoScalingGroupName": system.web.group, "ScalingProcesses": sorted(REPLACING)}
    system.client("autoscaling").suspend_processes(**named)
    try:
        yield
        assert system.suspended() == REPLACING, "what others have suspended stays so"
    finally:
        system.client("autoscaling").resume_processes(**named)


@contextmanager
def obstructed(system: Autoscaled, host: str) -> Iterator[None]:
    """Have a file in the way of every release on one host."""
    system.on(host, "mv /srv/shop/releases /srv/shop/kept && touch /srv/shop/releases")
    try:
        yield
    finally:
        system.on(host, "rm -f /srv/shop/releases && mv /srv/shop/kept /srv/shop/releases")


def another_release(system: Autoscaled) -> None:
    """Code that no release had before."""
    system.add_to_code("homepage", f"\n# {uuid.uuid4()}\n")


def handed_back(system: Autoscaled) -> bool:
    """Whether nobody holds the fleet, everything goes on, and all targets are healthy."""
    return settled(system) and LOCK not in system.tags() and not system.suspended()


def told_of_each(system: Autoscaled, run: Run, words: str) -> bool:
    return all(f"{host} {words}" in run.output for host in system.instances())
