# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``certificates``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates import declare
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError


def certificates(value: Sequence[Mapping[str, Any]], domain: str) -> list[dict[str, Any]]:
    """See the documentation beside this file; raises AnsibleFilterError."""
    try:
        return declare.certificates(value, domain)
    except VirtualHostsError as error:
        raise AnsibleFilterError(f"The certificates cannot be declared: {error}") from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {"certificates": certificates}
