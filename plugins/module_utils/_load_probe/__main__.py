# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send requests at a fixed rate and report what happened to them.

    python -m _load_probe --rate 200 --seconds 30 --ca-file root.pem --address 203.0.113.10 https://example.com/health

The rate is kept however slow the answers are, and a request's time counts from when it was due, so that a stall shows
in every request that it delayed. Most requests go over connections that are kept alive, every tenth over a new one.
As every HTTP client does (RFC 9112, section 9.3.1), a GET on a kept connection that the server closed before it
answered is sent once more over a new one; that is counted as "retried", and with --strict as failed.

SIGTERM ends it early. The report (JSON) goes to standard output or, in one step, into --report. As long as the lock
on --pid-file is held the program runs; the file names its process and whether the first request was answered.
"""

# A program of its own: it is run from a copy of this package, so that its imports are relative.
from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import signal
import sys
from typing import Any, TextIO

from .probe import Options, Probe

NOT_SERVED = 3


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    defaults = Options(())
    description = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m _load_probe", description=description)
    parser.add_argument("urls", nargs="+", metavar="URL", help="asked in turn")
    parser.add_argument("--address", help="connect there instead of resolving the hosts")
    parser.add_argument("--ca-file", help="root certificates to trust instead of the system's")
    parser.add_argument("--rate", type=float, default=defaults.rate, help="requests per second")
    parser.add_argument("--seconds", type=float, default=defaults.seconds, help="end after so long")
    parser.add_argument("--count", type=int, default=defaults.count, help="end after so many requests")
    parser.add_argument("--status", type=int, default=defaults.status, help="expected status")
    parser.add_argument("--timeout", type=float, default=defaults.timeout, help="seconds for one request")
    parser.add_argument("--connections", type=int, default=defaults.connections, help="at most so many at once")
    parser.add_argument("--new-every", type=int, default=defaults.new_every, help="every nth over a new connection")
    parser.add_argument("--strict", action="store_true", help="a lost kept connection is a failure")
    parser.add_argument("--require-first", action="store_true", help=f"status {NOT_SERVED} if nothing answers at first")
    parser.add_argument("--report", help="file for the report")
    parser.add_argument("--pid-file", help="locked while this runs")
    return parser.parse_args(arguments)


def lock(path: str) -> TextIO:
    """Open and lock the file for as long as this process lives; raises BlockingIOError when another holds it."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def note(file: TextIO | None, ready: bool) -> None:
    """Say who runs and whether it sends already."""
    if file is not None:
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"pid": os.getpid(), "ready": ready}) + "\n")
        file.flush()


def write(report: dict[str, Any], path: str | None) -> None:
    """The report to its place."""
    text = json.dumps(report, indent=2) + "\n"
    if path is None:
        sys.stdout.write(text)
        return
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.new", path)


async def run(options: argparse.Namespace, pid_file: TextIO | None) -> int:
    """Probe and report; the program's status."""
    values = {name: value for name, value in vars(options).items() if name in Options.__dataclass_fields__}
    probe = Probe(Options(**{**values, "urls": tuple(options.urls)}))
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # what a closing connection says is no finding
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(probe, "stopping", True))
    if options.require_first:
        failures = [failure for target in probe.targets if (failure := await probe.attempt(target, True))]
        if failures:
            write({"not_started": f"{failures[0][0]}: {failures[0][1]}"}, options.report)
            return NOT_SERVED
    note(pid_file, True)
    write(await probe.run(), options.report)
    return 0


def main() -> int:
    """The program."""
    options = parse(sys.argv[1:])
    try:
        pid_file = lock(options.pid_file) if options.pid_file else None
        note(pid_file, False)
        return asyncio.run(run(options, pid_file))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"load probe: {error}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
