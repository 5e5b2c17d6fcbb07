# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks find over the wire, against real servers."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.api import CaFileError
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.model import Endpoint, Settings
from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.run import run

REDIRECT = "https://{host}{uri}"
HOSTS = ["shop.example", "www.shop.example"]


def check(secure: Any, plain: Any, **changes: Any) -> dict[str, Any]:
    endpoint = {"name": "shop", "host": HOSTS[0], "aliases": HOSTS[1:], "address": "127.0.0.1", "health_path": "/h"}
    endpoint["https"] = True
    settings = {
        "http_port": plain.server_port,
        "https_port": secure.server_port,
        "timeout": 3.0,
        **{key: value for key, value in changes.items() if key not in endpoint},
    }
    endpoint.update({key: value for key, value in changes.items() if key in endpoint})
    return run([Endpoint.from_params(endpoint)], Settings(**settings))


def test_a_platform_that_is_well_has_no_findings(serve: Any, authority: Any) -> None:
    result = check(serve(authority.issue(HOSTS)), serve(None, 301, REDIRECT), ca_file=authority.ca_file)
    assert result["findings"] == []
    (endpoint,) = result["endpoints"]
    assert (endpoint["url"], endpoint["status"]) == ("https://shop.example/h", 200)
    assert endpoint["certificate"]["names"] == [*HOSTS, "127.0.0.1"]
    assert endpoint["certificate"]["days_left"] == 60
    assert endpoint["certificate"]["trusted"] is True
    assert len(endpoint["certificate"]["sha256"]) == 64
    assert 0 <= endpoint["milliseconds"] < 3000


def test_everything_that_is_wrong_comes_at_once(serve: Any, authority: Any) -> None:
    secure = serve(authority.issue(["shop.example"], days=-3), status=503)
    result = check(secure, serve(None, 302, REDIRECT), ca_file=authority.ca_file)
    found = "\n".join(result["findings"])
    assert "http://shop.example/h?from=gatehouse answers 302" in found
    assert "shop.example: the certificate is not trusted by" in found
    assert "certificate has expired" in found
    assert "www.shop.example: the certificate does not cover this name; it is for shop.example" in found
    assert "the certificate ended 20" in found
    assert 'https://www.shop.example/h answers 503 instead of 200: {"status": "ok"}' in found
    assert result["endpoints"][0]["certificate"]["names"] == ["shop.example", "127.0.0.1"]


@pytest.mark.parametrize(
    "location", ["https://shop.example/", "http://{host}{uri}", "https://other.example{uri}", None]
)
def test_the_redirect_has_to_keep_host_and_uri(serve: Any, authority: Any, location: str | None) -> None:
    secure = serve(authority.issue(HOSTS))
    result = check(secure, serve(None, 301, location), ca_file=authority.ca_file, aliases=["www.shop.example"])
    assert any(f.startswith("http://www.shop.example/h?from=gatehouse redirects to") for f in result["findings"])


def test_a_root_that_is_not_trusted_is_told_and_the_certificate_still_shown(serve: Any, authority: Any) -> None:
    result = check(serve(authority.issue(HOSTS)), serve(None, 301, REDIRECT), ca_file=None)
    assert len(result["findings"]) == 2
    assert "not trusted by the system's certificate authorities" in result["findings"][0]
    assert result["endpoints"][0]["certificate"]["trusted"] is False


def test_a_certificate_that_ends_soon_is_a_finding(serve: Any, authority: Any) -> None:
    result = check(serve(authority.issue(HOSTS, days=3)), serve(None, 301, REDIRECT), ca_file=authority.ca_file)
    assert "ends in 3 days" in result["findings"][0]


def test_a_server_without_tls_or_without_an_answer_is_told(serve: Any, authority: Any) -> None:
    plain = serve(None, 301, REDIRECT)
    result = check(plain, plain, ca_file=authority.ca_file, aliases=[])
    assert "does not speak TLS as it should" in result["findings"][0]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        plain.server_port = silent.getsockname()[1]
        result = check(plain, plain, ca_file=authority.ca_file, aliases=[], timeout=0.3)
    assert [finding.rpartition(" does ")[2] for finding in result["findings"]] == ["not answer in time"] * 2


def test_open_ports_are_findings_and_closed_ones_are_not(serve: Any, authority: Any) -> None:
    secure, plain = serve(authority.issue(HOSTS)), serve(None, 301, REDIRECT)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ports = (closed.getsockname()[1], plain.server_port)
        result = check(secure, plain, ca_file=authority.ca_file, closed_ports=ports)
    assert result["findings"] == [
        f"port {plain.server_port} of 127.0.0.1 accepts connections from outside; only the proxy may reach it"
    ]


def test_without_https_there_is_neither_a_redirect_nor_a_certificate(serve: Any) -> None:
    plain = serve()
    result = check(plain, plain, https=False)
    (endpoint,) = result["endpoints"]
    assert (endpoint["url"], endpoint["status"], endpoint["certificate"]) == ("http://shop.example/h", 200, None)
    assert result["findings"] == []
    plain.status = 502
    assert check(plain, plain, https=False)["findings"] == [
        f'http://{host}/h answers 502 instead of 200: {{"status": "ok"}}' for host in HOSTS
    ]


def test_hosts_behind_a_load_balancer_have_their_ports_closed_too(serve: Any) -> None:
    plain = serve()
    result = run([], Settings(closed_ports=(plain.server_port,), closed_addresses=("127.0.0.1",)))
    assert [finding.partition(" accepts ")[0] for finding in result["findings"]] == [
        f"port {plain.server_port} of 127.0.0.1"
    ]


def test_a_name_that_does_not_resolve_is_told(serve: Any, authority: Any) -> None:
    secure, plain = serve(authority.issue(HOSTS)), serve(None, 301, REDIRECT)
    result = check(secure, plain, ca_file=authority.ca_file, address=None, host="nowhere.invalid", aliases=[])
    assert "nowhere.invalid does not resolve" in result["findings"][0]


def test_waiting_ends_as_soon_as_all_is_well(serve: Any, authority: Any) -> None:
    secure, plain = serve(authority.issue(HOSTS), status=503), serve(None, 301, REDIRECT)
    start = time.monotonic()
    assert check(secure, plain, ca_file=authority.ca_file, wait=0.6)["findings"]
    assert time.monotonic() - start >= 0.6
    secure.status = 200
    start = time.monotonic()
    assert not check(secure, plain, ca_file=authority.ca_file, wait=30)["findings"]
    assert time.monotonic() - start < 10


def test_a_missing_ca_file_is_an_error_of_its_own(serve: Any) -> None:
    plain = serve()
    with pytest.raises(CaFileError, match=r"ca_file /nowhere\.pem cannot be read"):
        check(plain, plain, ca_file="/nowhere.pem")
