# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declaration means for those who ask from outside, said once for all who derive something of it; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEALTH_PATH, HEALTH_STATUS = "/health", 200


def health(service: Mapping[str, Any]) -> tuple[str, int]:
    """Path and status of a service's health; a declaration that is none of a mapping counts as none."""
    told = service.get("health")
    told = told if isinstance(told, Mapping) else {}
    return str(told.get("path") or HEALTH_PATH), int(told.get("status") or HEALTH_STATUS)


def https(load_balancer: Mapping[str, Any]) -> bool:
    """Whether visitors come to a load balancer by HTTPS: as told, else when there is a certificate."""
    told = load_balancer.get("https")
    return bool(load_balancer.get("certificate") if told is None else told)


def over_https(virtual_host: Mapping[str, Any]) -> bool:
    """Whether Apache serves a virtual host over HTTPS: unless it says otherwise."""
    return bool(virtual_host.get("https", True))
