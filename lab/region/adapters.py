# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which adapters a region has, in the order in which they apply: a network before its firewall, both before hosts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lab.region import (
    balancing,
    certificates,
    read_load_balancer,
    resolvers,
    state_names,
    state_scaling,
    state_security_groups,
)
from lab.region.authority import ACM, Authority
from lab.region.balancing import LoadBalancing
from lab.region.certificates import Certificates
from lab.region.control import RegionControlPlane
from lab.region.firewall import Firewalls
from lab.region.hosts import Hosts
from lab.region.metadata import Metadata
from lab.region.network import Network
from lab.region.place import Place
from lab.region.reconciler import Adapter
from lab.region.resolvers import Resolvers
from lab.region.scaling import AutoScaling
from lab.region.state import Client

# What the adapters read beside lab.region.state, found by ``State.part(Class)``.
READERS: tuple[Callable[[Client], object], ...] = (
    state_security_groups.read,
    read_load_balancer.read,
    state_scaling.read,
    state_names.read,
    certificates.read,
)
# What is left on the machine by adapters of a process that was killed, beside containers and namespaces.
LEFTOVERS: tuple[Callable[[Place], None], ...] = (balancing.remove_all, resolvers.remove_all)


def of(place: Place, cloud: RegionControlPlane, log: Callable[[str], None]) -> Sequence[Adapter]:
    """New adapters for a region."""
    return (
        Network(place),
        Firewalls(place),
        Metadata(place, cloud.reader),
        Resolvers(place, cloud.changes),
        Hosts(place, cloud.instances, cloud.changes, log),
        Certificates(Authority(place.directory / ACM), cloud.changes.add),
        LoadBalancing(place, cloud),
        AutoScaling(cloud.scaling, cloud.reader, cloud.changes.add, cloud.changes.later, cloud.exclusively),
    )
