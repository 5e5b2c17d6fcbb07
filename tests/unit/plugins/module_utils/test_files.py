# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced in one step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils import _files


@pytest.mark.parametrize("text", ["a\nb\n", "a\r\nb", "a\rb", ""])
def test_what_was_written_is_read_back_with_its_line_ends(tmp_path: Path, text: str) -> None:
    path = str(tmp_path / "file")
    _files.write_file(path, text, 0o600, os.getuid(), os.getgid())
    assert _files.read_text(path) == text
    assert Path(path).read_bytes() == text.encode()
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_that_is_not_there_has_no_text(tmp_path: Path) -> None:
    assert _files.read_text(str(tmp_path / "none")) is None


def test_what_interrupted_replacements_left_is_known_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", killed)
    monkeypatch.setattr("os.unlink", lambda _path: None)
    for replace in (_files.write_file, _files.point_link):
        with pytest.raises(KeyboardInterrupt):
            replace(str(tmp_path / "a[1].conf"), "text")
    (tmp_path / ".gatehouse-a1.conf.x").touch()
    left = _files.leftovers(str(tmp_path / "a[1].conf"))
    assert len(left) == 2
    assert all(os.path.basename(path).startswith(".gatehouse-a[1].conf.") for path in left)


def test_a_long_name_can_be_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / ("a" * 255))
    _files.write_file(path, "text")
    _files.point_link(path, "there")
    assert os.readlink(path) == "there"
