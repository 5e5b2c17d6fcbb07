# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the region: ``python -m lab.region up|down|run``."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from lab.cloud.server import REGION
from lab.machine import LabError, forget_machine, machine_lock, require
from lab.model import ROOT
from lab.region.authority import ACM, Authority
from lab.region.place import CLOUD, Place, place_key, started
from lab.region.region import Region, ensure_images, leave, settle, use_podman, write_aws_config

PATIENCE = 60.0


def up(name: str, aws_region: str) -> None:
    """Start a region in a process of its own, if it does not run; say how it is used."""
    began = time.monotonic()
    place = settle(name)
    use_podman(place)
    if running(place) is None:
        ensure_images()
        start(place, aws_region)
    known = wait_for(place)
    if known["region"] != aws_region:
        raise LabError(f"the region '{name}' is up as {known['region']}; remove it before it can be {aws_region}")
    print(f"The region '{name}' is up after {time.monotonic() - began:.1f} s: {known['endpoint']}. It is used with")
    print(f"  export AWS_ENDPOINT_URL={known['endpoint']}")
    print(f"  export AWS_CONFIG_FILE={known['config']}")
    print(f"Names are answered by {place.uplink[1]}; {known['root']} vouches for certificates of ACM.")


def down(name: str, images: bool) -> None:
    """End the process, and remove every trace, of a crashed one as well."""
    place = Place(name, 0)
    if place.is_up():
        end(int(place.noted()["process"]))
    leave(name, images)
    forget_machine()
    print(f"The region '{name}' is gone")


def serve(name: str, aws_region: str) -> None:
    """Be the region until a signal ends it."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    place = settle(name)
    with Region(name, port=free_port(place), log=lambda text: print(text, flush=True), region=aws_region) as region:
        known = {
            "endpoint": region.cloud.endpoint,
            "config": str(write_aws_config(place, region.cloud)),
            "region": region.cloud.region,
            "root": str(Authority(place.directory / ACM).root),
        }
        place.note(os.getpid(), **known)
        print(f"The region '{name}' serves {region.cloud.endpoint}", flush=True)
        ending.wait()


def start(place: Place, aws_region: str) -> None:
    command = [sys.executable, "-m", "lab.region", "run", "--name", place.name, "--aws-region", aws_region]
    with log_file(place).open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    place.note(process.pid)


def wait_for(place: Place) -> dict[str, Any]:
    """What the process has written of itself once it answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        known = running(place)
        if known is not None:
            return known
        time.sleep(0.1)
    raise LabError(f"the region '{place.name}' is not up after {PATIENCE:.0f} seconds; see {log_file(place)}")


def running(place: Place) -> dict[str, Any] | None:
    """What the region's process has written of itself, while it lives and is ready."""
    known = place.noted()
    return known if known.get("endpoint") and place.is_up() else None


def end(process: int) -> None:
    """End a process of ours, kindly at first."""
    birth = started(process)
    for number, patience in ((signal.SIGTERM, 30.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if birth is None or started(process) != birth:
                return
            time.sleep(0.05)


def log_file(place: Place) -> Path:
    return place.directory / "log"


def free_port(place: Place) -> int:
    """The same port as before where nobody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 5000 + place.number))
        except OSError:
            return 0
    return 5000 + place.number


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.region", description=__doc__)
    parser.add_argument("action", choices=["up", "down", "run"])
    parser.add_argument("--name", default=CLOUD, help=f"one of several regions of this checkout (default: {CLOUD})")
    parser.add_argument("--aws-region", default=REGION, help=f"what it is called on AWS (default: {REGION})")
    parser.add_argument("--images", action="store_true", help="down: remove the images as well")
    options = parser.parse_args(arguments)
    try:
        require()
        if options.action == "run":
            serve(options.name, options.aws_region)
            return 0
        with machine_lock(f"region-{place_key(options.name)}"):
            if options.action == "up":
                up(options.name, options.aws_region)
            else:
                down(options.name, options.images)
    except (LabError, ValueError) as error:
        print(f"region: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
