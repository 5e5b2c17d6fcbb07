# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers as hosts: created, started again after a crash or a reboot, prepared, removed."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from lab.image import ensure_image
from lab.machine import LabError, inside, run
from lab.model import Host, Lab
from lab.network import connect_host

OPTIONS = [
    "--systemd=always",
    "--cgroupns=private",
    # Without SYS_ADMIN systemd skips its sandboxing without a word; NET_ADMIN is for firewalls.
    "--cap-add=SYS_ADMIN,NET_ADMIN,NET_RAW,AUDIT_WRITE,SYS_PTRACE",
    "--network=none",
    # /etc/hosts as a bind mount could not be replaced by rename, as roles do.
    "--no-hosts",
    "--stop-timeout=3",
]
_STARTED = ("running", "degraded")


def ensure_host(lab: Lab, host: Host) -> bool:
    """Bring up one host and connect it; True when it had to be created or started."""
    image = ensure_image(host.distribution, services=host.group == "acme")
    container = lab.container(host)
    present = _inspect(container)
    if present and present["Config"]["Labels"].get("gatehouse.image") != image:
        _remove(container)
        present = None
    started = not (present and present["State"]["Running"] and Path(f"/proc/{present['State']['Pid']}").exists())
    if started:
        _start(lab, host, image, present is not None)
        present = _inspect(container)
    assert present is not None
    process = int(present["State"]["Pid"])
    connect_host(lab, host, process)
    # systemd does so when it boots a machine; in a container it leaves that to whoever started it, and without
    # it what is mounted later, credentials for one, reaches no service.
    inside(process, "mount", "--make-rshared", "/")
    if started:
        _wait_until_started(process, container)
    _prepare(lab, host, process)
    return started


def process_of(lab: Lab, host: Host) -> int:
    """Number of a host's first process on this machine."""
    present = _inspect(lab.container(host))
    if not present or not present["State"]["Running"]:
        raise LabError(f"{host.name} is not running; run the command that brings the lab up again.")
    return int(present["State"]["Pid"])


def remove_hosts(key: str) -> list[str]:
    """Remove every container of a lab, whatever state it is in; the names of what was removed."""
    listed = run("podman", "ps", "--all", "--format", "{{.Names}}", "--filter", f"label=gatehouse.lab={key}")
    names = listed.split()
    for name in names:
        _remove(name)
    return names


def host_keys(process: int) -> list[str]:
    """Public host keys, as a cloud's console output would show them."""
    folder = Path(f"/proc/{process}/root/etc/ssh")
    deadline = time.monotonic() + 20
    while not (folder / "ssh_host_ed25519_key.pub").exists():
        if time.monotonic() > deadline:
            raise LabError(f"no host keys below {folder} after 20 seconds")
        time.sleep(0.05)
    keys = [" ".join(path.read_text(encoding="ascii").split()[:2]) for path in sorted(folder.glob("ssh_host_*.pub"))]
    return [key for key in keys if key.startswith(("ssh-ed25519", "ssh-rsa"))]


def write_file(process: int, path: str, content: str, mode: int = 0o644) -> bool:
    """Write a file inside a host, where links lead nowhere else; True when it was not like that before."""
    if inside(process, "cat", path, check=False) == content:
        return False
    script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"'
    inside(process, "sh", "-c", script, "sh", path, f"{mode:o}", text=content)
    return True


def _inspect(container: str) -> dict[str, Any] | None:
    result: list[dict[str, Any]] = json.loads(run("podman", "inspect", container, check=False) or "[]")
    return result[0] if result else None


def _remove(container: str) -> None:
    """Remove a container; podman refuses while one that it has just killed is still being buried."""
    for _attempt in range(5):
        run("podman", "kill", container, check=False)
        with contextlib.suppress(LabError):
            run("podman", "rm", "--force", "--time=1", "--volumes", container)
            return
        time.sleep(0.5)
    run("podman", "rm", "--force", "--time=1", "--volumes", container)


def _start(lab: Lab, host: Host, image: str, exists: bool) -> None:
    container = lab.container(host)
    if exists:
        try:
            run("podman", "start", container)
            return
        except LabError:
            # What a crash left half made cannot be started again.
            _remove(container)
    labels = [f"--label=gatehouse.lab={lab.key}", f"--label=gatehouse.image={image}"]
    run(
        "podman",
        "run",
        "--detach",
        f"--name={container}",
        f"--hostname={host.name}",
        *labels,
        *OPTIONS,
        image,
        "/sbin/init",
    )


def _wait_until_started(process: int, container: str) -> None:
    """Until systemd is through, it still mounts and cleans what preparing a host needs."""
    deadline = time.monotonic() + 60
    while inside(process, "systemctl", "is-system-running", check=False).strip() not in _STARTED:
        if time.monotonic() > deadline:
            raise LabError(f"{container} has not started after 60 seconds; see 'podman logs {container}'")
        time.sleep(0.1)


def _prepare(lab: Lab, host: Host, process: int) -> None:
    acme = lab.address(next(other for other in lab.hosts if other.group == "acme"), "pub0")
    write_file(process, "/etc/resolv.conf", f"nameserver {acme}\n")
    write_file(process, "/etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {host.name}\n")
    keys = (lab.directory / "id_ed25519.pub").read_text(encoding="ascii")
    if write_file(process, "/home/admin/.ssh/authorized_keys", keys, 0o600):
        inside(process, "chown", "-R", "admin:admin", "/home/admin/.ssh")
        inside(process, "chmod", "0700", "/home/admin/.ssh")
    authority = (lab.directory / "ca" / "ca.pem").read_text(encoding="ascii")
    if write_file(process, "/usr/local/share/ca-certificates/gatehouse-lab.crt", authority):
        inside(process, "update-ca-certificates")
