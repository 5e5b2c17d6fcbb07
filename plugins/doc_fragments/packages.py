# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation shared by the modules whose work needs packages."""

from __future__ import annotations


class ModuleDocFragment:
    """The option ``packages``."""

    DOCUMENTATION = r"""
options:
  packages:
    description:
      - Packages that the work needs.
      - While one of them is missing nothing is done but to name it in RV(ignore:missing_packages), except in check
        mode, which goes on. Install them and call the module again.
    type: list
    elements: str
    default: []
"""
