# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts are reached, with the real ansible-playbook and no AWS that answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBXHtVcHSmqOTcFbcbXKzpKcqXUyo8pUu9GKhV2Kk3Xa"
NOBODY = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


def test_an_instance_without_host_keys_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    variables = {"platform_state_dir": str(tmp_path), "platform_topology": "direct", "platform_region": "eu-central-1"}
    hosts = {
        "i-1": {"ansible_host": "192.0.2.1", "platform_host_keys": [KEY]},
        "i-2": {"ansible_host": "192.0.2.2", "platform_host_keys": []},
    }
    inventory = {"all": {"vars": {**variables, "ansible_user": "admin"}, "children": {"aws_ec2": {"hosts": hosts}}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "--inventory",
            str(tmp_path / "hosts.yml"),
            str(ROOT / "playbooks/connect.yml"),
        ],
        env={**os.environ, **NOBODY, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "i-2: Make sure that the host keys are known (failed)" in done.stdout
    assert "GetConsoleOutput: Could not connect" in done.stdout
    named = [
        line.split()[1]
        for line in (tmp_path / "ssh_config").read_text(encoding="utf-8").splitlines()
        if line[:5] == "Host "
    ]
    assert named[0] == "i-1"
    assert "i-2" not in named
