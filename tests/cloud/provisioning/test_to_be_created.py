# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode says of resources whose prerequisites are missing."""

from __future__ import annotations

from pathlib import Path

from lab.cloud import ControlPlane
from tests.cloud.provisioning.playbook import run

NAME = "gatehouse.platform.to_be_created"


def test_a_line_for_each_resource_in_check_mode_and_an_error_outside_of_it(cloud: ControlPlane, tmp_path: Path) -> None:
    task = {"name": "Say what is to be created", NAME: {"resources": ["subnet a", "subnet b"]}, "register": "a_result"}
    foreseen = run(cloud, tmp_path, [task], {}, "--check")
    assert (foreseen.changed, foreseen.words) == (1, ["subnet a", "subnet b"])
    assert foreseen.facts["a_result"]["resources"] == foreseen.words
    failed = run(cloud, tmp_path, [task], {}, succeeds=False)
    assert "These should exist by now, and were not found: subnet a; subnet b" in failed.stdout
    assert run(cloud, tmp_path, [{**task, NAME: {"resources": []}}], {}).changed == 0
    assert not cloud.calls.entries
