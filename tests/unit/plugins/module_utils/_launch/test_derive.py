# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes an instance bring itself to what was published."""

from __future__ import annotations

import email
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.filter.launch import launching_fleets
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.findings import USER_DATA
from ansible_collections.gatehouse.platform.plugins.module_utils._launch import derive

WEB: dict[str, Any] = {"name": "web", "min": 1, "max": 4}


def only(entry: dict[str, Any]) -> dict[str, Any]:
    (found,) = launching_fleets([entry], "shop", "shop-releases")
    return found


def settings(user_data: str) -> dict[str, Any]:
    text = user_data.split("/etc/gatehouse/launch.json <<'GATEHOUSE'\n")[1].split("GATEHOUSE\n")[0]
    return dict(json.loads(text))


def test_a_fleet_gets_a_hook_that_abandons_and_user_data_that_know_it() -> None:
    found = only(WEB)
    assert found["hooks"] == [{"name": "ready", "transition": "launching", "timeout": 1200, "default": "abandon"}]
    assert settings(found["user_data"]) == {
        "bucket": "shop-releases",
        "fleet": "web",
        "group": "shop-web",
        "heartbeat": 400,
        "hook": "shop-web-ready",
        "packages": ["apache2", "logrotate", "python3-boto3", "python3-venv", "ssl-cert"],
        "wait": 3600,
    }
    assert {key: found[key] for key in WEB} == WEB


def test_what_a_fleet_says_itself_stays() -> None:
    drain = {"name": "drain", "transition": "terminating"}
    ready = {"name": "ready", "transition": "launching", "timeout": 900}
    assert only({**WEB, "hooks": [drain]})["hooks"] == [drain, dict(derive.HOOK)]
    found = only({**WEB, "hooks": [ready]})
    assert found["hooks"] == [ready]
    assert settings(found["user_data"])["heartbeat"] == 300


@pytest.mark.parametrize(
    ("own", "kind"),
    [("#cloud-config\npackages: [jq]\n", "text/cloud-config"), ("#!/bin/sh\ntrue\n", "text/x-shellscript")],
)
def test_user_data_of_a_fleet_are_a_part_of_their_own(own: str, kind: str) -> None:
    parts = email.message_from_string(only({**WEB, "user_data": own})["user_data"]).get_payload()
    assert [part.get_content_type() for part in parts] == [kind, "text/x-shellscript"]
    assert parts[0].get_payload() == own.rstrip()
    assert parts[1].get_payload().rstrip() == only(WEB)["user_data"].rstrip()


def test_the_script_writes_whole_files(tmp_path: Path) -> None:
    """In a shell, with the commands that touch the machine left out."""
    script = only(WEB)["user_data"]
    assert len(script.encode()) < USER_DATA * 0.8
    moved = script.replace("/etc/", f"{tmp_path}/etc/").replace("/usr/local/", f"{tmp_path}/usr/local/")
    moved = moved.replace("/var/lib/gatehouse\n", f"{tmp_path}/var {tmp_path}/etc/systemd/system\n", 1)
    done = subprocess.run(
        ["sh"], input=f"systemctl() {{ echo $1; }}\n{moved}", capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["daemon-reload", "enable", "start"]
    program = (tmp_path / "usr/local/lib/gatehouse/launch.py").read_text(encoding="utf-8")
    compile(program, "launch.py", "exec")
    assert program.splitlines()[-1] == "    raise SystemExit(main())"
    assert "GATEHOUSE" not in program
