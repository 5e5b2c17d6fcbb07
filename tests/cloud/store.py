# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release store of a platform in an account, and what is published into it and fetched from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import source

from lab.cloud import ControlPlane
from tests.cloud.provisioning.playbook import Run, run

BUCKET = "shop-releases-123456789012-eu-central-1"
HERE = {"LocationConstraint": "eu-central-1"}
ORDERS = {"name": "orders", "port": 5001, "source": {"directory": "orders"}, "environment": {"COLOR": "green-as-grass"}}
GUIDE = {"name": "guide", "port": 5002, "source": {"package": "guide", "version": "1.0"}}
HOSTS = [{"name": "orders", "server_name": "orders.example", "https": False, "port": 8000}]


class Store:
    """An empty bucket, the source of a service, and runs that publish and fetch."""

    def __init__(self, cloud: ControlPlane, folder: Path) -> None:
        self.cloud, self.folder, self.s3 = cloud, folder, cloud.client("s3")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
        (folder / "orders").mkdir()
        self.write("first")
        cloud.calls.clear()

    def write(self, text: str) -> str:
        """Give the service another source; its fingerprint."""
        (self.folder / "orders" / "app.py").write_text(f"app = '{text}'\n", encoding="utf-8")
        return self.fingerprint(ORDERS)

    def fingerprint(self, service: Mapping[str, Any]) -> str:
        return source.read(service["source"], str(self.folder), "").fingerprint

    def publish(self, *options: str, succeeds: bool = True, **more: Any) -> Run:
        """Publish what is declared as what two hosts run, unless told otherwise."""
        services = more.setdefault("services", [ORDERS])
        if "running" not in more:
            more["running"] = {one["name"]: self.runs(self.fingerprint(one)) for one in services}
        arguments = {"platform": "shop", "fleet": "web", "virtual_hosts": HOSTS, **more}
        where = {"inventory": str(self.folder), "region": "eu-central-1"}
        task = {"name": "Publish", "gatehouse.platform.release_publication": arguments | where}
        variables = {"apache_proxy_trusted_proxies": ["10.0.0.0/24"], "apache_proxy_extra_directives": "{{ '# ' ~ 1 }}"}
        return run(self.cloud, self.folder, [task], variables, *options, succeeds=succeeds)

    @staticmethod
    def runs(fingerprint: str, other: str = "") -> dict[str, dict[str, str]]:
        """What two hosts say."""
        told = {"i-1": fingerprint, "i-2": other or fingerprint}
        return {host: {"release": f"20261128T080000Z-{one[:8]}", "fingerprint": one} for host, one in told.items()}

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads(self.get("web/current.json")))

    @property
    def keys(self) -> set[str]:
        return {one["Key"] for one in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}

    def fetch(self, release: str = "", succeeds: bool = True, **more: Any) -> Run:
        """Fetch a release of a service; ``facts["fetched_result"]`` has what the module returned."""
        arguments = {"platform": "shop", "fleet": "web", "service": "orders", "release": release, **more}
        where = {"directory": str(self.folder / "cache"), "region": "eu-central-1"}
        task = {"gatehouse.platform.published_release": arguments | where, "register": "fetched_result"}
        return run(self.cloud, self.folder, [{"name": "Fetch", **task}], {}, succeeds=succeeds)

    @property
    def puts(self) -> list[str]:
        """Objects that were put through the API by publications, in order."""
        return [call.parameters["Key"] for call in self.cloud.calls.entries if call.operation == "PutObject"]
