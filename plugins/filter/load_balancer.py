# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the platform's load balancer: from the services to the role's input, and from that to its modules'."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer import findings, plan, services
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.services import LoadBalancerError

Services = Sequence[Mapping[str, Any]]
Told = Mapping[str, Any]


def platform_target_groups(value: Services, load_balancer: Told | None = None) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return services.target_groups(value, load_balancer or {})
    except LoadBalancerError as error:
        raise AnsibleFilterError(f"The target groups cannot be derived: {error}") from error


def platform_listeners(value: Services, domain: str, load_balancer: Told | None = None) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return services.listeners(value, domain, load_balancer or {})
    except LoadBalancerError as error:
        raise AnsibleFilterError(f"The listeners cannot be derived: {error}") from error


def platform_certificate(value: Services, domain: str, load_balancer: Told | None = None) -> dict[str, Any]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return services.certificate(value, domain, load_balancer or {})
    except LoadBalancerError as error:
        raise AnsibleFilterError(f"The certificate cannot be derived: {error}") from error


def load_balancer_findings(value: Told, account: Told) -> list[str]:
    """See the documentation beside this file."""
    return findings.findings(value, account)


def load_balancer_plan(
    value: Sequence[Told],
    listeners: Sequence[Told],
    target_groups: Mapping[str, str],
    certificate: str,
    tls_policy: str,
) -> dict[str, Any]:
    """See the documentation beside this file."""
    return plan.plan(value, listeners, target_groups, certificate, tls_policy)


def load_balancer_name(value: str) -> str:
    """See the documentation beside this file."""
    return findings.load_balancer_name(value)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "platform_target_groups": platform_target_groups,
            "platform_listeners": platform_listeners,
            "platform_certificate": platform_certificate,
            "load_balancer_findings": load_balancer_findings,
            "load_balancer_plan": load_balancer_plan,
            "load_balancer_name": load_balancer_name,
        }
