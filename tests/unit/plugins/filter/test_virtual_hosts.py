# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the list of services to virtual hosts."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.gatehouse.platform.plugins.filter.virtual_hosts import FilterModule

virtual_hosts = FilterModule().filters()["virtual_hosts"]


def test_an_entry_becomes_a_virtual_host():
    entry = {
        "name": "orders", "host": "microservice1", "aliases": ["shop", "@"], "port": 5001, "log_name": "ms1",
        "virtual_host": {"hsts": False, "timeout": 5},
    }  # fmt: skip
    assert virtual_hosts([entry], "example.org") == [
        {
            "name": "orders",
            "server_name": "microservice1.example.org",
            "aliases": ["shop.example.org", "example.org"],
            "backends": ["http://127.0.0.1:5001"],
            "log_name": "ms1",
            "certificate": "/etc/letsencrypt/live/example.org/fullchain.pem",
            "certificate_key": "/etc/letsencrypt/live/example.org/privkey.pem",
            "hsts": False,
            "timeout": 5,
        }
    ]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("@", "example.org"),
        ("shop", "shop.example.org"),
        ("a.b.example.org", "a.b.example.org"),
        ("Example.ORG.", "example.org"),
        (None, "orders.example.org"),
    ],
)
def test_a_host_is_the_domain_a_label_or_a_name_below_it(host, name):
    assert virtual_hosts([{"name": "orders", "port": 1, "host": host}], "example.org")[0]["server_name"] == name


def test_a_service_behind_a_load_balancer_has_a_port_of_its_own_under_any_name():
    entry = {"name": "shop", "host": "@", "port": 5000, "listen": 8000}
    made = virtual_hosts([entry, {"name": "api", "port": 5001, "listen": 8001}], "example.org")
    assert [(host["https"], host["port"], host["aliases"]) for host in made] == [
        (False, 8000, ["*"]),
        (False, 8001, ["*"]),
    ]
    with pytest.raises(AnsibleFilterError, match="port 8000 for itself belongs to shop and to api"):
        virtual_hosts([entry, {"name": "api", "port": 5001, "listen": 8000}], "example.org")


def test_behind_a_load_balancer_services_share_names_by_their_paths():
    entries = [
        {"name": "shop", "host": "@", "port": 5000, "listen": 8000},
        {"name": "api", "host": "@", "paths": ["/v1"], "port": 5001, "listen": 8001},
    ]
    assert [host["server_name"] for host in virtual_hosts(entries, "example.org")] == ["example.org", "example.org"]


def test_another_certificate_can_be_named():
    made = virtual_hosts([{"name": "orders", "port": 1}], "example.org", "all")
    assert made[0]["certificate"] == "/etc/letsencrypt/live/all/fullchain.pem"


def test_all_findings_come_at_once():
    services = [
        {"name": "one", "port": 1, "host": "www.other.org"},
        {"name": "two", "port": 2, "host": "under_score", "virtual_host": {"colour": "red"}},
        {"name": "three"},
        {"name": "four", "port": 4, "host": "same"},
        {"name": "five", "port": 5, "aliases": ["same"]},
    ]
    with pytest.raises(AnsibleFilterError) as caught:
        virtual_hosts(services, "example.org")
    message = str(caught.value)
    for finding in (
        "service one: 'www.other.org' is outside the domain example.org",
        "service two: virtual_host has no option 'colour'",
        "service two: 'under_score' is not a host name",
        "service three: 'port' is missing",
        "the name same.example.org belongs to four and to five",
    ):
        assert finding in message
