# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services a host has."""

from __future__ import annotations

from ansible_collections.gatehouse.platform.plugins.module_utils import _places

SHOP, API, DOCS = {"name": "shop", "fleet": "web"}, {"name": "api", "fleet": "back"}, {"name": "docs-x", "fleet": "one"}
SERVICES = [SHOP, API, DOCS]


def test_without_fleets_every_host_has_all() -> None:
    services = [{"name": "a"}, {"name": "b"}]
    assert _places.here(services, ["web"]) == services
    assert _places.here(services, ["web", "service_a"], hosts=[{"name": "web"}]) == services


def test_a_host_of_a_fleet_has_what_runs_on_that_fleet() -> None:
    fleets = [{"name": "web"}, {"name": "back"}]
    assert _places.here(SERVICES, ["web", "fleet_back"], fleets, [{"name": "one"}]) == [API]


def test_a_host_of_no_fleet_has_what_runs_on_none() -> None:
    assert _places.here(SERVICES, ["web"], [{"name": "web"}, {"name": "back"}], [{"name": "one"}]) == [DOCS]


def test_of_several_groups_of_hosts_each_has_its_own() -> None:
    hosts = [{"name": "web"}, {"name": "back"}, {"name": "one"}]
    assert _places.here(SERVICES, ["web", "service_docs_x"], hosts=hosts) == [DOCS]
    assert _places.here(SERVICES, ["web", "service_shop", "service_api"], hosts=hosts) == [SHOP, API]


def test_a_fleet_without_a_name_is_told_elsewhere() -> None:
    assert _places.here([{"name": "a"}], ["web"], [{}]) == [{"name": "a"}]
