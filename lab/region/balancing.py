# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancers of a region: each node in the namespace of its network interface."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab.cloud.certificates import private_key
from lab.region import load_balancer
from lab.region.control import RegionControlPlane
from lab.region.deaths import Deaths
from lab.region.haproxy_process import Process
from lab.region.load_balancer import Balancers, WantedNode
from lab.region.place import Place, namespace_file
from lab.region.state import State
from lab.region.state_load_balancer import LoadBalancers


class LoadBalancing:
    """The adapter. What DescribeTargetHealth says comes from here as long as the control plane lives."""

    needed = False

    def __init__(self, place: Place, cloud: RegionControlPlane) -> None:
        self._place = place
        changes = cloud.changes
        self._deaths = Deaths(changes)
        self._balancers = Balancers(folder(place), self._namespace, private_key, changes.add, changes.later)
        cloud.health.measured = self._balancers.health

    def wanted(self, state: State) -> tuple[WantedNode, ...]:
        return load_balancer.wanted(state.part(LoadBalancers))

    def apply(self, wanted: tuple[WantedNode, ...]) -> None:
        try:
            self._balancers.apply(wanted)
        finally:
            for node in wanted:
                if pid := Process(folder(self._place) / node.name).pid():
                    self._deaths.watch(node.name, pid)

    def close(self) -> None:
        """The nodes go on, and what was found last is what is said."""
        self._deaths.close()
        self._balancers.close()

    def _namespace(self, node: WantedNode) -> Path | None:
        path = namespace_file(self._place.namespace_of(node.node.interface))
        return path if os.path.ismount(path) else None


def remove_all(place: Place) -> None:
    """Every node, whoever started it."""
    if folder(place).is_dir():
        for found in folder(place).iterdir():
            Process(found).stop()
        shutil.rmtree(folder(place))


def folder(place: Place) -> Path:
    """Short, as the paths of sockets have to be."""
    return place.directory / "nodes"
