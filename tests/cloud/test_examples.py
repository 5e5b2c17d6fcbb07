# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the modules that call AWS, run as they stand."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cloud import ControlPlane
from lab.model import ROOT
from tests.cloud.shop import Shop

MODULES = [
    "account_info",
    "load_balancer_info",
    "public_names",
    "security_groups",
    "security_groups_info",
    "target_registration",
    "target_registration_info",
]


def examples(module: str) -> list[dict[str, Any]]:
    name = f"ansible_collections.gatehouse.platform.plugins.modules.{module}"
    tasks: list[dict[str, Any]] = yaml.safe_load(importlib.import_module(name).EXAMPLES)
    return tasks


def account(cloud: ControlPlane) -> str:
    """What the examples speak of: a VPC with two instances, three target groups, a zone; returns the VPC's id."""
    shop = Shop(cloud)
    cloud.client("route53").create_hosted_zone(Name="shop.example", CallerReference="shop")
    tags = [{"Key": "gatehouse:platform", "Value": "shop"}]
    ids = shop.instances(2, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    settings = {"delay": 1, "HealthCheckIntervalSeconds": 5}
    for name in ("shop-web", "shop-admin"):
        arn = shop.group(name, **settings)
        shop.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": item} for item in ids])
    shop.group("shop-office", kind="ip", **settings)
    shop.settle()
    return str(shop.vpc)


@pytest.mark.parametrize("module", MODULES)
def test_examples_run_as_they_stand(cloud: ControlPlane, tmp_path: Path, module: str) -> None:
    vpc_id = account(cloud)
    play = {"hosts": "localhost", "gather_facts": False, "vars": {"vpc_id": vpc_id}, "tasks": examples(module)}
    path = tmp_path / "examples.json"
    path.write_text(json.dumps([play]), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(path)]
    environment = {**os.environ, **cloud.environment}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"ok={len(play['tasks'])}" in run.stdout
