# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies to this instance what was published for its fleet, and asks for its health as the load balancer will.

Runs on the instance out of the published collection, started by ``on_host.py``, which has put everything in place.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

VENV = "/opt/gatehouse"
COLLECTION = "collections/ansible_collections/gatehouse/platform"
# The oldest that the collection works with: the controller's own may be too new for this host's Python.
OLDEST = "2.19.0"
# Seconds.
PAUSE, HEALTHY = 10, 90


def variables(manifest: Mapping[str, Any], directory: str, packages: Mapping[str, Any]) -> dict[str, Any]:
    """What the playbook is told. ``packages`` are the releases that are Python packages, by service."""
    services = [
        {**entry, "source": packages.get(name) or {"archive": f"{directory}/releases/{name}"}}
        for name, entry in manifest["services"].items()
    ]
    told = manifest["settings"].get("variables") or {}
    return {"services": services, "variables": {**told, "web_service_platform": manifest["platform"]}}


def is_expected(status: int, codes: str) -> bool:
    """Whether a status is one of ``codes``: 200, or 200,302, or 200-299."""
    ranges = [part.partition("-") for part in codes.split(",")]
    return any(int(first) <= status <= int(last or first) for first, _dash, last in ranges)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer, as it is for load balancers."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def status_of(url: str) -> int:
    """0 where nobody answers."""
    try:
        with urllib.request.build_opener(NoRedirects).open(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def wait_until_healthy(checks: list[dict[str, Any]], address: str = "127.0.0.1") -> str:
    """What is wrong after all patience; empty when every check is answered as expected."""
    end = time.monotonic() + HEALTHY
    for check in checks:
        url, codes = f"http://{address}:{check['port']}{check['path']}", str(check["codes"])
        while not is_expected(status := status_of(url), codes):
            if time.monotonic() > end:
                return f"{url} answers with {status or 'nothing'}, and the load balancer wants {codes}"
            time.sleep(1)
    return ""


def install_ansible(newest: str) -> None:
    """In an environment of its own, which uses what Debian has of Python's packages."""
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--system-site-packages", VENV], check=True)
    pip = [f"{VENV}/bin/python", "-m", "pip", "install", "--no-input", "--quiet", "--disable-pip-version-check"]
    for left in reversed(range(3)):
        if subprocess.run([*pip, f"ansible-core>={OLDEST},<={newest}"], check=left == 0).returncode == 0:
            return
        time.sleep(PAUSE)


def play(directory: str) -> None:
    """Let Ansible do to this host what it did to the others."""
    told = {
        "ANSIBLE_COLLECTIONS_PATH": f"{directory}/collections",
        "ANSIBLE_STDOUT_CALLBACK": "gatehouse.platform.story",
    }
    command = [
        f"{VENV}/bin/ansible-playbook",
        "--inventory",
        "localhost,",
        f"{directory}/{COLLECTION}/playbooks/launch.yml",
    ]
    extra = ["--extra-vars", json.dumps({"launch_variables": f"{directory}/variables.json"})]
    subprocess.run([*command, *extra], env={**os.environ, **told}, check=True)


def main(directory: str) -> str:
    """What is wrong, or an empty text."""
    with open(f"{directory}/manifest.json", encoding="utf-8") as file:
        manifest = json.load(file)
    packages = {}
    for name, release in manifest["releases"].items():
        if release["key"].endswith(".json"):
            with open(f"{directory}/releases/{name}", encoding="utf-8") as file:
                packages[name] = json.load(file)
    with open(os.open(f"{directory}/variables.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(variables(manifest, directory, packages), file)
    began = time.monotonic()
    install_ansible(manifest["ansible_core"])
    installed = time.monotonic()
    play(directory)
    applied = time.monotonic()
    wrong = wait_until_healthy(manifest["settings"].get("checks") or [])
    sys.stdout.write(f"install ansible-core: {installed - began:.1f} s; apply the roles: {applied - installed:.1f} s\n")
    return wrong


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1]) or 0)
    except subprocess.CalledProcessError as failure:
        raise SystemExit(f"{failure.cmd[0]} ended with status {failure.returncode}") from failure
