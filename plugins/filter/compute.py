# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the role compute, and the one from the declaration to its variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._compute import derive, findings, removal, standing
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.plan import plan

Entry = Mapping[str, Any]


def platform_compute(
    services: Sequence[Entry],
    platform: str,
    topology: str = "bastion",
    fleets: Sequence[Entry] = (),
    hosts: Sequence[Entry] = (),
    bastion: Entry | None = None,
    network: Entry | None = None,
    security: Entry | None = None,
    identity: Entry | None = None,
    load_balancer: Entry | None = None,
) -> dict[str, Any]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    made = {"network": network, "security": security, "identity": identity, "load_balancer": load_balancer}
    try:
        return derive.machines(services, platform, topology, fleets, hosts, bastion or {}, made)
    except derive.ComputeError as error:
        raise AnsibleFilterError(f"The machines cannot be derived: {error}") from error


class FilterModule:
    """What the platform's services run on."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "platform_compute": platform_compute,
            "compute_findings": findings.findings,
            "compute_images": findings.images,
            "compute_plan": plan,
            "compute_removal": removal.everything,
            "compute_result": standing.result,
            "fleet_standing": standing.standing,
            "refresh_going_on": standing.refresh_going_on,
            "refresh_words": standing.refresh_words,
        }
