# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that a module's work needs.

Asking apt takes about as long as everything else that a role does when there is nothing to do. So a module looks for
its packages itself and says which are missing; the role then installs them and calls it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._commands import run

PACKAGES_OPTION = {"type": "list", "elements": "str", "default": []}


def missing_packages(packages: Sequence[str]) -> list[str]:
    """Those of the packages that are not completely installed, in the order of the input (dpkg-query(1))."""
    if not packages:
        return []
    answer = run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *packages], check=False)
    installed = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def unfinished(missing: Sequence[str]) -> dict[str, Any]:
    """Result of a module that did nothing yet, because its packages have to be installed first."""
    return {"changed": False, "plan": [], "missing_packages": list(missing)}
