# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: what it leaves on the machine, what it survives, and that two of them keep apart."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.machine import SYSCTLS
from lab.model import ROOT
from tests.harness import Platform


def output(*arguments: str) -> str:
    """What a program prints."""
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def machine() -> dict[str, str]:
    """What a lab could change on the machine, without the parts that belong to other labs' traffic."""
    return {
        "tables": output("nft", "list", "tables"),
        "links": "\n".join(sorted(line.split()[1] for line in output("ip", "-oneline", "link").splitlines())),
        "routes": output("ip", "route", "show", "table", "all"),
        "namespaces": output("ip", "netns"),
        "containers": output("podman", "ps", "--all", "--format", "{{.Names}}"),
        **{name: (Path("/proc/sys") / name.replace(".", "/")).read_text(encoding="ascii") for name in SYSCTLS},
    }


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A lab that no other test uses."""
    platform = Platform("itself", tmp_path)
    yield platform
    platform.lab("down")


def test_nothing_is_left_on_the_machine(platform: Platform) -> None:
    before = machine()
    platform.up()
    assert machine() != before
    platform.lab("down")
    assert machine() == before
    assert not platform.state.exists()


def test_leftovers_of_a_crash_are_mended(platform: Platform) -> None:
    platform.up()
    assert platform.on("web1", "hostname").strip() == "web1"
    key = json.loads(output("podman", "inspect", platform.hosts["hosts"]["web1"]["container"]))[0]["Config"]["Labels"]
    lab = key["gatehouse.lab"]
    output("podman", "kill", platform.hosts["hosts"]["web1"]["container"])
    output("ip", "netns", "delete", f"gatehouse-{lab}")
    output("nft", "delete", "table", "ip", f"gatehouse_{lab}")
    platform.up()
    assert platform.on("web1", "getent hosts orders.example.test").split()[0] == platform.address
    shutil.rmtree(platform.state)
    platform.up()
    assert platform.on("web1", "hostname").strip() == "web1"


def test_two_checkouts_keep_apart(platform: Platform, tmp_path: Path) -> None:
    platform.up()
    other = tmp_path / "checkout"
    files = output(
        "git", "-C", str(ROOT), "ls-files", "lab", "plugins", "playbooks", "ansible.cfg", "meta", "galaxy.yml"
    )
    for file in files.splitlines():
        if (ROOT / file).exists():
            (other / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, other / file)
    collections = other / ".collections/ansible_collections/gatehouse"
    collections.mkdir(parents=True)
    (collections / "platform").symlink_to("../../..")
    command = [sys.executable, "-m", "lab"]
    try:
        subprocess.run([*command, "up", "--name", "itself"], cwd=other, check=True)
        theirs = json.loads((other / ".lab/itself/hosts.json").read_text(encoding="utf-8"))
        assert theirs["range"] != platform.hosts["range"]
        assert output("ssh", "-F", f"{other}/.lab/itself/ssh_config", "web1", "hostname").strip() == "web1"
    finally:
        subprocess.run([*command, "down", "--name", "itself"], cwd=other, check=True)
    assert platform.on("web1", "hostname").strip() == "web1"


def test_hosts_without_a_bastion_are_reached_directly(platform: Platform) -> None:
    platform.lab("up", "--hosts", "web", "--direct")
    config = (platform.state / "ssh_config").read_text(encoding="utf-8")
    assert "ProxyCommand" not in config
    assert platform.on("web1", "hostname").strip() == "web1"
    platform.declare_afresh()
    run = platform.succeed("site", "--check", "--extra-vars", "platform_topology=direct")
    assert "orders" in run.output
