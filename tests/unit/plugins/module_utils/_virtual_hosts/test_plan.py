# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a tree of Apache's configuration."""

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import (
    Configuration,
    Desired,
    File,
    Link,
    Site,
    Surroundings,
    VirtualHostsError,
    from_params,
    marker,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.plan import plan
from hypothesis import given
from hypothesis import strategies as st

MODULES = {
    "ssl.load": "# Depends: setenvif mime\nLoadModule ssl_module x.so\n",
    "ssl.conf": "SSLRandomSeed startup builtin\n",
    "setenvif.load": "",
    "mime.load": "",
    "mpm_event.load": "# Conflicts: mpm_worker mpm_prefork\n",
    "mpm_prefork.load": "# Conflicts: mpm_event mpm_worker\n",
}
HERE = Surroundings(MODULES)
MINE = marker("apache_proxy")
ORDERS = Site("orders", "x\n")
SECURE = Site("orders-le-ssl", "y\n", ("/live/chain.pem", "/live/key.pem"))


def wanted(*sites, **others) -> Desired:
    return Desired("apache_proxy", sites, **others)


def test_a_new_site_is_written_before_it_is_enabled():
    planned = plan({}, wanted(ORDERS), HERE)
    assert [change.path for change in planned.changes] == ["sites-available/orders.conf", "sites-enabled/orders.conf"]
    assert planned.sentences() == ["orders.conf: new"]


def test_modules_and_configurations_come_before_sites_and_removals_come_last():
    current = {"sites-available/old.conf": File(MINE), "sites-enabled/old.conf": Link("../sites-available/old.conf")}
    desired = wanted(ORDERS, configurations=(Configuration("zz", "z\n"),), modules=("ssl",))
    planned = plan(current, desired, HERE)
    assert planned.sentences() == [
        "enables module mime",
        "enables module setenvif",
        "enables module ssl",
        "zz.conf: new",
        "orders.conf: new",
        "old.conf: removed",
    ]
    assert [change.path for change in planned.changes][-2:] == ["sites-enabled/old.conf", "sites-available/old.conf"]


def test_a_site_waits_for_its_certificate_and_is_enabled_once_it_is_there():
    planned = plan({}, wanted(SECURE), Surroundings(MODULES, frozenset({"/live/key.pem"})))
    tree = planned.after({})
    assert "sites-enabled/orders-le-ssl.conf" not in tree
    assert planned.sentences()[-1] == "orders-le-ssl.conf: waits for /live/chain.pem"
    again = plan(tree, wanted(SECURE), Surroundings(MODULES, frozenset(SECURE.requires)))
    assert again.sentences() == ["orders-le-ssl.conf: enabled"]
    assert again.waiting == ()


def test_a_site_whose_certificate_went_away_is_disabled():
    tree = plan({}, wanted(SECURE), Surroundings(MODULES, frozenset(SECURE.requires))).after({})
    assert plan(tree, wanted(SECURE), HERE).sentences()[0] == "orders-le-ssl.conf: disabled"


def test_the_interim_text_is_enabled_until_then():
    site = Site("orders", "redirect\n", ("/live/key.pem",), "serve\n", True)
    planned = plan({}, wanted(site), HERE)
    tree = planned.after({})
    assert tree["sites-available/orders.conf"] == File(MINE + "serve\n")
    assert "sites-enabled/orders.conf" in tree
    assert [item.site for item in planned.waiting] == ["orders"]
    assert plan(tree, wanted(site), Surroundings(MODULES, frozenset(site.requires))).sentences() == [
        "orders.conf: changed"
    ]


def test_a_site_that_served_before_goes_on_serving_until_its_certificate_exists():
    site = Site("orders", "redirect\n", ("/live/key.pem",), "serve\n")
    there = Surroundings(MODULES, frozenset(site.requires))
    served = plan({}, wanted(Site("orders", "serve, a little differently\n")), HERE).after({})
    planned = plan(served, wanted(site), HERE)
    assert planned.after(served)["sites-available/orders.conf"] == File(MINE + "serve\n")
    assert planned.waiting
    tree = planned.after(served)
    assert not plan(tree, wanted(site), HERE).changed
    assert plan(tree, wanted(site), there).after(tree)["sites-available/orders.conf"] == File(MINE + "redirect\n")


def test_a_new_site_redirects_at_once():
    site = Site("orders", "redirect\n", ("/live/key.pem",), "serve\n")
    planned = plan({}, wanted(site), HERE)
    assert planned.after({})["sites-available/orders.conf"] == File(MINE + "redirect\n")
    assert planned.waiting == ()
    assert not plan(planned.after({}), wanted(site), HERE).changed


def test_the_default_site_is_disabled_and_its_file_stays():
    current = {"sites-available/000-default.conf": File("x"), "sites-enabled/000-default.conf": Link("../a/b.conf")}
    planned = plan(current, wanted(disabled_sites=("000-default", "default-ssl")), HERE)
    assert planned.sentences() == ["000-default.conf: disabled"]
    assert "sites-available/000-default.conf" in planned.after(current)


@pytest.mark.parametrize(
    "current",
    [
        {"sites-available/orders.conf": File("theirs")},
        {"sites-enabled/orders.conf": File("theirs")},
        {"sites-enabled/orders.conf": Link("/srv/theirs.conf")},
        {"sites-available/orders.conf": File(marker("somebody else"))},
    ],
)
def test_what_somebody_else_has_written_is_not_overwritten(current):
    with pytest.raises(VirtualHostsError, match=r"orders\.conf is there already and was not written by apache_proxy"):
        plan(current, wanted(ORDERS), HERE)


def test_a_link_with_an_absolute_target_is_as_good():
    current = {
        "sites-available/orders.conf": File(MINE + "x\n"),
        "sites-enabled/orders.conf": Link("/etc/apache2/sites-available/orders.conf"),
    }
    assert not plan(current, wanted(ORDERS), HERE).changed


def test_another_multi_processing_module_needs_a_restart():
    current = {"mods-enabled/mpm_prefork.load": Link("../mods-available/mpm_prefork.load")}
    planned = plan(current, wanted(modules=("mpm_event",)), HERE)
    assert planned.needs_restart
    assert planned.sentences()[:2] == ["enables module mpm_event", "disables module mpm_prefork"]
    assert not plan({}, wanted(modules=("mpm_event",)), HERE).needs_restart


def test_a_module_that_is_not_installed_is_named():
    with pytest.raises(VirtualHostsError, match="module nothing is not installed"):
        plan({}, wanted(modules=("nothing",)), HERE)


def test_without_apache_every_module_is_believed():
    planned = plan({}, wanted(ORDERS, modules=("ssl",)), Surroundings(None))
    assert planned.sentences() == ["enables module ssl", "orders.conf: new"]


def test_without_purge_nothing_is_removed():
    tree = plan({}, wanted(ORDERS), HERE).after({})
    assert not plan(tree, wanted(purge=False), HERE).changed
    assert plan(tree, wanted(), HERE).sentences() == ["orders.conf: removed"]


def test_what_a_killed_run_left_is_removed():
    current = {"sites-available/.gatehouse-x1": File("half"), "sites-enabled/.gatehouse-orders.conf.7": Link("x")}
    assert plan(current, wanted(), HERE).after(current) == {}


def test_all_findings_about_names_come_at_once():
    params = {
        "owner": "apache_proxy", "configurations": [], "modules": ["a b"], "disabled_sites": [],
        "directories": ["relative"], "purge": True,
        "sites": [
            {"name": name, "content": "", "requires": [], "interim": None, "interim_for_new": False}
            for name in ("../x", "a", "a")
        ],
    }  # fmt: skip
    with pytest.raises(VirtualHostsError) as caught:
        from_params(params)
    assert str(caught.value).count(";") == 3


names = st.sampled_from(["a", "b", "c", "d"])
sites = st.lists(
    st.builds(Site, names, st.text("xy", max_size=2), st.sampled_from([(), ("/there",), ("/missing",)])),
    unique_by=lambda site: site.name,
    max_size=4,
)
around = Surroundings(MODULES, frozenset({"/there"}))


@given(sites, sites)
def test_a_plan_leads_to_the_desired_tree_whatever_was_there(before, after):
    current = plan({}, wanted(*before), around).after({})
    desired = wanted(*after, modules=("ssl",))
    reached = plan(current, desired, around).after(current)
    assert reached == plan({}, desired, around).after({})
    assert not plan(reached, desired, around).changed


@given(sites, sites, st.integers(0, 20))
def test_a_plan_that_was_cut_short_is_finished_by_the_next(before, after, position):
    current = plan({}, wanted(*before), around).after({})
    planned = plan(current, wanted(*after), around)
    cut = type(planned)(planned.changes[:position]).after(current)
    for path, entry in cut.items():
        if path.startswith("sites-enabled/"):
            assert isinstance(entry, Link)
            assert path.replace("enabled", "available") in cut
    assert plan(cut, wanted(*after), around).after(cut) == planned.after(current)


@given(sites)
def test_order_does_not_matter(some):
    assert plan({}, wanted(*some), around).changes == plan({}, wanted(*reversed(some)), around).changes
