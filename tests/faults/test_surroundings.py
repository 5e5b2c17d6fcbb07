# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What surrounds the platform breaks: disks, the ACME server, the bastion, connections, the host itself."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab.machine import inside
from tests.faults.cases import change_code
from tests.faults.checks import NAMES, all_answered, assert_nothing_left, assert_served
from tests.faults.killing import Watched, host_process, kill_module, module_processes
from tests.faults.results import Results
from tests.harness import Platform


def _declare_alias(platform: Platform, alias: str) -> None:
    def edit(variables: dict[str, Any]) -> None:
        variables["platform_services"][1]["aliases"] = [alias]

    platform.change(edit)


def _on(platform: Platform, host: str, command: str) -> str:
    """Run a command on a host without SSH."""
    return inside(host_process(platform, host), "sh", "-c", command)


def _ends_right(platform: Platform, playbook: str, *arguments: str) -> None:
    """The next run succeeds, the one after it changes nothing, and nothing half-made is left."""
    platform.succeed(playbook, *arguments)
    assert_served(platform)
    again = platform.succeed(playbook, *arguments)
    assert again.count("changed") == 0, again.output[-3000:]
    assert_nothing_left(platform)


@pytest.fixture
def small_disk(serving: Platform) -> Iterator[Platform]:
    """A fourth service, whose directory is a disk that its environment fills up to half."""
    folder = serving.folder / "applications/returns"
    subprocess.run(["cp", "-r", str(serving.folder / "applications/orders"), str(folder)], check=True)
    with open("/dev/urandom", "rb") as random:
        (folder / "catalogue.bin").write_bytes(random.read(40_000_000))
    source = {"directory": "../../applications/returns"}
    entry = {"name": "returns", "port": 5003, "source": source, "migrate": ["python", "migrate.py"]}
    serving.change(lambda variables: variables["platform_services"].append(entry))
    _on(serving, "web1", "mkdir /srv/returns && mount -t tmpfs -o size=60m,mode=750 tmpfs /srv/returns")
    yield serving
    _on(serving, "web1", "umount --lazy /srv/returns")
    serving.declare_afresh()
    serving.succeed("web")


def test_full_disk_stops_a_release_and_nothing_else(small_disk: Platform, results: Results) -> None:
    with results.position("full disk/while unpacking"):
        with all_answered(small_disk):
            run = small_disk.fail("web")
            assert "No space left on device" in run.output
            assert "returns" in run.output
            assert _on(small_disk, "web1", "ls -A /srv/returns/releases /srv/returns/environments").count("new") == 0
            assert_served(small_disk)
            _on(small_disk, "web1", "mount -o remount,size=300m /srv/returns")
            _ends_right(small_disk, "web")
        assert small_disk.ask("returns.example.test", "/health").status == 200


def test_acme_server_that_is_down_leaves_everything_as_it_was(serving: Platform, results: Results) -> None:
    with results.position("ACME server/down"):
        _declare_alias(serving, "shop")
        _on(serving, "acme1", "systemctl stop gatehouse-acme.service")
        try:
            with all_answered(serving):
                run = serving.fail("web")
                assert "acme.example.test:14000" in run.output
                assert "the present certificate for example.test is valid until" in run.output
                assert_served(serving)
                assert_nothing_left(serving)
        finally:
            _start_acme(serving)
        with all_answered(serving):
            _ends_right(serving, "web")
        assert ("DNS", "shop.example.test") in serving.certificate("shop.example.test")["subjectAltName"]


def _start_acme(platform: Platform) -> None:
    """Start the ACME server again, and trust its new root as well."""
    _on(platform, "acme1", "systemctl restart gatehouse-acme.service")
    platform.up()


def test_acme_server_that_refuses_a_name_is_quoted(serving: Platform, results: Results) -> None:
    config = "/etc/pebble/config.json"
    with results.position("ACME server/refuses a name"):
        _declare_alias(serving, "forbidden")
        # The whole domain: Pebble 2.4 crashes on an entry with more labels than a name that it is asked for.
        _on(serving, "acme1", f"sed -i s/refused.test/example.test/ {config}")
        _start_acme(serving)
        try:
            with all_answered(serving):
                run = serving.fail("web")
                message = run.output.rpartition("PLAY RECAP")[2]
                assert "the ACME server refuses" in message
                assert "policy" in message
                assert "the present certificate for example.test is valid until" in run.output
                assert_served(serving)
                assert_nothing_left(serving)
        finally:
            _on(serving, "acme1", f"sed -i s/example.test/refused.test/ {config}")
            _start_acme(serving)
        with all_answered(serving):
            _ends_right(serving, "web")


