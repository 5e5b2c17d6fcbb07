# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes an instance of a fleet bring itself to what was published: user data and a life-cycle hook; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("on_host.py")
# What it takes to read the release store, and to make an environment for Ansible.
PACKAGES = ("python3-boto3", "python3-venv")
# The hook's name in the fleet's declaration. Seconds: a sign of life comes thrice in that time, and an instance that
# gives none any more is abandoned.
HOOK: Mapping[str, Any] = {"name": "ready", "transition": "launching", "timeout": 1200, "default": "abandon"}
# Seconds for which an instance waits where nothing was published yet, because its platform is just being built.
WAIT = 3600
BOUNDARY = "==gatehouse=="
UNIT = """\
[Unit]
Description=Bring this instance to what its fleet runs
After=network-online.target
Wants=network-online.target
ConditionPathExists=!/var/lib/gatehouse/launched

[Service]
Type=notify
NotifyAccess=main
ExecStart=/usr/bin/python3 /usr/local/lib/gatehouse/launch.py /etc/gatehouse/launch.json
Environment=HOME=/root LANG=C.UTF-8
RuntimeDirectory=gatehouse-launch
UMask=0077
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
"""


def fleets(
    declared: Sequence[Mapping[str, Any]], platform: str, bucket: str, packages: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The fleets with user data and hook; a hook of that name that a fleet has itself stays as it is.

    ``packages`` are those of the roles: installed at once they take half the time.
    """
    return [_fleet(entry, platform, bucket, sorted({*PACKAGES, *packages})) for entry in declared]


def _fleet(entry: Mapping[str, Any], platform: str, bucket: str, packages: list[str]) -> dict[str, Any]:
    hooks = list(entry.get("hooks") or ())
    own = next((hook for hook in hooks if hook.get("name") == HOOK["name"]), None)
    hook = own or HOOK
    group = f"{platform}-{entry['name']}"
    settings = {
        "bucket": bucket,
        "fleet": str(entry["name"]),
        "group": group,
        "heartbeat": max(10, int(hook.get("timeout", 3600)) // 3),
        "hook": f"{group}-{HOOK['name']}",
        "packages": packages,
        "wait": WAIT,
    }
    return {
        **entry,
        "hooks": hooks if own else [*hooks, dict(HOOK)],
        "user_data": user_data(settings, str(entry.get("user_data") or "")),
    }


def user_data(settings: Mapping[str, Any], own: str = "") -> str:
    """A script that starts the unit and does not wait for it; with a fleet's own user data, as a part of its own."""
    script = _script(settings)
    if not own:
        return script
    kind = "text/cloud-config" if own.startswith("#cloud-config") else "text/x-shellscript"
    parts = "".join(
        f"--{BOUNDARY}\nContent-Type: {kind}; charset=utf-8\n\n{text.rstrip()}\n"
        for kind, text in ((kind, own), ("text/x-shellscript", script))
    )
    return f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"\nMIME-Version: 1.0\n\n{parts}--{BOUNDARY}--\n'


def _script(settings: Mapping[str, Any]) -> str:
    """The unit is ready as soon as it holds its lock: whoever waits for cloud-init can wait for that lock then."""
    files = {
        "/etc/gatehouse/launch.json": json.dumps(dict(settings), indent=2, sort_keys=True) + "\n",
        "/etc/systemd/system/gatehouse-launch.service": UNIT,
        "/usr/local/lib/gatehouse/launch.py": PROGRAM.read_text(encoding="utf-8"),
    }
    directories = "/etc/gatehouse /usr/local/lib/gatehouse /var/lib/gatehouse"
    written = "".join(f"cat > {path} <<'GATEHOUSE'\n{text}GATEHOUSE\n" for path, text in files.items())
    started = "systemctl daemon-reload\nsystemctl enable --quiet gatehouse-launch.service\n"
    return f"#!/bin/sh\nset -eu\nmkdir -p {directories}\n{written}{started}systemctl start gatehouse-launch.service\n"
