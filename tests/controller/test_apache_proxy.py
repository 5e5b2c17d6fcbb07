# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's variables and templates, rendered by Ansible as the role would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.services import OPTIONS

ROLE = Path(__file__).parents[2] / "roles" / "apache_proxy"
HOST = {
    "name": "orders",
    "server_name": "orders.example.org",
    "backends": ["http://127.0.0.1:5001"],
    "certificate": "/live/chain.pem",
    "certificate_key": "/live/key.pem",
}


def load(path):
    return yaml.safe_load((ROLE / path).read_text())


def rendered(tmp_path, variable, **variables):
    """Value of one of the role's internal variables."""
    tasks = [
        {"ansible.builtin.include_vars": str(ROLE / "vars/main.yml")},
        {
            "ansible.builtin.copy": {
                "dest": str(tmp_path / "out"),
                "mode": "0600",
                "content": "{{ " + variable + " | to_json }}",
            }
        },
    ]
    play = {
        "hosts": "localhost", "gather_facts": False, "connection": "local",
        "vars": {**load("defaults/main.yml"), **variables}, "tasks": tasks,
    }  # fmt: skip
    (tmp_path / "templates").symlink_to(ROLE / "templates")
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(tmp_path / "play.yml")]
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROLE.parents[1])
    return json.loads((tmp_path / "out").read_text())


def options():
    return load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def test_defaults_are_those_of_the_argument_specification():
    assert load("defaults/main.yml") == {name: option["default"] for name, option in options().items()}


def test_the_defaults_of_a_virtual_host_are_those_of_the_argument_specification():
    told = options()["apache_proxy_virtual_hosts"]["options"]
    defaults = {name: option["default"] for name, option in told.items() if not option.get("required")}
    assert load("vars/main.yml")["__apache_proxy_host_defaults"] == defaults


def test_the_filter_knows_the_options_of_a_virtual_host():
    assert set(options()["apache_proxy_virtual_hosts"]["options"]) == OPTIONS


def test_an_https_host_is_a_file_for_each_scheme(tmp_path):
    sites = rendered(tmp_path, "__apache_proxy_sites", apache_proxy_virtual_hosts=[HOST])
    assert [site["name"] for site in sites] == ["000-unknown", "000-unknown-le-ssl", "orders", "orders-le-ssl"]
    redirect, secure = sites[2:]
    assert redirect["interim"].startswith("<VirtualHost *:80>")
    assert 'RewriteRule "^" "https://%{SERVER_NAME}%1" [R=301,NE,L]' in redirect["content"]
    assert secure["requires"] == ["/live/chain.pem", "/live/key.pem"]
    for line in (
        "<VirtualHost *:443>",
        "SSLCertificateFile /live/chain.pem",
        "SSLCertificateKeyFile /live/key.pem",
        "ErrorLog ${APACHE_LOG_DIR}/orders_error.log",
        "CustomLog ${APACHE_LOG_DIR}/orders_access.log combined",
        "ProxyPreserveHost On",
        'ProxyPass "/" "http://127.0.0.1:5001/" nocanon retry=0 '
        "connectiontimeout=5 timeout=60 enablereuse=on ttl=1 upgrade=websocket",
        'ProxyPassReverse "/" "http://127.0.0.1:5001/"',
        'RequestHeader set X-Forwarded-For "expr=%{REMOTE_ADDR}"',
        "ProxyAddHeaders Off",
    ):
        assert f"    {line}\n" in secure["content"] or f"{line}\n" in secure["content"], line
    assert "RemoteIP" not in secure["content"]


def test_a_plain_host_has_its_port_and_no_redirect(tmp_path):
    host = {**HOST, "https": False, "port": 8080, "health_path": "/up"}
    sites = rendered(tmp_path, "__apache_proxy_sites", apache_proxy_virtual_hosts=[host])
    assert [site["name"] for site in sites][2:] == ["orders"]
    assert sites[2]["content"].startswith("<VirtualHost *:8080>")
    assert "Strict-Transport-Security" not in sites[2]["content"]
    assert 'RedirectMatch 200 "^/up$"' in sites[0]["content"]


def test_findings_come_all_at_once(tmp_path):
    hosts = [
        {"name": "one", "server_name": "a b", "backends": ["127.0.0.1:5000"]},
        {"name": "two", "server_name": "x.org", "https": False, "port": 443},
        {"name": "three", "server_name": "X.org", "https": False, "port": 443, "backends": ["http://h"]},
    ]
    findings = rendered(tmp_path, "__apache_proxy_findings", apache_proxy_virtual_hosts=hosts)
    assert [finding.partition(": ")[0] for finding in findings] == ["one", "one", "one", "two", "two", "three", "three"]


@pytest.mark.parametrize(("count", "balanced"), [(1, False), (2, True)])
def test_several_backends_need_the_balancer(tmp_path, count, balanced):
    hosts = [{**HOST, "backends": HOST["backends"] * count}]
    modules = rendered(tmp_path, "__apache_proxy_modules", apache_proxy_virtual_hosts=hosts)
    assert ("proxy_balancer" in modules) == balanced
