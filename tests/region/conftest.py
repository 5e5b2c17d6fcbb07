# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One region for all tests, with an empty account for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.machine import require
from lab.region.hosts import containers
from lab.region.place import abandoned
from lab.region.region import Region, leave
from tests.region.account import Account, eventually


@pytest.fixture(scope="session")
def region() -> Iterator[Region]:
    """The region, for the whole run. What it says is shown with a test that fails."""
    require()
    for name in abandoned("tests-"):
        leave(name)
    name = f"tests-{os.getpid()}"
    try:
        with Region(name) as found:
            yield found
    finally:
        leave(name)


@pytest.fixture
def account(region: Region, tmp_path: Path) -> Iterator[Account]:
    """An empty account, in which nothing runs."""
    region.cloud.reset()
    yield Account(region, tmp_path)
    region.cloud.reset()
    assert eventually(lambda: not containers(region.place), 60)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a control plane of their own come first: two at a time in a process would share their accounts."""
    items.sort(key=lambda item: "region" in getattr(item, "fixturenames", ()))
