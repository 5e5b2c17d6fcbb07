# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the paths of sources start from."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.gatehouse.platform.plugins.module_utils._inventory import inventory_directory


def test_paths_are_relative_to_the_first_directory_among_the_inventories(tmp_path: Path) -> None:
    assert inventory_directory(["/x/hosts.yml", str(tmp_path)]) == str(tmp_path)
    assert inventory_directory(["/x/hosts.yml", "/y/hosts.yml"]) == "/x"
    assert inventory_directory([]) == os.getcwd()
