# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system "autoscaled", built once from an empty account; every test finds it serving and leaves it so.

While tests are written, ``--keep-system`` leaves it up for the next run: ``python -m lab.region down --name system``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lab.machine import require
from lab.region.place import abandoned
from lab.region.region import leave
from tests.region.account import eventually
from tests.system.autoscaled import Autoscaled


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep-system", action="store_true", help="use the system that is up, and leave it up")
    parser.addoption("--every-position", action="store_true", help="all tests, those of further faults included")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "further: a fault of a kind that others have; --every-position runs it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--every-position"):
        further = [item for item in items if item.get_closest_marker("further")]
        items[:] = [item for item in items if item not in further]
        config.hook.pytest_deselected(items=further)


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Autoscaled]:
    """The system as declared in the checkout, on a region of its own."""
    require()
    keep = request.config.getoption("--keep-system")
    for name in abandoned("system-"):
        leave(name)
    name = "system" if keep else f"system-{os.getpid()}"
    made = Autoscaled(name, tmp_path_factory.mktemp("system") / "platform")
    try:
        made.declare_afresh()
        made.up()
        made.succeed("site")
        yield made
    finally:
        if not keep:
            made.down()


@pytest.fixture
def serving(system: Autoscaled) -> Autoscaled:
    """The system with the checkout's declaration, every target healthy and nobody at work on the fleet."""
    system.declare_afresh()
    if system.tags().get("gatehouse:lock") or not settled(system):
        system.succeed("site")
    assert eventually(lambda: settled(system), 120, 1), (system.fleet(), system.targets())
    return system


def settled(system: Autoscaled) -> bool:
    """Whether the fleet has as many instances as it should, and all of them are healthy targets."""
    return system.web.settled()
