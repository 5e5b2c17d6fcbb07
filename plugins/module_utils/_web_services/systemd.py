# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd, as far as services need it: one thin function per call."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ansible_collections.gatehouse.platform.plugins.module_utils import _commands

PROPERTIES = "Id,LoadState,ActiveState,SubState,FragmentPath,Listen,NeedDaemonReload,InvocationID,Result,MainPID"


def show(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """What systemd says about units, by the names asked for. An unknown unit has LoadState ``not-found``."""
    if not names:
        return {}
    output = _commands.run(["systemctl", "show", f"--property={PROPERTIES}", *names], check=False).stdout
    blocks = output.strip("\n").split("\n\n")
    return {name: _properties(block) for name, block in zip(names, blocks, strict=False)}


def reload() -> None:
    """Make systemd read its unit files and links again."""
    _commands.run(["systemctl", "daemon-reload"])


def start(*names: str) -> None:
    """Start units and wait until they have told that they are up."""
    _commands.run(["systemctl", "start", *names])


def stop(*names: str) -> None:
    """Stop units gracefully and wait until they are gone; units that are not there are fine."""
    _commands.run(["systemctl", "stop", "--quiet", *names], check=False)


def stop_within(seconds: float, *names: str) -> None:
    """Have systemd stop units gracefully; what takes longer than this goes on stopping without being waited for."""
    with suppress(_commands.CommandError):
        _commands.run(["systemctl", "stop", "--quiet", *names], timeout=seconds)


def forget_failure(*names: str) -> None:
    """Take units that failed off systemd's list of failed ones."""
    _commands.run(["systemctl", "reset-failed", "--quiet", *names], check=False)


def journal(name: str, invocation: str = "", lines: int = 30) -> str:
    """The last lines that a unit wrote, those of one invocation where it is given."""
    match = [f"_SYSTEMD_INVOCATION_ID={invocation}"] if invocation else [f"--unit={name}"]
    arguments = ["journalctl", "--no-pager", "--quiet", "--output=cat", f"--lines={lines}", *match]
    _commands.run(["journalctl", "--sync"], check=False)
    return _commands.run(arguments, check=False).stdout.strip()


def _properties(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
