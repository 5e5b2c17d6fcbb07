# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the list of services to the certificate of the host that they run on; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._public import over_https
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.services import (
    CERTIFICATES,
    virtual_hosts,
)


def certificates(services: Sequence[Mapping[str, Any]], domain: str) -> list[dict[str, Any]]:
    """One certificate, named as the domain, for all names that virtual hosts answer with it, the domain itself first.

    A service without HTTPS, or with a certificate of its own, adds no name. Raises VirtualHostsError.
    """
    domain = domain.lower().rstrip(".")
    path = f"{CERTIFICATES}/{domain}/fullchain.pem"
    hosts = [host for host in virtual_hosts(services, domain) if over_https(host) and host["certificate"] == path]
    names = list(dict.fromkeys(name for host in hosts for name in (host["server_name"], *host["aliases"])))
    names.sort(key=lambda name: name != domain)
    return [{"name": domain, "names": names}] if names else []
