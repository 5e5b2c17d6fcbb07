# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache itself: is a tree valid, is the service up, has it loaded what is on disk."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from subprocess import CompletedProcess

from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError, run
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import VirtualHostsError
from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.tree import workspace

ROOT = "/etc/apache2"
PID_FILE = "/run/apache2/apache2.pid"  # written anew whenever Apache has loaded its configuration
CONTROL = "/usr/sbin/apache2ctl"
UNIT = "apache2.service"
NOISE = re.compile(
    r"^(AH00557|AH00558|Action '.*' failed|The Apache error log may|AH00014|AH00015|Syntax OK|Setting ulimit)"
)


@dataclass(frozen=True)
class Service:
    """What systemd says of Apache's unit."""

    active: bool
    enabled: bool


def installed() -> bool:
    """Whether there is an Apache on this host."""
    return os.path.exists(CONTROL) and os.path.isdir(ROOT)


def service() -> Service:
    """State of the unit."""
    output = run(["systemctl", "show", UNIT, "--property=ActiveState,UnitFileState"]).stdout
    values = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    return Service(values.get("ActiveState") in ("active", "reloading"), values.get("UnitFileState") == "enabled")


def loaded_at() -> int:
    """When the running Apache has loaded its configuration: nanoseconds since the epoch, 0 when it never has."""
    try:
        return os.stat(PID_FILE).st_mtime_ns
    except FileNotFoundError:
        return 0


def validate(copy: str) -> None:
    """Raise VirtualHostsError when Apache would not take this copy of the tree.

    The configuration test comes first. What it does not see (a key that does not belong to its
    certificate, a log file or a port that cannot be opened) would end a running Apache at its
    next reload; so the copy is then started for a moment in namespaces of its own, where
    neither ports nor logs nor the run-time directory are the real ones.
    """
    environment = {"APACHE_CONFDIR": copy}
    result = run([CONTROL, "configtest"], check=False, environment=environment, timeout=60)
    if result.returncode == 0:
        rehearsal = _rehearse(environment)
        result = rehearsal or result
    if result.returncode != 0:
        raise VirtualHostsError(
            f"Apache refuses the configuration, nothing was changed: {explain(result.stdout, copy)}"
        )


def _rehearse(environment: Mapping[str, str]) -> CompletedProcess[str] | None:
    """Result of a start of the copy in namespaces of its own; None where that tells nothing."""
    with workspace() as directory:
        mounts = []
        for name, real in (("run", "/run/apache2"), ("log", "/var/log/apache2")):
            os.mkdir(os.path.join(directory, name))
            if os.path.isdir(real):
                mounts.append(f"mount --bind {shlex.quote(os.path.join(directory, name))} {real}")
        ready = " && ".join([*mounts, "true"])
        script = f"({ready}) 2>/dev/null || exit 120; exec {CONTROL} -k start"
        namespaces = ["--net", "--mount", "--pid", "--ipc", "--fork", "--kill-child"]
        result = run(["unshare", *namespaces, "sh", "-c", script], check=False, environment=environment, timeout=60)
        if result.returncode not in (0, 120):
            result.stdout += _logged(os.path.join(directory, "log"))
    unable = result.returncode == 120 or result.stdout.startswith("unshare:")
    elsewhere = "Cannot assign requested address" in result.stdout  # Listen names an address of the real network
    return None if unable or elsewhere else result


def _logged(directory: str) -> str:
    """The grave lines of all error logs that a rehearsal has written."""
    lines = [""]
    for parent, _directories, files in os.walk(directory):
        for name in sorted(files):
            with open(os.path.join(parent, name), encoding="utf-8", errors="replace") as file:
                lines += [line.rstrip() for line in file if re.search(r"\[\w*:(emerg|alert|crit|error)\]", line)]
    return "\n".join(lines)


def explain(output: str, copy: str) -> str:
    """What Apache printed without its noise, with the paths of the real tree and the line that it names."""
    lines = [re.sub(r"^\[[^]]*\] (\[[^]]*\] )*", "", line) for line in output.splitlines() if line.strip()]
    text = " ".join(line for line in lines if not NOISE.match(line)) or output.strip()
    named = re.search(r"on line (\d+) of (\S+?):", text)
    text = text.replace(copy, ROOT)
    if named and (line := _line(named.group(2), int(named.group(1)))):
        text += f" (the line is: {line})"
    return text


def _line(path: str, number: int) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()[number - 1].strip()
    except (OSError, IndexError):
        return ""


def load(restart: bool = False, timeout: float = 30) -> None:
    """Have Apache load what is on disk, and return once it has.

    A running Apache is reloaded, which ends no connection; one that does not run is started.
    Raises VirtualHostsError when it does not get there within ``timeout`` seconds.
    """
    before = loaded_at()
    verb = "start" if not service().active else "restart" if restart else "reload"
    try:
        run(["systemctl", verb, UNIT], timeout=timeout + 60)
    except CommandError as error:
        journal = run(["journalctl", "--unit", UNIT, "--lines=5", "--no-pager", "--output=cat"], check=False).stdout
        raise VirtualHostsError(f"{error}\n{journal}".strip()) from error
    deadline = time.monotonic() + timeout
    while loaded_at() <= before or not _alive():
        if time.monotonic() > deadline or (loaded_at() <= before and not _alive()):
            raise VirtualHostsError(
                f"Apache did not load its configuration within {timeout:.0f} seconds; see its error log"
            )
        time.sleep(0.02)


def _alive() -> bool:
    try:
        with open(PID_FILE, encoding="ascii") as file:
            os.kill(int(file.read()), 0)
    except (OSError, ValueError):
        return False
    return True


def enable() -> None:
    """Have Apache started at boot."""
    run(["systemctl", "enable", "--quiet", UNIT])
