# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for instances that Auto Scaling launches: what they get at the start, and what is published for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gatehouse.platform.plugins.module_utils._launch import derive
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication import findings
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.fleets import publications

COLLECTION = Path(__file__).resolve().parents[2]
# What an instance applies to itself.
ROLES = ("apache_proxy", "web_service")
Entries = Sequence[Mapping[str, Any]]


def publication_findings(services: Entries, platform: str, fleets: Entries = (), hosts: Entries = ()) -> list[str]:
    """See the documentation beside this file."""
    return list(findings.of_declaration(services, platform, fleets or [], hosts or []))


def launching_fleets(fleets: Entries, platform: str, bucket: str) -> list[dict[str, Any]]:
    """See the documentation beside this file."""
    return derive.fleets(fleets, platform, bucket, [name for role in ROLES for name in _packages(role)])


def _packages(role: str) -> list[str]:
    text = (COLLECTION / "roles" / role / "vars" / "main.yml").read_text(encoding="utf-8")
    return list(yaml.safe_load(text)[f"__{role}_packages"])


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "fleet_publications": publications,
            "launching_fleets": launching_fleets,
            "publication_findings": publication_findings,
        }
