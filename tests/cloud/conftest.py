# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One control plane for all tests, with an empty account for each.

Every test in a file named ``test_strict_*`` runs a second time on plain moto, where it has to fail: what moto does
by itself needs no strictness.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from lab.cloud import ControlPlane
from tests.cloud.store import Store

# How a test notices that moto does something else: it refuses, it does not refuse, or it answers otherwise.
# A mistake of the test itself is none of these.
DIFFERS = (AssertionError, ClientError, pytest.fail.Exception)


@pytest.fixture(scope="session")
def strict_control_plane() -> Iterator[ControlPlane]:
    """The server, for the whole run."""
    with ControlPlane() as cloud:
        yield cloud


@pytest.fixture(scope="session")
def plain_control_plane() -> Iterator[ControlPlane]:
    """moto's own server, for the whole run."""
    with ControlPlane(strict=False) as cloud:
        yield cloud


@pytest.fixture
def cloud(request: pytest.FixtureRequest) -> ControlPlane:
    """The server with an empty account."""
    kind = getattr(request, "param", "strict")
    control_plane: ControlPlane = request.getfixturevalue(f"{kind}_control_plane")
    control_plane.reset()
    return control_plane


@pytest.fixture
def store(cloud: ControlPlane, tmp_path: Path) -> Store:
    """The release store of a platform, with nothing in it."""
    return Store(cloud, tmp_path)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let the tests of strictness fail on plain moto."""
    if metafunc.module.__name__.rpartition(".")[2].startswith("test_strict_"):
        # Strict: one that passes fails the run, because moto does by itself then what is made strict here.
        fails = pytest.mark.xfail(strict=True, raises=DIFFERS, reason="plain moto does otherwise")
        metafunc.parametrize("cloud", ["strict", pytest.param("plain", marks=fails)], indirect=True)