def test_bastion_that_is_down_is_told_before_anything_is_touched(serving: Platform, results: Results) -> None:
    with results.position("bastion/down"), all_answered(serving):
        serving.succeed("site")
        before = _on(serving, "web1", "find /etc /srv -newermt 1970-01-01 -printf '%p %C@\\n' | md5sum")
        subprocess.run(["podman", "stop", serving.hosts["hosts"]["bastion1"]["container"]], check=True)
        try:
            run = serving.fail("site")
        finally:
            serving.up()
        assert "the bastion bastion1" in run.output
        assert "cannot be reached" in run.output
        assert "web1 behind it cannot be reached either" in run.output
        assert before == _on(serving, "web1", "find /etc /srv -newermt 1970-01-01 -printf '%p %C@\\n' | md5sum")
        _ends_right(serving, "site")


def test_reload_that_was_lost_is_made_up_for(serving: Platform, results: Results) -> None:
    hang = "/run/systemd/system/apache2.service.d"
    with results.position("reload/lost with its run"), all_answered(serving):

        def edit(variables: dict[str, Any]) -> None:
            variables["platform_services"][1]["virtual_host"] = {"hsts": False}

        serving.change(edit)
        assert "Strict-Transport-Security" in serving.ask(NAMES[1], "/health").headers
        lines = r"[Service]\nExecReload=\nExecReload=/bin/sleep 600\n"
        _on(serving, "web1", f"mkdir -p {hang} && printf '{lines}' > {hang}/hang.conf && systemctl daemon-reload")
        try:
            watched = Watched(serving.start("web", "-v"))
            root = host_process(serving, "web1")
            deadline = time.monotonic() + 60
            while "reloading" not in _on(serving, "web1", "systemctl show --property=ActiveState apache2"):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert kill_module(root)
            watched.read()
            assert watched.process.wait() != 0
        finally:
            stop = "systemctl kill --kill-whom=control --signal=KILL apache2"
            _on(serving, "web1", f"rm -r {hang}; systemctl daemon-reload; {stop} || :")
        assert "Strict-Transport-Security" in serving.ask(NAMES[1], "/health").headers
        assert "loads what an earlier run left unloaded" in serving.succeed("web").output
        assert "Strict-Transport-Security" not in serving.ask(NAMES[1], "/health").headers
        _ends_right(serving, "web")


def test_connection_that_is_cut_on_the_bastion_is_opened_again_or_told(serving: Platform, results: Results) -> None:
    with results.position("connection/cut on the bastion"), all_answered(serving):
        arguments = change_code(serving)
        watched = Watched(serving.start("deploy", "-v", *arguments))
        root = host_process(serving, "web1")
        while not module_processes(root) and watched.process.poll() is None:
            time.sleep(0.02)
        time.sleep(1)
        # Sessions, not the listener, whose name is followed by its options.
        _on(serving, "bastion1", "pkill -9 -f '^sshd(-session)?: admin' || :")
        watched.read()
        watched.process.wait()
        assert_served(serving)
        _ends_right(serving, "deploy", *arguments)


def test_host_that_loses_power_during_a_deploy_serves_again(serving: Platform, results: Results) -> None:
    with results.position("web host/power cut during a deploy"):
        arguments = change_code(serving)
        watched = Watched(serving.start("deploy", "-v", *arguments))
        root = host_process(serving, "web1")
        while not module_processes(root) and watched.process.poll() is None:
            time.sleep(0.02)
        time.sleep(1)
        subprocess.run(["podman", "kill", serving.hosts["hosts"]["web1"]["container"]], check=True)
        watched.process.kill()
        watched.read()
        serving.up()
        _wait_until_served(serving)
        _ends_right(serving, "deploy", *arguments)


def _wait_until_served(platform: Platform, patience: float = 30) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, AssertionError):
            assert_served(platform)
            return
        time.sleep(0.5)
    assert_served(platform)
