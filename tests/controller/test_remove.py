# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What remove.yml refuses before it reaches any host, with the real ansible-playbook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SHOP = {"name": "shop", "host": "@", "port": 5000, "listen": 8000, "fleet": "web", "source": {"directory": "shop"}}
ORDERS = {"name": "orders", "host": "orders", "port": 5001, "source": {"directory": "orders"}}
VARIABLES = {"platform_name": "store", "platform_domain": "shop.example", "platform_state_dir": "state"}


def remove(folder: Path, *options: str) -> str:
    """Output of a run that fails, for a fleet of one host and a host of its own."""
    fleets = [{"name": "web", "min": 1, "max": 2}]
    variables = {**VARIABLES, "platform_fleets": fleets, "platform_services": [SHOP, ORDERS]}
    groups = {"web": ["i-1", "single"], "fleet_web": ["i-1"]}
    children = {name: {"hosts": {host: {} for host in hosts}} for name, hosts in groups.items()}
    path = folder / "hosts.yml"
    path.write_text(yaml.safe_dump({"all": {"vars": variables, "children": children}}), encoding="utf-8")
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "--inventory",
            str(path),
            str(ROOT / "playbooks/remove.yml"),
            *options,
        ],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert not (folder / "state").exists()
    return done.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "Name the service, with -e service=NAME."),
        (
            ["-e", "service=shop"],
            "shop runs on the fleet web: take its entry out of platform_services and run site.yml",
        ),
    ],
)
def test_it_says_what_to_do_instead(tmp_path: Path, options: list[str], told: str) -> None:
    assert told in remove(tmp_path, *options)
