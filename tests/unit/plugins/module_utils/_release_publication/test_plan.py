# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is put into the release store, out of what a fleet runs and what is there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.describe import lines
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.model import (
    ARCHIVE,
    PACKAGE,
    Content,
    Found,
    PublicationError,
    Running,
    Wish,
    collection_key,
    release_key,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.plan import (
    keys,
    plan,
    read,
    sums,
    superfluous,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES, VERSIONS = ("guide", "orders", "payments"), ("aa", "bb", "cc")
COLLECTION = Content(collection_key("web", "c0ffee"), b"collection")
NOTHING = Found()


def content(name: str, version: str) -> Content:
    return Content(release_key("web", name, version), f"{name} {version}".encode())


def wish(runs: dict[str, str], *, known: bool = True, **more: Any) -> Wish:
    """Two hosts run these versions; the controller has their releases where they are ``known``."""
    contents = [content(name, version) for name, version in runs.items()] if known else []
    told: dict[str, Any] = {
        "services": {name: {"name": name, "source": {"directory": name}} for name in runs},
        "running": {name: tuple(Running(host, "r", one) for host in ("i-1", "i-2")) for name, one in runs.items()},
        "archives": {one.key: one for one in contents},
        "settings": {"variables": {"apache_proxy_http2": True}, "checks": []},
        **more,
    }
    return Wish("shop", "web", "2.19.0", COLLECTION, **told)


def refused(asked: Wish, found: Found = NOTHING) -> str:
    with pytest.raises(PublicationError) as error:
        plan(asked, found)
    return str(error.value)


runs = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VERSIONS), min_size=1)
histories = st.lists(st.tuples(runs, st.booleans()), min_size=1, max_size=5)


def through(history: list[tuple[dict[str, str], bool]]) -> Found:
    """The store after these publications, the first of which is a complete one."""
    found = NOTHING
    for number, (ran, complete) in enumerate(history):
        found = plan(wish(ran, complete=complete or not number), found).after()
    return found


@given(histories)
def test_a_manifest_names_nothing_that_is_not_there(history: list[tuple[dict[str, str], bool]]) -> None:
    found = through(history)
    assert sums(found.manifest).items() <= found.stored.items()


@given(histories, runs)
def test_a_second_time_puts_nothing(history: list[tuple[dict[str, str], bool]], ran: dict[str, str]) -> None:
    asked = wish(ran)
    done = plan(asked, through(history)).after()
    assert not plan(asked, done).changed
    assert plan(asked, done).sentences() == []


@given(histories, runs)
def test_services_that_a_run_was_not_about_stay_as_they_were(
    history: list[tuple[dict[str, str], bool]], ran: dict[str, str]
) -> None:
    before = through(history)
    after = read(plan(wish(ran, complete=False), before).text)
    expected = {**{name: one["fingerprint"] for name, one in read(before.manifest)["releases"].items()}, **ran}
    assert {name: one["fingerprint"] for name, one in after["releases"].items()} == expected
    assert set(after["services"]) == set(expected)


@given(histories, runs)
def test_the_order_of_services_does_not_matter(history: list[tuple[dict[str, str], bool]], ran: dict[str, str]) -> None:
    found = through(history)
    assert plan(wish(ran), found).text == plan(wish(dict(reversed(ran.items()))), found).text


@given(histories, runs)
def test_what_is_looked_for_is_all_that_may_be_named(
    history: list[tuple[dict[str, str], bool]], ran: dict[str, str]
) -> None:
    found = through(history)
    for asked in (wish(ran), wish(ran, complete=False)):
        looked = keys(asked, read(found.manifest))
        seen = replace(found, stored={key: total for key, total in found.stored.items() if key in looked})
        assert plan(asked, seen).text == plan(asked, found).text


@given(histories, st.integers(1, 4))
def test_what_the_old_and_the_new_manifest_name_never_leaves_the_store(
    history: list[tuple[dict[str, str], bool]], keep: int
) -> None:
    before = through(history)
    course = plan(wish({"orders": "cc"}, keep=keep), before)
    gone = superfluous(
        course, [(key, number) for number, key in enumerate([*course.after().stored, "web/current.json"])]
    )
    assert not set(gone) & {*sums(before.manifest), *sums(course.text), "web/current.json"}


def test_a_run_about_one_service_leaves_the_releases_of_others_in_the_store() -> None:
    keys_of = {
        name: [release_key("web", name, f"{number:02}") for number in range(9)] for name in ("orders", "billing")
    }
    listed = [(key, number) for keys in keys_of.values() for number, key in enumerate(keys)]
    before = plan(wish({"orders": "aa", "billing": "bb"}), NOTHING).after()
    assert set(superfluous(plan(wish({"orders": "cc"}, complete=False), before), listed)) == set(keys_of["orders"][:3])


