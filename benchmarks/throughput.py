# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests through Apache against requests to the service itself, both from its own host over loopback."""

from __future__ import annotations

import re
import statistics
import subprocess

from tests.harness import Platform

SECONDS = 5
CONNECTIONS = 32


def measure(platform: Platform, host: str = "web1", name: str = "microservice1.example.test", port: int = 5001) -> str:
    """The ratio of requests per second, from alternating runs."""
    process = _process(platform, host)
    direct, proxied = [], []
    for _round in range(3):
        direct.append(_load(process, f"http://127.0.0.1:{port}/health"))
        proxied.append(_load(process, f"https://{name}/health", "--connect-to=127.0.0.1:443"))
    through, itself = statistics.median(proxied), statistics.median(direct)
    return f"{through / itself:.2f} ({through:.0f} requests/s over HTTPS, {itself:.0f} directly)"


def _process(platform: Platform, host: str) -> str:
    container = platform.hosts["hosts"][host]["container"]
    command = ["podman", "inspect", "--format", "{{.State.Pid}}", container]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _load(process: str, url: str, *options: str) -> float:
    """Requests per second with HTTP/1.1 and connections that are kept; every answer has to be a success."""
    command = ["nsenter", "--target", process, "--net", "h2load", "--h1", f"--duration={SECONDS}", "--warm-up-time=1"]
    command += [f"--clients={CONNECTIONS}", "--threads=1", *options, url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    failed = re.search(r"requests: .* (\d+) failed, (\d+) errored", output)
    rate = re.search(r"finished in [^,]+, ([0-9.]+) req/s", output)
    if not rate or not failed or int(failed[1]) + int(failed[2]) > 0:
        raise RuntimeError(f"{url}: not every request was answered:\n{output}")
    return float(rate[1])
