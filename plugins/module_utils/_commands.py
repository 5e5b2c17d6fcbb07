# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that a module runs: one way to call them and one error that tells what they said."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence


class CommandError(Exception):
    """A program failed; ``str()`` names it and ends with the last lines that it printed."""

    def __init__(self, arguments: Sequence[str], status: int, output: str) -> None:
        self.arguments = list(arguments)
        self.status = status
        self.output = output
        tail = "\n".join(output.strip().splitlines()[-20:])
        super().__init__(f"'{' '.join(arguments)}' ended with status {status}:\n{tail}")


def run(
    arguments: Sequence[str],
    *,
    check: bool = True,
    timeout: float | None = 600,
    environment: Mapping[str, str] | None = None,
    directory: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program without a shell, in the C locale, with its standard error in its output.

    ``timeout`` is in seconds; a program that takes longer is killed. Raises CommandError
    for a failure (unless ``check`` is false), a time-out or a program that is not there.
    """
    variables = {**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})}
    try:
        result = subprocess.run(
            list(arguments),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            env=variables,
            cwd=directory,
        )
    except FileNotFoundError as error:
        raise CommandError(arguments, 127, f"{error.filename} is not installed") from error
    except subprocess.TimeoutExpired as error:
        output = error.output.decode(errors="replace") if isinstance(error.output, bytes) else error.output or ""
        raise CommandError(arguments, 124, f"{output}\nstill running after {timeout} seconds, stopped") from error
    if check and result.returncode != 0:
        raise CommandError(arguments, result.returncode, result.stdout)
    return result
