# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run publishes what its fleets run: each with the variables of its own hosts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import source

from lab.cloud import ControlPlane
from lab.model import ROOT
from tests.cloud.provisioning.playbook import PLAYBOOK, environment

BUCKET = "shop-releases-123456789012-eu-central-1"
HERE = {"LocationConstraint": "eu-central-1"}
SERVICES: list[dict[str, Any]] = [
    {"name": name, "host": name, "port": 5000, "listen": 8000, "fleet": fleet, "source": {"directory": "app"}}
    for name, fleet in (("orders", "web"), ("report", "batch"))
]


class Platform:
    """Two fleets, and a host of its own that comes first; all of them run what is declared."""

    def __init__(self, cloud: ControlPlane, folder: Path) -> None:
        self.cloud, self.folder, self.s3 = cloud, folder, cloud.client("s3")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
        (folder / "app").mkdir()
        (folder / "app" / "app.py").write_text("app = ''\n", encoding="utf-8")
        self.fingerprint = source.read({"directory": "app"}, str(folder), "").fingerprint

    def host(self, fleet: str, service: str, gunicorn: str) -> dict[str, Any]:
        told = {"state": "present", "release": f"20261128T080000Z-{self.fingerprint[:8]}"}
        return {
            "ec2_tags": {"gatehouse:fleet": fleet} if fleet else {},
            "web_service_result": {"services": {service: {**told, "fingerprint": self.fingerprint}}},
            "web_service_gunicorn": f"gunicorn=={gunicorn}",
        }

    def publish(self, **hosts: Any) -> subprocess.CompletedProcess[str]:
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "platform_name": "shop",
            "platform_domain": "shop.example",
            "platform_region": "eu-central-1",
            "platform_fleets": [{"name": "web"}, {"name": "batch"}],
            "platform_hosts": [{"name": "office"}],
            "platform_services": SERVICES,
            "publish_proxy": True,
        }
        inventory = {"web": {"hosts": hosts, "vars": variables}}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")
        play = {
            "hosts": "web",
            "gather_facts": False,
            "module_defaults": {"group/gatehouse.platform.aws": {"region": "eu-central-1"}},
            "tasks": [
                {"ansible.builtin.fail": {"msg": "Apache does not start"}, "when": "fails | default(false)"},
                {"ansible.builtin.include_tasks": str(ROOT / "playbooks/tasks/publish.yml")},
                {"ansible.builtin.debug": {"msg": "all went on"}},
            ],
        }
        (self.folder / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
        return subprocess.run(
            [str(PLAYBOOK), "--inventory", "hosts.yml", "play.yml"],
            env=environment(self.cloud),
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def published(self, fleet: str) -> dict[str, Any]:
        body = self.s3.get_object(Bucket=BUCKET, Key=f"{fleet}/current.json")["Body"].read()
        return dict(json.loads(body))


@pytest.fixture
def platform(cloud: ControlPlane, tmp_path: Path) -> Platform:
    return Platform(cloud, tmp_path)


def test_each_fleet_is_published_with_the_variables_of_its_own_hosts(platform: Platform) -> None:
    hosts = {
        "office1": platform.host("", "orders", "2"),
        "i-1": platform.host("web", "orders", "3"),
        "i-2": platform.host("batch", "report", "4"),
        "i-3": platform.host("batch", "report", "4"),
    }
    run = platform.publish(**hosts)
    assert run.returncode == 0, run.stdout + run.stderr
    told = {}
    for fleet in ("web", "batch"):
        manifest = platform.published(fleet)
        told[fleet] = (list(manifest["services"]), manifest["settings"]["variables"]["web_service_gunicorn"])
    assert told == {"web": (["orders"], "gunicorn==3"), "batch": (["report"], "gunicorn==4")}
    assert run.stdout.count("changed: [") == 2


def test_a_fleet_whose_hosts_have_all_failed_is_not_published_and_that_is_told(platform: Platform) -> None:
    failed = {**platform.host("batch", "report", "4"), "fails": True}
    run = platform.publish(**{"i-1": platform.host("web", "orders", "3"), "i-2": failed})
    assert run.returncode != 0
    assert "New instances of the fleet batch get what was published before" in run.stdout, run.stdout
    assert "has not brought i-2 to the same state" in run.stdout
    assert list(platform.published("web")["services"]) == ["orders"]
    assert "Contents" not in platform.s3.list_objects_v2(Bucket=BUCKET, Prefix="batch/")


def test_what_cannot_be_published_ends_the_run_for_every_host(platform: Platform) -> None:
    platform.cloud.faults.add("refused", operation="PutObject")
    run = platform.publish(**{"i-1": platform.host("web", "orders", "3"), "i-2": platform.host("batch", "report", "4")})
    assert run.returncode != 0
    assert "not authorized" in run.stdout or "AccessDenied" in run.stdout, run.stdout
    assert "all went on" not in run.stdout
    assert "Contents" not in platform.s3.list_objects_v2(Bucket=BUCKET, Prefix="web/current")
