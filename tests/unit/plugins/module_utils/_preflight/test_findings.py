# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All findings of a run in one message, compared as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._preflight.findings import (
    Host,
    host_findings,
    message,
    request,
    service_findings,
)
from hypothesis import given
from hypothesis import strategies as st

FIT: dict[str, Any] = {"findings": []}
LOST = {
    "unreachable": True,
    "msg": 'Task failed: Data could not be sent to remote host "10.0.0.1". Make sure this host can be reached over '
    "ssh: ssh: connect to host 10.0.0.1 port 22: No route to host\nConnection closed by UNKNOWN port 65535\n",
}


def hosts(gate: dict[str, Any], web: dict[str, Any]) -> list[Host]:
    return [Host("gate", "10.0.0.1", "admin", gate), Host("web", "10.0.1.1", "", web)]


def test_a_lost_bastion_is_told_once_with_all_that_is_behind_it() -> None:
    assert host_findings(hosts(LOST, LOST), ["gate"], "cfg") == [
        "the bastion gate (admin@10.0.0.1) cannot be reached: ssh: connect to host 10.0.0.1 port 22: No route to host; "
        "web behind it cannot be reached either. Check that it runs, that its address is right and that port 22 is "
        "open to this machine; try: ssh -F cfg gate"
    ]


def test_a_lost_host_is_told_with_the_way_to_it() -> None:
    (found,) = host_findings(hosts(FIT, LOST), ["gate"], "cfg")
    assert found.startswith("web (10.0.1.1) cannot be reached through the bastion gate (admin@10.0.0.1): ssh: connect")
    assert "port 22 is open to gate; try: ssh -F cfg web" in found
    (found,) = host_findings(hosts(FIT, LOST), [], "cfg")
    assert "cannot be reached directly: " in found


def test_what_is_wrong_on_a_host_is_told_with_its_name() -> None:
    broken = {"msg": "Missing sudo password"}
    assert host_findings(hosts({"findings": ["no room"]}, broken), ["gate"], "cfg") == [
        "gate: no room",
        "web (10.0.1.1) could not be examined: Missing sudo password",
    ]


def test_findings_about_the_list_come_with_missing_sources_and_unknown_options(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    services = [
        {"name": "a", "port": 5000, "source": {"directory": "there"}, "virtual_host": {"hstz": True}},
        {"name": "b", "port": 5000, "source": {"archive": "gone.zip"}, "host": "b.other.org"},
    ]
    found = "\n".join(service_findings(services, "example.com", [str(tmp_path), "/other/hosts.yml"]))
    assert "a: virtual_host has no option 'hstz'" in found
    assert f"b: the source archive {tmp_path}/gone.zip is not there" in found
    assert "5000" in found
    assert found.count("b.other.org") == 1
    assert "there is not there" not in found


def test_names_and_ports_are_derived_from_the_list() -> None:
    services = [
        {"name": "home", "host": "@", "aliases": ["www"], "port": 5000},
    ]
    assert request(services, "example.com") == {
        "names": ["example.com", "www.example.com"],
        "services": [{"name": "home", "port": 5000}],
    }


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "host", "aliases", "port", "state", "source", "virtual_host", "directory", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(ANYTHING)
def test_no_list_however_wrong_is_an_exception(services: Any) -> None:
    request(services, "example.com")
    assert isinstance(service_findings(services, "example.com", ["/nowhere"]), list)


def test_the_message_counts_and_lists() -> None:
    assert message(["a"]) == "One thing stands in the way; no host was touched:\n- a"
    assert message(["a", "b"]) == "2 things stand in the way; no host was touched:\n- a\n- b"


def test_a_host_is_asked_about_its_own_services_and_names_that_lead_to_it() -> None:
    services = [
        {"name": "shop", "port": 5000, "fleet": "web", "listen": 8000},
        {"name": "docs", "port": 5001, "fleet": "one"},
    ]
    fleets, hosts = [{"name": "web"}], [{"name": "one"}]
    assert request(services, "shop.example", ["web", "fleet_web"], fleets, hosts) == {
        "names": [],
        "services": [{"name": "shop", "port": 5000}],
    }
    assert request(services, "shop.example", ["web"], fleets, hosts) == {
        "names": ["docs.shop.example"],
        "services": [{"name": "docs", "port": 5001}],
    }
