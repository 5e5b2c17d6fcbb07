# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order of events: validate, put in place, load; and what a failure leaves."""

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts import apache, tree
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.run import RELOAD, bring_to_state


def params(**values):
    return {
        "owner": "apache_proxy", "sites": [], "configurations": [], "modules": [], "disabled_sites": [],
        "directories": [], "purge": True, **values,
    }  # fmt: skip


def site(name, content):
    return {"name": name, "content": content, "requires": [], "interim": None, "interim_for_new": False}


class Killed(BaseException):
    """The run is killed here."""


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host whose Apache is a script: it notes what it is told, and does as ``events.fails`` says."""

    class Host(list):
        root = tmp_path / "apache2"
        refuses = ""
        load_fails = False
        loaded = 0
        service = apache.Service(active=True, enabled=True)

        def validate(self, copy):
            self.append("validate")
            texts = [entry.content for entry in tree.read(copy).values() if isinstance(entry, tree.File)]
            if self.refuses and any(self.refuses in text for text in texts):
                raise VirtualHostsError("refused")

        def load(self, _restart=False):
            self.append("load")
            if self.load_fails and self.count("load") == 1:
                raise VirtualHostsError("did not load")
            self.loaded = tree.newest_change(str(self.root), [])

    machine = Host()
    for directory in ("mods-available", "mods-enabled", "sites-available", "sites-enabled"):
        (machine.root / directory).mkdir(parents=True)
    monkeypatch.setattr(apache, "ROOT", str(machine.root))
    monkeypatch.setattr(apache, "installed", lambda: True)
    monkeypatch.setattr(apache, "service", lambda: machine.service)
    monkeypatch.setattr(apache, "loaded_at", lambda: machine.loaded)
    monkeypatch.setattr(apache, "validate", machine.validate)
    monkeypatch.setattr(apache, "load", machine.load)
    monkeypatch.setattr(apache, "enable", lambda: machine.append("enable"))
    machine.load()
    machine.clear()
    return machine


def test_it_validates_first_loads_last_and_changes_nothing_the_second_time(host):
    assert bring_to_state(params(sites=[site("a", "x")]), False)["changed"]
    assert host == ["validate", "load"]
    assert (host.root / "sites-enabled" / "a.conf").read_text().endswith("\nx")
    assert bring_to_state(params(sites=[site("a", "x")]), False) == {
        "changed": False, "plan": [], "waiting": [], "diff": [],
    }  # fmt: skip
    assert host == ["validate", "load"]


def test_check_mode_says_the_same_and_writes_nothing(host):
    before = tree.read(str(host.root))
    told = bring_to_state(params(sites=[site("a", "x")]), True)
    assert tree.read(str(host.root)) == before
    assert host == ["validate"]
    assert bring_to_state(params(sites=[site("a", "x")]), False) == told


def test_check_mode_works_where_apache_is_not_installed_yet(host, monkeypatch, tmp_path):
    monkeypatch.setattr(apache, "ROOT", str(tmp_path / "nothing"))
    monkeypatch.setattr(apache, "installed", lambda: False)
    told = bring_to_state(params(sites=[site("a", "x")], modules=["ssl"]), True)
    assert told["plan"] == ["enables module ssl", "a.conf: new"]
    with pytest.raises(VirtualHostsError, match="install the package apache2"):
        bring_to_state(params(sites=[site("a", "x")]), False)
    assert not bring_to_state(params(), False)["changed"]
    assert host == []


def test_an_invalid_set_changes_nothing_and_the_next_valid_one_is_taken(host):
    bring_to_state(params(sites=[site("a", "x")]), False)
    host.refuses = "bad"
    before, times = tree.read(str(host.root)), tree.newest_change(str(host.root), [])
    with pytest.raises(VirtualHostsError, match="refused"):
        bring_to_state(params(sites=[site("a", "bad"), site("b", "y")]), False)
    assert tree.read(str(host.root)) == before
    assert tree.newest_change(str(host.root), []) == times
    assert bring_to_state(params(sites=[site("a", "good")]), False)["plan"] == ["a.conf: changed"]


def test_what_cannot_be_loaded_is_taken_back(host):
    bring_to_state(params(sites=[site("a", "x"), site("b", "y")]), False)
    host.clear()
    host.load_fails = True
    before = tree.read(str(host.root))
    with pytest.raises(VirtualHostsError, match=r"did not load\n.*previous configuration was put back"):
        bring_to_state(params(sites=[site("a", "z"), site("c", "y")]), False)
    assert tree.read(str(host.root)) == before
    assert host == ["validate", "load", "load"]


@pytest.mark.parametrize("position", range(6))
def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(host, monkeypatch, position):
    bring_to_state(params(sites=[site("a", "x"), site("b", "y")]), False)
    apply = tree.apply

    def killed(root, changes):
        changes = list(changes)
        if root == str(host.root):
            apply(root, changes[:position])
            raise Killed
        apply(root, changes)

    monkeypatch.setattr(tree, "apply", killed)
    with pytest.raises(Killed):
        bring_to_state(params(sites=[site("a", "z"), site("c", "y")]), False)
    monkeypatch.setattr(tree, "apply", apply)
    host.clear()
    told = bring_to_state(params(sites=[site("a", "z"), site("c", "y")]), False)
    assert told["changed"]
    assert host == ["validate", "load"]
    assert {path.name for path in (host.root / "sites-enabled").iterdir()} == {"a.conf", "c.conf"}
    if position == 5:
        assert told["plan"] == [RELOAD]


def test_a_lost_reload_is_made_up_for(host):
    bring_to_state(params(sites=[site("a", "x")]), False)
    host.loaded -= 1
    assert bring_to_state(params(sites=[site("a", "x")]), False)["plan"] == [RELOAD]
    assert not bring_to_state(params(sites=[site("a", "x")]), False)["changed"]


def test_an_apache_that_is_down_is_started(host):
    host.service = apache.Service(active=False, enabled=False)
    assert bring_to_state(params(), False)["plan"] == ["starts Apache at boot", "starts Apache"]
    assert host == ["validate", "enable", "load"]


def test_the_copy_leads_nowhere_into_the_real_tree(host):
    available = host.root / "sites-available" / "theirs.conf"
    available.write_text("x")
    (host.root / "sites-enabled" / "theirs.conf").symlink_to(available)
    with tree.copied(str(host.root), []) as copy:
        assert tree.read(copy)["sites-enabled/theirs.conf"].target.startswith(copy)


def test_apaches_words_name_the_real_file_and_the_line(tmp_path):
    (tmp_path / "x.conf").write_text("one\n  Nonsense on\n")
    output = (
        f"AH00558: noise\nAH00526: Syntax error on line 2 of {tmp_path}/x.conf:\nInvalid command\nAction 'x' failed.\n"
    )
    assert apache.explain(output, str(tmp_path)) == (
        "AH00526: Syntax error on line 2 of /etc/apache2/x.conf: Invalid command (the line is: Nonsense on)"
    )
