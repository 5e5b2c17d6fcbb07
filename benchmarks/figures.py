# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a figure is shown: with what is wanted of it, for a reader to compare."""

from __future__ import annotations


def show(what: str, figure: str, wanted: str) -> None:
    """Print one figure."""
    print(f"{what}: {figure} [wanted: {wanted}]", flush=True)
