# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One platform for all faults, and which positions of them are gone through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.cloud import ControlPlane
from tests.faults.results import Results
from tests.harness import Platform

RESULTS = pytest.StashKey[Results]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-position", action="store_true", help="every position, not one of each kind of fault")
    parser.addoption("--resume", action="store_true", help="leave out positions that passed with the same code")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = Results(config.getoption("--resume"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    results = config.stash[RESULTS]
    if results.outcomes:
        terminalreporter.section("faults")
        for line in results.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> Results:
    return request.config.stash[RESULTS]


@pytest.fixture(scope="session")
def every_position(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--every-position"))


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """An AWS control plane, for the whole run."""
    with ControlPlane() as cloud:
        yield cloud


@pytest.fixture
def cloud(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with an empty account."""
    control_plane.reset()
    return control_plane


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The system "subdomains" on hosts of its own; the tests see to it what runs there."""
    platform = Platform("faults", tmp_path_factory.mktemp("faults") / "platform")
    platform.declare_afresh()
    platform.up()
    yield platform
    platform.lab("down")


@pytest.fixture
def serving(platform: Platform) -> Platform:
    """The platform as declared in the checkout, and serving."""
    platform.declare_afresh()
    platform.up()
    platform.succeed("web")
    return platform
