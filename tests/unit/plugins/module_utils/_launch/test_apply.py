# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance applies, and what counts as healthy."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._launch import apply


@pytest.mark.parametrize(
    ("status", "codes", "expected"),
    [
        (200, "200", True),
        (302, "200,302", True),
        (250, "200-299", True),
        (302, "200-299", False),
        (404, "200,301-399", False),
        (0, "200-499", False),
    ],
)
def test_statuses_are_those_of_the_load_balancer(status: int, codes: str, expected: bool) -> None:
    assert apply.is_expected(status, codes) is expected


def test_services_get_their_archives_and_packages() -> None:
    manifest = {
        "platform": "shop",
        "services": {"orders": {"name": "orders", "secrets": {"KEY": "ssm:/k"}}, "guide": {"name": "guide"}},
        "settings": {"variables": {"apache_proxy_http2": False}},
    }
    package = {"package": "guide", "version": "1.0"}
    assert apply.variables(manifest, "/data", {"guide": package}) == {
        "services": [
            {"name": "orders", "secrets": {"KEY": "ssm:/k"}, "source": {"archive": "/data/releases/orders"}},
            {"name": "guide", "source": package},
        ],
        "variables": {"apache_proxy_http2": False, "web_service_platform": "shop"},
    }


@pytest.fixture
def server() -> Iterator[int]:
    """Answers /well with 200, /moved by leading there, and all else with 503; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response({"/well": 200, "/moved": 302}.get(self.path, 503))
            self.send_header("Location", "/well")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made.server_port
        made.shutdown()


def test_every_check_has_to_be_answered(server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "HEALTHY", 0.1)
    well = {"port": server, "path": "/well", "codes": "200"}
    assert apply.wait_until_healthy([well]) == ""
    told = apply.wait_until_healthy([well, {**well, "path": "/ill"}])
    assert told == f"http://127.0.0.1:{server}/ill answers with 503, and the load balancer wants 200"
    assert apply.wait_until_healthy([{**well, "path": "/moved", "codes": "302"}]) == ""
    assert "/moved answers with 302" in apply.wait_until_healthy([{**well, "path": "/moved"}])
    assert "answers with nothing" in apply.wait_until_healthy([{**well, "port": 9}])