def test_a_first_publication_has_to_tell_everything() -> None:
    assert "run site.yml" in refused(wish({"orders": "aa"}, settings=None))
    there = plan(wish({"orders": "aa"}), NOTHING).after()
    assert read(plan(wish({"orders": "bb"}, settings=None), there).text)["settings"]["variables"]


def test_a_release_that_only_the_store_has_is_published_again() -> None:
    there = through([({"orders": "aa"}, True), ({"orders": "bb"}, True)])
    course = plan(wish({"orders": "aa"}, known=False), there)
    assert course.objects == ()
    assert read(course.text)["releases"]["orders"]["key"] == release_key("web", "orders", "aa")


def test_a_release_that_nobody_has_is_refused_with_the_reason() -> None:
    told = refused(wish({"orders": "aa"}, known=False, unread={"orders": "no such directory"}))
    assert "release aa, which its hosts run, is neither in the release store nor" in told
    assert "(no such directory)" in told


def test_a_spoiled_object_is_put_again_and_one_that_was_packed_elsewhere_stays() -> None:
    asked = wish({"orders": "aa"})
    done = plan(asked, NOTHING).after()
    key = release_key("web", "orders", "aa")
    spoiled = replace(done, stored={**done.stored, key: "0" * 64})
    assert [one.key for one in plan(asked, spoiled).objects] == [key]
    elsewhere = wish({"orders": "aa"}, archives={key: Content(key, b"other bytes of the same tree")})
    assert not plan(elsewhere, done).changed


def test_a_package_is_published_as_its_name_and_version() -> None:
    key = release_key("web", "guide", "aa", PACKAGE)
    course = plan(wish({"guide": "aa"}, archives={key: Content(key, b"{}")}), NOTHING)
    assert read(course.text)["releases"]["guide"]["key"] == key
    back = plan(wish({"guide": "aa"}, known=False), course.after())
    assert read(back.text)["releases"]["guide"]["key"] == key
    assert release_key("web", "guide", "aa").endswith(ARCHIVE)


@pytest.mark.parametrize(
    ("running", "finding"),
    [
        ((), "what runs on no host is not known"),
        ((Running("i-1", "r", ""),), "what runs on i-1 is not known"),
        ((Running("i-1", "one", "aa"), Running("i-2", "two", "bb")), "(i-1 runs one, i-2 runs two)"),
    ],
)
def test_hosts_that_do_not_agree_are_not_published(running: tuple[Running, ...], finding: str) -> None:
    assert finding in refused(wish({"orders": "aa"}, running={"orders": running}))


def test_secrets_are_published_as_references_alone_and_sources_not_at_all() -> None:
    entry = {"name": "orders", "source": {"git": "https://ada:hunter2@git.example/o"}, "secrets": {"KEY": "ssm:/k"}}
    text = plan(wish({"orders": "aa"}, services={"orders": entry}), NOTHING).text
    assert json.loads(text)["services"]["orders"] == {"name": "orders", "secrets": {"KEY": "ssm:/k"}}
    assert "hunter2" not in text
    told = refused(wish({"orders": "aa"}, services={"orders": {**entry, "secrets": {"KEY": "hunter2"}}}))
    assert "service orders: secrets.KEY is the secret itself" in told
    assert "hunter2" not in told


def test_the_order_of_what_roles_are_told_is_kept() -> None:
    headers = {"X-B": "1", "X-A": "2"}
    settings = {"variables": {"apache_proxy_headers": headers}, "checks": []}
    published = read(plan(wish({"orders": "aa"}, settings=settings), NOTHING).text)
    assert list(published["settings"]["variables"]["apache_proxy_headers"]) == ["X-B", "X-A"]


def test_a_diff_has_names_of_variables_and_no_values() -> None:
    entry = {"name": "orders", "port": 5001, "environment": {"COLOR": "green-as-grass"}, "secrets": {"KEY": "ssm:/k"}}
    shown = list(lines(read(plan(wish({"orders": "aa"}, services={"orders": entry}), NOTHING).text)))
    assert {"orders: port 5001", "orders: environment.COLOR", "orders: secrets.KEY", "orders: release aa"} <= set(shown)
    assert "green-as-grass" not in "".join(shown)


def test_a_manifest_of_another_format_is_written_anew() -> None:
    asked = wish({"orders": "aa"})
    assert plan(asked, Found('{"format": 99}')).writes
    assert plan(asked, Found("no json")).writes
