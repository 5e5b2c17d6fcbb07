# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user of the modules sees: ansible-playbook itself against the control plane."""

from __future__ import annotations

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
from tests.cloud.vpcs import Vpc, make, opened

NAME = "gatehouse.platform.security_groups"
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


@pytest.fixture
def vpc(cloud: ControlPlane) -> Vpc:
    return make(cloud)


def play(cloud: ControlPlane, path: Path, *options: str, module: str = NAME, **others: Any) -> dict[str, Any]:
    """The result of one task."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **cloud.environment,
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        **others.pop("environment", {}),
    }
    tasks = [{module: others, "register": "told", "ignore_errors": True}]
    tasks.append({"ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(path / "told.json")}})
    tasks[1]["check_mode"] = False
    found = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    found[0]["vars"] = {"ansible_python_interpreter": sys.executable}
    (path / "play.yml").write_text(yaml.safe_dump(found))
    command = [str(PLAYBOOK), "--inventory", "localhost,", *options, str(path / "play.yml")]
    done = subprocess.run(command, env=environment, cwd=path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads((path / "told.json").read_text())
    return {**told, "shown": done.stdout}


def web(**others: Any) -> dict[str, Any]:
    return {"name": "web", "ingress": [opened(80, "0.0.0.0/0", "web", description="site")], **others}


def test_check_mode_and_the_run_show_the_same_plan_and_diff(vpc: Vpc, tmp_path: Path) -> None:
    groups = [web(egress=[])]
    told = [
        play(vpc.cloud, tmp_path, *options, vpc_id=vpc.id, owner="shop", groups=groups)
        for options in (("--check", "--diff"), ("--diff",), ("--diff",))
    ]
    assert [result["changed"] for result in told] == [True, True, False]
    assert told[0]["plan"] == told[1]["plan"]
    assert told[2]["calls"] == 1
    for result in told[:2]:
        assert "web: opens 80/tcp from web\n" in result["shown"]
        assert "+    80/tcp from 0.0.0.0/0 (site)\n" in result["shown"]
    assert told[1]["groups"]["web"]["id"] == vpc.groups["web"].id
    back = play(vpc.cloud, tmp_path, module=f"{NAME}_info", vpc_id=vpc.id)
    assert play(vpc.cloud, tmp_path, vpc_id=vpc.id, groups=back["groups"])["plan"] == []


def test_everything_wrong_with_the_input_is_in_one_message_with_its_place(vpc: Vpc, tmp_path: Path) -> None:
    groups = [
        {"name": "web", "ingress": [{"prots": 80, "sources": ["10.0.0.0/33", "nobody"]}, {"ports": "http"}]},
        {"name": "default", "colour": "blue"},
    ]
    vpc.cloud.calls.clear()
    told = play(vpc.cloud, tmp_path, vpc_id=vpc.id, groups=groups, state="absent", color="red")
    lines = told["msg"].split("\n")
    for beginning in (
        "color is unknown; known are ",
        "groups[0] web ingress[0]: prots is unknown; known are description, icmp_code, icmp_type, ports, ",
        "groups[0] web ingress[1]: sources is missing",
        "groups[1] default: colour is unknown; known are description, egress, ingress, name, tags",
        "state: absent needs owner",
        "groups[1] default: the group 'default' is the VPC's own",
        "groups[0] web ingress[0]: tcp needs ports",
        "groups[0] web ingress[0].sources[0] '10.0.0.0/33': does not appear to be an IPv4 or IPv6 network",
        "groups[0] web ingress[0].sources[1] 'nobody': names no group of this set",
        "groups[0] web ingress[1]: 'http' is no port",
    ):
        assert [line for line in lines if line.startswith(beginning)], (beginning, lines)
    assert vpc.cloud.calls.total == 0


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "Unable to locate credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect to the endpoint URL"),
    ],
)
def test_without_credentials_or_endpoint_there_is_one_message(
    vpc: Vpc, tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    told = play(vpc.cloud, tmp_path, vpc_id=vpc.id, groups=[web()], environment=environment)
    assert told["msg"].startswith(f"DescribeSecurityGroups: {words}")
    assert "\n" not in told["msg"]


def test_expired_credentials_are_named(vpc: Vpc, tmp_path: Path) -> None:
    vpc.cloud.faults.add("expired", number=None)
    told = play(vpc.cloud, tmp_path, vpc_id=vpc.id, groups=[web()])
    assert told["msg"].startswith("DescribeSecurityGroups: RequestExpired: ")
    assert "Look at the credentials" in told["msg"]


def test_defaults_of_the_group_of_modules_hold(vpc: Vpc, tmp_path: Path) -> None:
    """Without vpc_id in the task, which module_defaults say."""
    tasks = [{NAME: {"groups": [web()]}, "register": "told"}]
    tasks.append({"ansible.builtin.assert": {"that": ["told.calls == 0", "told.plan[0] == 'web: new'"]}})
    found = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    found[0]["module_defaults"] = {"group/gatehouse.platform.aws": {"vpc_id": "", "owner": "shop"}}
    found[0]["vars"] = {"ansible_python_interpreter": sys.executable}
    (tmp_path / "play.yml").write_text(yaml.safe_dump(found))
    command = [str(PLAYBOOK), "--inventory", "localhost,", "--check", str(tmp_path / "play.yml")]
    environment = {**os.environ, **vpc.cloud.environment, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
