# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed requests while a client sends 200 a second over HTTPS and something changes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lab.model import ROOT
from tests.harness import Platform

PROBE = ROOT / "plugins" / "module_utils"
RATE = 200


@contextmanager
def probe(
    platform: Platform,
    name: str = "microservice1.example.test",
    rate: int = RATE,
    seconds: int = 180,
    strict: bool = True,
) -> Iterator[dict[str, Any]]:
    """Send requests while the block runs; the report is in the dictionary afterwards."""
    report: dict[str, Any] = {}
    command = [sys.executable, "-m", "_load_probe", "--rate", str(rate), "--seconds", str(seconds)]
    command += ["--ca-file", str(platform.state / "acme-root.pem"), "--address", platform.address]
    command += ["--strict"] if strict else []
    command.append(f"https://{name}/health")
    with subprocess.Popen(command, cwd=PROBE, stdout=subprocess.PIPE, text=True) as process:
        time.sleep(1)
        try:
            yield report
            time.sleep(3)
        finally:
            os.kill(process.pid, signal.SIGTERM)
            output, _errors = process.communicate(timeout=60)
    report.update(json.loads(output))


def during(platform: Platform, action: Callable[[], object], strict: bool) -> dict[str, Any]:
    """The probe's report over one action.

    Without ``strict`` a request that met the end of a kept connection is sent again, as every HTTP client does
    (RFC 9112, section 9.3.1): Apache closes idle connections when it reloads.
    """
    with probe(platform, strict=strict) as report:
        action()
    return report
