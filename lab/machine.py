# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab asks of the machine: programs, packages, kernel settings, and locks between checkouts."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

RUN = Path("/run/gatehouse-lab")
PACKAGES = {
    "conmon": "conmon",
    "debootstrap": "debootstrap",
    "dnsmasq": "dnsmasq-base",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "podman": "podman",
    "runc": "runc",
    "ssh-keygen": "openssh-client",
}
SYSCTLS = {
    # Packets of private hosts reach the package registries through this machine.
    "net.ipv4.ip_forward": 1,
    # Every systemd takes several instances; the kernel's default of 128 stops about 20 hosts.
    "fs.inotify.max_user_instances": 4096,
}


class LabError(Exception):
    """What is wrong with the lab or the machine, in words for the person at the keyboard."""


def run(*arguments: str, check: bool = True, text: str | None = None) -> str:
    """Run a program and return what it printed; LabError with its own words when it fails."""
    result = subprocess.run(arguments, input=text, check=False, capture_output=True, text=True)
    if check and result.returncode != 0:
        raise LabError(f"'{' '.join(arguments)}' failed: {(result.stderr or result.stdout).strip()}")
    return result.stdout


def inside(process: int, *arguments: str, check: bool = True, text: str | None = None) -> str:
    """Run a program in the container of a process, all of whose namespaces it enters.

    ``podman exec`` finds the control group of a container gone once another systemd has started.
    """
    namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid"]
    return run("nsenter", "--target", str(process), *namespaces, *arguments, check=check, text=text)


def missing_packages() -> list[str]:
    """Debian packages that the lab needs and that this machine lacks."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return sorted({package for program, package in PACKAGES.items() if not shutil.which(program, path=path)})


def require() -> None:
    """Stop with one line that says what this machine does not offer."""
    lacking = missing_packages()
    if os.geteuid() != 0:
        lacking.append("root (run make with sudo)")
    elif not _capable(21) or not _capable(12):
        lacking.append("the capabilities SYS_ADMIN and NET_ADMIN")
    if not Path("/sys/fs/cgroup").is_dir():
        lacking.append("control groups at /sys/fs/cgroup")
    if lacking:
        raise LabError(f"The lab cannot run on this machine; missing: {', '.join(lacking)}.")


def _capable(bit: int) -> bool:
    """Whether this process has a capability, by its number in linux/capability.h."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective, 16) >> bit & 1)


def containers_conf() -> str:
    """Settings of podman that this machine needs: limits cannot be raised without CAP_SYS_RESOURCE."""
    lines = ["[engine]", 'cgroup_manager = "cgroupfs"']
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        # crun refuses hybrid control groups.
        lines.append('runtime = "runc"')
    if not _capable(24):
        lines += ["[containers]", 'default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]']
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def machine_lock(name: str) -> Iterator[None]:
    """Exclusive among all checkouts on this machine; waits for its turn."""
    RUN.mkdir(parents=True, exist_ok=True)
    with open(RUN / f"{name}.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def raise_sysctls(lab: str) -> None:
    """Set what labs need, and remember the values found by the first lab so that the last one restores them."""
    with machine_lock("sysctls"):
        path = RUN / "sysctls.json"
        state = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"found": {}, "labs": []}
        for name, wanted in SYSCTLS.items():
            file = Path("/proc/sys") / name.replace(".", "/")
            present = int(file.read_text(encoding="ascii"))
            if present < wanted:
                state["found"].setdefault(name, present)
                file.write_text(str(wanted), encoding="ascii")
        state["labs"] = sorted({*state["labs"], lab})
        path.write_text(json.dumps(state), encoding="utf-8")


def restore_sysctls(lab: str) -> None:
    """Give up this lab's share in the kernel settings; the last lab puts back what was there."""
    with machine_lock("sysctls"):
        path = RUN / "sysctls.json"
        if not path.exists():
            return
        state = json.loads(path.read_text(encoding="utf-8"))
        state["labs"] = [other for other in state["labs"] if other != lab]
        if state["labs"]:
            path.write_text(json.dumps(state), encoding="utf-8")
            return
        for name, value in state["found"].items():
            (Path("/proc/sys") / name.replace(".", "/")).write_text(str(value), encoding="ascii")
        path.unlink()


def forget_machine() -> None:
    """Remove the folder of what labs share, when there is no lab any more."""
    numbers = RUN / "numbers.json"
    if not numbers.exists() or json.loads(numbers.read_text(encoding="utf-8")) == {}:
        shutil.rmtree(RUN, ignore_errors=True)
