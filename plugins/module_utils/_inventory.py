# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the inventory lies: what the paths of sources start from."""

from __future__ import annotations

import os
from collections.abc import Iterable


def inventory_directory(sources: Iterable[str]) -> str:
    """The first of ``ansible_inventory_sources`` that is a directory, else the directory of the first one."""
    paths = [str(path) for path in sources]
    directories = [path for path in paths if os.path.isdir(path)]
    return (directories or [os.path.dirname(os.path.abspath(path)) for path in paths] or [os.getcwd()])[0]
