# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is wrong with a platform's declaration as far as it can be known without the account; pure.

Each part is derived as its role will have it, so that nothing is made before the last of them can be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer import services as balancing
from ansible_collections.gatehouse.platform.plugins.module_utils._names import PublicNameError
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security import declaration, groups
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_security import findings as security
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.derive import records
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.services import virtual_hosts

Told = Mapping[str, Any]
ERRORS = (declaration.PlatformSecurityError, balancing.LoadBalancerError, VirtualHostsError, PublicNameError)
# What separates the findings in the message of an error.
SEPARATOR = "; "


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
) -> list[str]:
    """Sentences, each once."""

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

    return list(dict.fromkeys(found for part in (of_security, of_load_balancer, of_names) for found in _told(part)))


def _told(part: Callable[[], list[str]]) -> list[str]:
    try:
        return part()
    except ERRORS as error:
        return str(error).split(SEPARATOR)
