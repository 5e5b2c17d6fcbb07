# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system "subdomains" on a lab of its own, with bare hosts at the beginning.

The unit is a ping: ``ansible -m ping`` of the web host through the bastion, connection warm.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._load_probe.tally import sentence

from benchmarks import load, throughput
from benchmarks.figures import show
from lab.model import ROOT
from tests.harness import Platform

SERVICE = "orders"


def measure() -> None:
    """Everything in the order in which the platform comes to be."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        platform = Platform("bench", Path(folder))
        platform.declare_afresh()
        platform.up(bare=True)
        try:
            bare_to_serving(platform)
            nothing_to_do(platform)
            deploying(platform)
            requests_lost(platform)
            show(
                "HTTPS requests/s through Apache against the service itself",
                throughput.measure(platform),
                "0.49 or more",
            )
        finally:
            platform.lab("down")


def ping(platform: Platform, times: int = 5) -> float:
    """Median seconds of one ping."""
    seconds = []
    for _time in range(times):
        began = time.monotonic()
        command = platform.command("ansible", "web1", "--module-name", "ansible.builtin.ping")
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def ratio(platform: Platform, seconds: float) -> str:
    """Seconds as pings, measured right now."""
    unit = ping(platform)
    return f"{seconds / unit:.1f} pings ({seconds:.1f} s, ping {unit:.2f} s)"


def bare_to_serving(platform: Platform) -> None:
    """From hosts with no package installed to services over HTTPS."""
    ping(platform, 1)
    run = platform.succeed("site")
    show("From bare hosts to serving", ratio(platform, run.seconds), "100 pings with the usual roles")


def nothing_to_do(platform: Platform) -> None:
    """A run that changes nothing, for three services and for four."""
    three, modules, seconds = _idle(platform)
    needed = f"{three:.1f} pings ({seconds:.1f} s), {modules} modules on the web host"
    show("Nothing to do, three services", needed, "at most 10 and 25")
    declare_fourth(platform)
    platform.succeed("site")
    four, modules, seconds = _idle(platform)
    added = f"{four - three:.2f} pings (then {four:.1f} in all, {seconds:.1f} s, {modules} modules on the web host)"
    show("A fourth service adds", added, "less than 0.5")


def _idle(platform: Platform) -> tuple[float, int, float]:
    """Pings that a run takes, each run against pings right before and after it; module executions; seconds."""
    with tempfile.NamedTemporaryFile() as counts:
        settings = {"ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "benchmarks/callbacks")}
        settings |= {"ANSIBLE_CALLBACKS_ENABLED": "module_count", "MODULE_COUNT_FILE": counts.name}
        platform.environment.update(settings)
        units, runs = [ping(platform, 3)], []
        for _time in range(5):
            runs.append(platform.succeed("site"))
            units.append(ping(platform, 3))
        platform.environment.clear()
        modules = json.loads(Path(counts.name).read_text(encoding="utf-8"))["web1"]
    assert all(run.count("changed") == 0 for run in runs), runs[0].output
    ratios = [2 * run.seconds / (units[number] + units[number + 1]) for number, run in enumerate(runs)]
    return statistics.median(ratios), modules, statistics.median(run.seconds for run in runs)


def declare_fourth(platform: Platform) -> None:
    """A fourth service, with the code of another."""

    def add(variables: dict[str, Any]) -> None:
        source = {"directory": f"../../applications/{SERVICE}"}
        entry = {"name": "returns", "port": 5003, "source": source, "migrate": ["python", "migrate.py"]}
        variables["platform_services"].append(entry)

    platform.change(add)


def deploying(platform: Platform) -> None:
    """A change of one service's code, from the command to the new release being live."""
    seconds = []
    for number in range(3):
        platform.add_to_code(SERVICE, f"# change {number}\n")
        seconds.append(platform.succeed("deploy", "--extra-vars", f"service={SERVICE}").seconds)
    show("Deploying a change of one service's code", ratio(platform, statistics.median(seconds)), "at most 8")


def requests_lost(platform: Platform) -> None:
    """What a client loses that sends 200 requests a second meanwhile."""
    only = ["--extra-vars", f"service={SERVICE}"]

    def deploy() -> None:
        platform.add_to_code(SERVICE, "# under load\n")
        platform.succeed("deploy", *only)

    def failing_deploy() -> None:
        path = platform.folder / "applications" / SERVICE / "app.py"
        healthy = path.read_text(encoding="utf-8")
        path.write_text(healthy + "raise SystemExit('broken on purpose')\n", encoding="utf-8")
        platform.fail("deploy", *only)
        path.write_text(healthy, encoding="utf-8")

    def virtual_host_change() -> None:
        platform.change(lambda variables: variables["platform_services"][1].update(virtual_host={"hsts_max_age": 600}))
        platform.succeed("site")

    def renewal() -> None:
        platform.on("web1", "certbot renew --force-renewal --no-random-sleep-on-renew --quiet")

    cases = [
        ("a deploy", deploy, True),
        ("a failing deploy", failing_deploy, True),
        ("a rollback", lambda: platform.succeed("rollback", *only), True),
        ("a virtual-host change", virtual_host_change, False),
        ("a certificate renewal", renewal, False),
    ]
    for name, action, strict in cases:
        show(f"During {name}", sentence(load.during(platform, action, strict)), "0 failed")
