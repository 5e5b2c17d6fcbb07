# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes that it ran, once more at each run."""

from __future__ import annotations

import os
import pathlib

with pathlib.Path(os.environ["STATE_DIRECTORY"], "migrations").open("a", encoding="utf-8") as file:
    file.write(os.environ["GATEHOUSE_RELEASE"] + "\n")
