# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the control plane: ``python -m lab.cloud`` serves until it is interrupted."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal
import sys
import threading
from typing import Any

from lab.cloud import ControlPlane


def main() -> None:
    """Print the variables that lead AWS clients here, as a shell takes them, and serve."""
    parser = argparse.ArgumentParser(prog="python -m lab.cloud", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--plain", action="store_true", help="plain moto, without the strictness of AWS")
    options = parser.parse_args()
    with ControlPlane(strict=not options.plain, port=options.port) as cloud:
        for name, value in cloud.environment.items():
            print(f"export {name}={shlex.quote(value)}")
        sys.stdout.flush()
        wait_for_end()


def wait_for_end() -> None:
    """Until the process is told to end."""
    ended = threading.Event()

    def end(*_signal: Any) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    with contextlib.suppress(KeyboardInterrupt):
        ended.wait()


if __name__ == "__main__":
    main()
