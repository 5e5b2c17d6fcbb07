# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fleets a run may publish."""

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.filter.launch import publication_findings
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.fleets import publications

SERVICES = [{"name": "orders"}, {"name": "report", "fleet": "batch"}]
FLEETS = [{"name": "web"}, {"name": "batch"}]


def host(fleet: str, **result: Any) -> dict[str, Any]:
    return {"ec2_tags": {"gatehouse:fleet": fleet}, "web_service_result": result}


def runs(fingerprint: str) -> dict[str, Any]:
    return {"orders": {"state": "present", "release": f"r-{fingerprint}", "fingerprint": fingerprint, "color": "blue"}}


def test_what_every_host_of_a_fleet_runs_is_told() -> None:
    hosts = {"i-1": host("web", services=runs("aa")), "i-2": host("web", services=runs("aa")), "web1": {}}
    (found,) = publications(FLEETS, hosts, list(hosts), SERVICES)
    told = {"release": "r-aa", "fingerprint": "aa"}
    assert found == {
        "fleet": "web",
        "services": [{"name": "orders"}],
        "hosts": ["i-1", "i-2"],
        "running": {"orders": {"i-1": told, "i-2": told}},
        "lacking": [],
    }


def test_what_a_host_said_counts_where_nothing_was_deployed_to_it() -> None:
    asked = {"ec2_tags": {"gatehouse:fleet": "web"}, "publish_running": {"services": runs("aa")}}
    skipped = {**asked, "web_service_result": {"skipped": True}}
    hosts = {"i-1": host("web", services=runs("aa")), "i-2": asked, "i-3": skipped}
    (found,) = publications(FLEETS, hosts, list(hosts), SERVICES)
    assert found["lacking"] == []
    assert set(found["running"]["orders"]) == {"i-1", "i-2", "i-3"}


def test_a_service_that_a_host_does_not_run_is_told_of_that_host_as_well() -> None:
    hosts = {"i-1": host("web", services=runs("aa")), "i-2": host("web", services={"other": runs("bb")["orders"]})}
    (found,) = publications(FLEETS, hosts, list(hosts), SERVICES)
    assert found["running"]["orders"]["i-2"] == {"release": "", "fingerprint": ""}


def test_hosts_that_were_left_alone_do_not_count_unless_there_are_no_others() -> None:
    hosts = {"i-1": host("web", services=runs("aa")), "i-2": host("web", services=runs("bb"))}
    (found,) = publications(FLEETS, hosts, list(hosts), SERVICES, without=["i-2"])
    assert (found["hosts"], set(found["running"]["orders"]), found["lacking"]) == (["i-1"], {"i-1"}, [])
    (found,) = publications(FLEETS, hosts, list(hosts), SERVICES, without=["i-1", "i-2"])
    assert (found["running"], found["lacking"]) == ({}, ["i-1", "i-2"])


def test_a_run_about_one_service_publishes_the_fleets_that_run_it() -> None:
    hosts = {"i-1": host("web", services=runs("aa")), "i-2": host("batch", services=runs("aa"))}
    found = publications(FLEETS, hosts, list(hosts), SERVICES, only="report")
    assert [one["fleet"] for one in found] == ["batch"]


def test_hosts_that_a_run_did_not_bring_so_far_are_named() -> None:
    hosts = {
        "i-1": host("web", services=runs("aa")),
        "i-2": host("web", failed=True, msg="unhealthy"),
        "i-3": {"ec2_tags": {"gatehouse:fleet": "web"}},
    }
    (found,) = publications(FLEETS, hosts, list(hosts), SERVICES)
    assert found["lacking"] == ["i-2", "i-3"]


def test_a_service_that_was_removed_is_not_published() -> None:
    hosts = {"i-1": host("batch", services={**runs("aa"), "old": {"state": "absent"}})}
    (found,) = publications(FLEETS, hosts, ["i-1"], SERVICES)
    assert set(found["running"]) == {"orders"}


def test_secrets_of_services_on_fleets_are_found_before_anything_is_done() -> None:
    services = [
        {"name": "shop", "fleet": "web", "secrets": {"TOKEN": "hunter2"}},
        {"name": "intern", "fleet": "office", "secrets": {"TOKEN": "hunter2"}},
        {"name": "batch", "fleet": "batch", "secrets": {"TOKEN": "secretsmanager:autoscaled/batch"}},
    ]
    (finding,) = publication_findings(services, "autoscaled", FLEETS, [{"name": "office"}])
    assert finding.startswith("service shop: secrets.TOKEN is the secret itself")
    assert "ssm:/autoscaled/shop/TOKEN" in finding
