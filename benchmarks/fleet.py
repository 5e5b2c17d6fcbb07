# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system "autoscaled" on a region of its own: what visitors lose, how long a launch takes, what more hosts cost.

The unit is a ping: ``ansible -m ping`` of all hosts of the fleet through the bastion, connections warm.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import show
from lab.fleet import Fleet, wait
from lab.model import ROOT
from tests.system.autoscaled import Autoscaled

SIZES = (2, 10, 20)
# Seconds in which a launched instance, or twenty of them on two cores, serve.
LAUNCHED, ALL_LAUNCHED = 300.0, 1800.0
RATE = 200


def measure() -> None:
    """Everything in the order in which the platform comes to be."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        system = Autoscaled("bench", Path(folder))
        system.declare_afresh()
        system.change(lambda variables: variables["platform_fleets"][0].update(max=max(SIZES)))
        system.up()
        try:
            system.succeed("site")
            wait("the fleet serves", system.web.settled, LAUNCHED)
            requests_lost(system)
            launch(system.web)
            sizes(system)
        finally:
            system.down()


def requests_lost(system: Autoscaled) -> None:
    """What visitors lose that send 200 requests a second to the load balancer meanwhile."""

    def deploy() -> None:
        system.add_to_code("homepage", "# under load\n")
        system.succeed("deploy")

    def failing_deploy() -> None:
        path = system.folder / "applications" / "homepage" / "app.py"
        healthy = path.read_text(encoding="utf-8")
        path.write_text(healthy + "raise SystemExit('broken on purpose')\n", encoding="utf-8")
        system.fail("deploy")
        path.write_text(healthy, encoding="utf-8")

    cases: list[tuple[str, Callable[[], object]]] = [
        ("a fleet deploy", deploy),
        ("a failing fleet deploy", failing_deploy),
        ("a fleet rollback", lambda: system.succeed("rollback", "--extra-vars", "service=shop")),
    ]
    for name, action in cases:
        began = time.monotonic()
        with system.visitors(rate=RATE, seconds=900) as tally:
            action()
        rate = tally["sent"] / (time.monotonic() - began)
        figure = f"{tally['sent']} requests ({rate:.0f} a second), {tally['failed']} failed"
        show(f"During {name}", figure, f"0 failed at {RATE} a second")


def launch(fleet: Fleet) -> None:
    """From a changed desired capacity to the first request that the new instance serves."""
    before = set(fleet.instances())

    def new_one_answers() -> bool:
        return bool((set(fleet.instances()) - before) & set(fleet.who_answers()))

    began = time.monotonic()
    desire(fleet, len(before) + 1)
    wait("the new instance serves", new_one_answers, LAUNCHED)
    show("From a launch by Auto Scaling to its first request", f"{time.monotonic() - began:.1f} s", "-")


def desire(fleet: Fleet, number: int) -> None:
    scaling = fleet.account.client("autoscaling")
    scaling.set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=number)


def sizes(system: Autoscaled) -> None:
    """A run of site.yml that has nothing to do, and a deploy, for fleets of several sizes."""
    fleet = system.web
    ratios: dict[int, float] = {}
    fewest = 0
    for size in SIZES:
        desire(fleet, size)
        wait(f"{size} hosts serve", fleet.settled, ALL_LAUNCHED)
        system.succeed("site")
        idle, modules = idle_run(system)
        unit = ping(system)
        ratios[size] = idle / unit
        fewest = fewest or modules
        figure = f"{idle / unit:.1f} pings ({idle:.1f} s, ping {unit:.2f} s), {modules} modules on each host"
        wanted = "-" if size == SIZES[0] else f"at most {ratios[SIZES[0]]:.1f} pings, {fewest} modules"
        show(f"Nothing to do on {size} hosts", figure, wanted)
        system.add_to_code("homepage", f"# for {size} hosts\n")
        deploy = system.succeed("deploy", "-v")
        batches = deploy.output.count("TASK [Put the batch back into the load balancer")
        # One host first, then the others in batches of 34 %.
        show(f"A deploy to {size} hosts", f"{batches} batches, {deploy.seconds:.1f} s", "at most 4 batches")


def ping(system: Autoscaled) -> float:
    """Median seconds of a ping of the whole fleet."""
    seconds = []
    for _time in range(3):
        began = time.monotonic()
        command = system.command("ansible", "web", "--module-name", "ansible.builtin.ping")
        subprocess.run(command, check=True, cwd=ROOT, env=system.account.environment, capture_output=True)
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def idle_run(system: Autoscaled) -> tuple[float, int]:
    """Median seconds; module executions on the host that had most."""
    with tempfile.NamedTemporaryFile() as counts:
        settings = {"ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "benchmarks/callbacks")}
        settings |= {"ANSIBLE_CALLBACKS_ENABLED": "module_count", "MODULE_COUNT_FILE": counts.name}
        system.environment.update(settings)
        runs = [system.succeed("site") for _time in range(2)]
        system.environment.clear()
        modules: dict[str, Any] = json.loads(Path(counts.name).read_text(encoding="utf-8"))
    assert all(run.count("changed") == 0 for run in runs), runs[0].output[-3000:]
    hosts = set(system.instances())
    return statistics.median(run.seconds for run in runs), max(modules[host] for host in hosts)
