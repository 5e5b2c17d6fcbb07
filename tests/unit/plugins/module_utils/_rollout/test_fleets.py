# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose hosts and services are whose."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils import _places
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.fleets import (
    declared,
    fleet_hosts,
    standalone_hosts,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import Fleet, RolloutError

SERVICES: list[dict[str, Any]] = [
    {"name": "shop", "fleet": "web"},
    {"name": "admin", "fleet": "web"},
    {"name": "mail", "fleet": "back-end"},
]
FLEETS: list[dict[str, Any]] = [{"name": "web"}, {"name": "back-end"}]
GROUPS = {"web": ["a", "b", "c", "d"], "fleet_web": ["a", "b"], "fleet_back_end": ["c"]}


def test_hosts_are_found_by_the_groups_of_their_tags() -> None:
    assert fleet_hosts(GROUPS, FLEETS) == ["a", "b", "c"]
    assert standalone_hosts(GROUPS, FLEETS) == ["d"]
    assert standalone_hosts({"all": []}, []) == []
    assert standalone_hosts({"web": ["web1"]}, []) == ["web1"]


def test_a_fleet_has_its_hosts_and_services() -> None:
    web, back = declared(SERVICES, "shop", GROUPS, FLEETS)
    assert (web.group, web.services, web.members) == ("shop-web", ("shop", "admin"), ("a", "b"))
    assert (back.group, back.services, back.members) == ("shop-back-end", ("mail",), ("c",))
    assert Fleet.of(web.told()) == web
    (only,) = declared(SERVICES, "shop", GROUPS, FLEETS, only="admin")
    assert only.services == ("admin",)
    assert declared(SERVICES, "shop", {"web": []}, FLEETS) == []


def test_what_is_wrong_with_the_options_is_one_message() -> None:
    fleets = [
        {"name": "web", "deploy": {"batch": "some", "pause": 3}},
        {"name": "b", "deploy": {"minimum_healthy": "200%", "timeout": "long"}},
    ]
    with pytest.raises(RolloutError) as error:
        declared(SERVICES, "shop", GROUPS, fleets, only="news")
    for text in (
        "web: deploy.batch: 'some' is neither",
        "has no option 'pause'",
        "b: deploy.minimum_healthy: '200%'",
        "timeout: 'long' is no number",
    ):
        assert text in str(error.value)
    assert "there is no service news; the list has shop, admin, mail" in str(error.value)


def test_a_host_runs_the_services_of_its_fleet_and_any_other_one_those_of_no_fleet() -> None:
    services = [*SERVICES, {"name": "wiki"}]

    def here(groups: list[str], fleets: list[dict[str, Any]]) -> list[str]:
        return [service["name"] for service in _places.here(services, groups, fleets, [{"name": "desk"}])]

    assert here(["web", "fleet_web"], FLEETS) == ["shop", "admin", "wiki"]
    assert here(["web", "fleet_back_end"], FLEETS) == ["mail"]
    assert [one["name"] for one in _places.here([{"name": "wiki"}], ["web"])] == ["wiki"]
    assert [one["name"] for one in _places.here(services, ["web"], FLEETS[1:], [{"name": "web"}])] == [
        "shop",
        "admin",
        "wiki",
    ]
