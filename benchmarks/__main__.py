# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the figures, each as a ratio taken in this one run: ``make bench``, or one part of it by its name."""

from __future__ import annotations

import sys

from benchmarks import account, control_plane, fleet, platform

PARTS = {
    "platform": platform.measure,
    "control_plane": control_plane.measure,
    "account": account.measure,
    "fleet": fleet.measure,
}
ON_DEMAND = {"many_security_groups": control_plane.measure_many}


def main(names: list[str]) -> None:
    """Measure the named parts, or all but those that are only measured on demand."""
    for name in names or PARTS:
        {**PARTS, **ON_DEMAND}[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
