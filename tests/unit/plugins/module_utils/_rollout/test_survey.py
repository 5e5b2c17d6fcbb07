# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts stand, out of what is told of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout import survey
from ansible_collections.gatehouse.platform.plugins.module_utils._rollout.model import Host

OLD, NEW = "20261120T120000Z-aaaaaaaa", "20261120T130000Z-bbbbbbbb"


def group(**states: str) -> dict[str, Any]:
    return {"targets": [{"id": name, "state": state} for name, state in states.items()]}


def runs(release: str, previous: str | None, **others: str) -> dict[str, Any]:
    """What web_services_info tells of a host."""
    releases = {release: "verified", **({previous: "verified"} if previous else {}), **others}
    return {"services": {"shop": {"release": release, "previous": previous, "color": "blue", "releases": releases}}}


def by_name(hosts: list[Host]) -> dict[str, Host]:
    return {host.name: host for host in hosts}


@pytest.mark.parametrize(
    ("groups", "standing"),
    [
        ([], ""),
        ([group(a="healthy")], "healthy"),
        ([group(b="healthy")], "absent"),
        ([group(a="healthy"), group(a="unhealthy")], "unhealthy"),
        ([group(a="initial")], "unhealthy"),
        ([group(a="healthy"), group(a="draining")], "draining"),
    ],
)
def test_a_host_stands_as_in_the_worst_of_its_target_groups(groups: list[dict[str, Any]], standing: str) -> None:
    assert survey.standing("a", groups) == standing


def test_a_deploy_changes_what_the_host_says_that_it_would_change() -> None:
    live = {"release": OLD, "color": "blue"}
    told = {"changed": True, "services": {"shop": {"before": live, "release": NEW}}}
    assert survey.by_declaration("a", told) == Host("a", changes=True, before={"shop": live})
    assert survey.by_declaration("a", {"services": {"shop": {"before": {"release": None}}}}).bare
    assert "port 5000 is taken" in survey.by_declaration("a", {"msg": "port 5000 is taken"}).problem
    assert "leave it out with --limit" in survey.by_declaration("a", {"unreachable": True, "msg": "no route"}).problem


def going_back(told: dict[str, Any], to: str = "previous", **stored: Any) -> dict[str, Host]:
    code = survey.code_of(told, "shop", to)
    return by_name(list(survey.refused(survey.by_release(told, "shop", code, stored), stored)))


def test_all_hosts_go_back_to_the_same_code_whatever_it_is_called_on_them() -> None:
    other = "20261120T120500Z-aaaaaaaa"
    found = going_back({"a": runs(NEW, OLD), "b": runs(NEW, other)})
    assert {host.releases["shop"] for host in found.values()} == {"aaaaaaaa"}
    assert all(host.changes and not host.problem for host in found.values())


def test_a_second_run_after_a_killed_rollback_goes_on_where_that_was() -> None:
    """One host went back already, and has no earlier release than the one that it is at."""
    gone_back = runs(OLD, None, **{NEW: "rolled back"})
    found = going_back({"a": gone_back, "b": runs(NEW, OLD)})
    assert (found["a"].changes, found["b"].changes) == (False, True)
    assert not found["a"].problem + found["a"].lacks


def test_a_second_rollback_does_not_go_to_what_the_first_one_left_on_a_host_that_was_launched_later() -> None:
    """The later one has the release that was fetched under the name of the others, and before its own."""
    oldest, later = "20261120T110000Z-cccccccc", "20261120T140000Z-bbbbbbbb"
    back = runs(OLD, oldest, **{NEW: "rolled back"})
    fetched = runs(OLD, None, **{later: "rolled back"})
    assert survey.code_of({"a": back, "b": fetched}, "shop", "previous") == "cccccccc"
    # Killed when only the later one had gone back.
    assert survey.code_of({"a": runs(NEW, OLD), "b": fetched}, "shop", "previous") == "aaaaaaaa"


def test_a_host_that_has_no_such_release_is_left_out_and_does_not_keep_the_others_from_it() -> None:
    found = going_back({"a": runs(NEW, OLD), "b": runs(NEW, None), "c": {"services": {}}}, OLD)
    assert not found["a"].lacks
    assert found["b"].lacks == f"shop has no good release aaaaaaaa, only {NEW}"
    assert found["c"].lacks == "shop is not on this host"
    assert not any(host.problem for host in found.values())


def test_a_host_that_has_no_such_release_gets_it_from_the_release_store() -> None:
    later = NEW.replace(NEW.partition("-")[0], "99991231T000000Z")
    told = {"a": runs(NEW, OLD), "b": runs(later, None)}
    assert survey.lacking(told, "shop", survey.code_of(told, "shop", "previous"))
    found = going_back(told, source={"archive": "/cache/aaaaaaaa.tar.gz"})
    assert found["a"].sources == {}
    assert (found["b"].changes, found["b"].lacks, found["b"].problem) == (True, "", "")
    assert found["b"].releases == {"shop": OLD}
    alone = going_back({"b": told["b"]}, "aaaaaaaa", source={"archive": "/x"}, release="20261119T080000Z-aaaaaaaa")
    assert alone["b"].releases == {"shop": "20261119T080000Z-aaaaaaaa"}
    assert found["b"].sources == {"shop": {"archive": "/cache/aaaaaaaa.tar.gz"}}
    assert not survey.lacking({"a": runs(NEW, OLD)}, "shop", "aaaaaaaa")


def test_a_store_that_does_not_have_it_or_cannot_be_read_keeps_nobody_else_from_it() -> None:
    told = {"a": runs(NEW, OLD), "b": runs(NEW, None)}
    assert going_back(told, source={}, available=["bbbbbbbb"])["b"].lacks.endswith(f"only {NEW}")
    found = going_back(told, msg="AccessDenied")
    assert found["b"].lacks.endswith("it does not come from the release store: AccessDenied")
    assert not found["a"].lacks + found["a"].problem


def test_a_rollback_that_no_host_can_make_is_refused_on_every_host() -> None:
    alone = going_back({"a": runs(NEW, None), "b": runs(NEW, None)})
    assert {host.problem for host in alone.values()} == {"shop has no earlier good release to go back to"}
    named = going_back({"a": runs(NEW, None)}, source={}, available=["bbbbbbbb", "aaaaaaaa"])
    # Not the one that is to be left.
    assert named["a"].problem.endswith("the release store has aaaaaaaa, of which -e release=CODE takes one")
    missing = going_back({"a": runs(NEW, OLD)}, "cccccccc")
    assert missing["a"].problem == f"shop has no good release cccccccc, only {OLD}, {NEW}"
    lost = going_back({"a": {"unreachable": True, "msg": "gone"}, "b": runs(NEW, OLD)})
    assert "cannot be reached" in lost["a"].problem
