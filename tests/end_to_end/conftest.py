# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One platform for all tests of this folder, which run in the order in which they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Platform


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the system from bare hosts on; the other files start from a platform that serves."""
    items.sort(key=lambda item: item.path.name != "test_subdomains.py")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The system "subdomains" on bare hosts of its own."""
    folder: Path = tmp_path_factory.mktemp("platform")
    platform = Platform("end-to-end", folder)
    platform.declare_afresh()
    platform.up(bare=True)
    yield platform
    platform.lab("down")
