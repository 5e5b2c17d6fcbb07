# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What killed runs leave in the directory for temporary files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts import tree


def test_a_killed_run_s_directory_is_removed_and_one_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"{tree.WORKSPACE}left"
    (left / "apache2").mkdir(parents=True)
    foreign = tmp_path / f"{tree.WORKSPACE}link"
    foreign.symlink_to(tmp_path)
    with tree.workspace() as directory:
        tree.sweep()
        assert os.path.isdir(directory)
        assert not left.exists()
        assert foreign.is_symlink()
    assert not os.path.exists(directory)
