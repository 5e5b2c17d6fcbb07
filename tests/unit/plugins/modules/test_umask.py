# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that make directories for others to read do so on hosts with a strict umask, too."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator

import pytest


class StartedError(Exception):
    """The module has come as far as reading its arguments."""


@pytest.fixture
def strict() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("name", ["bastion", "certificates", "virtual_hosts", "web_services"])
def test_directories_are_readable_under_a_strict_umask(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"ansible_collections.gatehouse.platform.plugins.modules.{name}")

    def started(*_arguments: object, **_options: object) -> None:
        raise StartedError

    monkeypatch.setattr(module, "AnsibleModule", started)
    with pytest.raises(StartedError):
        module.main()
    assert os.umask(0o077) == 0o022
