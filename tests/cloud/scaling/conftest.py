# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in an empty account for each test. Not beside tests with a real region: that would share moto's accounts."""

from __future__ import annotations

from functools import cache

import pytest

from lab.cloud import ControlPlane
from lab.region.state import Client
from tests.cloud.scaling.fleet import Fleet


@pytest.fixture(scope="session")
def client(strict_control_plane: ControlPlane) -> Client:
    """Each client once: making one takes longer than most calls."""
    return cache(strict_control_plane.client)


@pytest.fixture
def fleet(cloud: ControlPlane, client: Client) -> Fleet:
    """An empty account with a launch template."""
    return Fleet(cloud, client)
