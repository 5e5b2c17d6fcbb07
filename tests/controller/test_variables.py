# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every variable of the platform that a playbook reads is documented, and none besides."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"(?<![\w.])platform_[a-z_]+(?![\w(])")
# What plays keep for each other.
SET = re.compile(r"^\s*(?:register: (\w+)|(platform_\w+):)", re.MULTILINE)


def playbooks() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "playbooks").rglob("*.yml")))


def documented() -> set[str]:
    rows = (ROOT / "docs" / "variables.md").read_text(encoding="utf-8").splitlines()
    return {name for row in rows if row.startswith("| `platform_") for name in VARIABLE.findall(row.split("|")[1])}


def test_every_variable_is_documented_and_no_other() -> None:
    text = playbooks()
    own = {name for found in SET.findall(text) for name in found}
    read = set(VARIABLE.findall(text)) - own
    assert {"platform_name", "platform_tags"} <= read
    assert read - documented() == set()
    assert documented() - read == set()
