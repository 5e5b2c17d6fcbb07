# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts are reached, with the real ansible-playbook and no AWS that answers."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBXHtVcHSmqOTcFbcbXKzpKcqXUyo8pUu9GKhV2Kk3Xa"
NOBODY = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


def connect(
    folder: Path, more: Mapping[str, object] | None = None, **hosts: list[str] | None
) -> subprocess.CompletedProcess[str]:
    """A run of connect.yml for instances with these keys; None where the inventory does not speak of them."""
    variables = {
        **(more or {}),
        "platform_state_dir": str(folder),
        "platform_topology": "direct",
        "platform_region": "eu-central-1",
    }
    told = {
        name: {"ansible_host": f"192.0.2.{number}", **({} if keys is None else {"platform_host_keys": keys})}
        for number, (name, keys) in enumerate(hosts.items(), 1)
    }
    inventory = {"all": {"vars": {**variables, "ansible_user": "admin"}, "children": {"aws_ec2": {"hosts": told}}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    return subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "--inventory",
            str(folder / "hosts.yml"),
            str(ROOT / "playbooks/connect.yml"),
        ],
        env={**os.environ, **NOBODY, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("keys", [[], None])
def test_an_instance_without_host_keys_keeps_nobody_from_the_others(tmp_path: Path, keys: list[str] | None) -> None:
    done = connect(tmp_path, one=[KEY], two=keys)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "two: Make sure that the host keys are known (failed)" in done.stdout
    assert "GetConsoleOutput: Could not connect" in done.stdout
    lines = (tmp_path / "ssh_config").read_text(encoding="utf-8").splitlines()
    named = [line.split()[1] for line in lines if line.startswith("Host ")]
    assert named[0] == "one"
    assert "two" not in named


def test_where_no_host_keys_can_be_read_the_run_ends_with_the_reason(tmp_path: Path) -> None:
    done = connect(tmp_path, one=[], two=[])
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Read the host keys of new instances from their consoles (failed)" in done.stdout
    assert "GetConsoleOutput: Could not connect" in done.stdout
    assert not (tmp_path / "ssh_config").exists()


def test_a_new_instance_that_does_not_answer_is_told_with_what_to_look_at(tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    done = connect(tmp_path, {"ec2_launch_time": now, "platform_connection_timeout": 1}, one=[KEY], two=None)
    assert "one does not answer over SSH after 1 seconds (platform_connection_timeout)" in done.stdout
    assert "look at its console output, at the bastion, and at who may reach port 22; timed out waiting" in done.stdout
    old = connect(tmp_path, {"ec2_launch_time": "2026-01-01T00:00:00+00:00"}, one=[KEY], two=None)
    assert "does not answer" not in old.stdout
