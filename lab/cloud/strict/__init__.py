# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS does and moto does not: one concern per file, put around moto's own operations.

``install(cloud, application, service)`` is all that the server needs. moto itself is not changed: its response
classes are subclassed, and only the applications of one control plane use the subclasses.
"""

from lab.cloud.strict import (
    attributes,
    authorize,
    certificates,
    client_tokens,
    creations,
    default_group,
    deletion,
    describe,
    descriptions,
    interfaces,
    launch_templates,
    launches,
    listeners,
    modify,
    names,
    pagination,
    quota,
    records,
    references,
    registration,
    scaling,
    scaling_hooks,
    scaling_instances,
    scaling_notes,
    scaling_refreshes,
    scaling_target_groups,
    vpc_ranges,
)
from lab.cloud.strict.behavior import install

__all__ = [
    "attributes",
    "authorize",
    "certificates",
    "client_tokens",
    "creations",
    "default_group",
    "deletion",
    "describe",
    "descriptions",
    "install",
    "interfaces",
    "launch_templates",
    "launches",
    "listeners",
    "modify",
    "names",
    "pagination",
    "quota",
    "records",
    "references",
    "registration",
    "scaling",
    "scaling_hooks",
    "scaling_instances",
    "scaling_notes",
    "scaling_refreshes",
    "scaling_target_groups",
    "vpc_ranges",
]
