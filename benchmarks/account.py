# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account that is as it should be: what finding that out takes, here and with the modules of amazon.aws alone.

Every call takes 30 ms longer than the control plane of the lab needs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.control_plane import LATENCY
from benchmarks.figures import show
from lab.cloud import ControlPlane
from lab.model import ROOT
from tests.faults.account import PUBLIC_KEY, REGION, Provisioned

PEER = ROOT / "benchmarks" / "peers" / "account.yml"


def measure() -> None:
    """A second run of provision.yml with inventory/autoscaled against a second run of the peers' playbook."""
    with ControlPlane(region=REGION) as cloud, tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        account = Provisioned(cloud, Path(folder))
        account.declare()
        own = _second(cloud, lambda: account.run("provision"))
        cloud.reset()
        peer = _second(cloud, lambda: _peer(cloud))
    compared = (
        f"{peer[0] / own[0]:.1f} times fewer calls ({own[0]} against {peer[0]}), "
        f"{peer[1] / own[1]:.1f} times less time ({own[1]:.1f} s against {peer[1]:.1f} s)"
    )
    show("An account with nothing to do, against amazon.aws alone", compared, "fewer calls, less time")


def _second(cloud: ControlPlane, run: Callable[[], tuple[int, str]]) -> tuple[int, float]:
    """Calls and seconds of a second run."""
    _succeeds(run)
    cloud.calls.clear()
    cloud.latency = LATENCY
    began = time.monotonic()
    _succeeds(run)
    seconds = time.monotonic() - began
    cloud.latency = 0
    return cloud.calls.total, seconds


def _succeeds(run: Callable[[], tuple[int, str]]) -> None:
    status, output = run()
    if status:
        raise RuntimeError(output[-4000:])


def _peer(cloud: ControlPlane) -> tuple[int, str]:
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(PEER)]
    command += ["--extra-vars", f"public_key='{PUBLIC_KEY}' ansible_python_interpreter={sys.executable}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env={**environment, **cloud.environment, **settings}, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr
