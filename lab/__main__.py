# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the lab: ``python -m lab up|down|require``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lab import acme, network
from lab.hosts import ensure_host, process_of, remove_hosts
from lab.image import ensure_image, remove_images
from lab.machine import (
    LabError,
    containers_conf,
    forget_machine,
    machine_lock,
    raise_sysctls,
    require,
    restore_sysctls,
    run,
)
from lab.model import DEFAULT_HOSTS, ROOT, Host, Lab, lab_directory, lab_key
from lab.state import remembered, write_state


def up(name: str, host_names: list[str], direct: bool = False) -> Lab:
    """Bring a lab up, whatever is left of an earlier one."""
    lab = dataclasses.replace(_describe(name, host_names), direct=direct)
    ensure_images(lab)
    raise_sysctls(lab.key)
    _ensure_identity(lab)
    acme.ensure_authority(lab)
    network.ensure_router(lab)
    services = lab.hosts[0]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: ensure_host(lab, host), lab.hosts))
    acme.ensure_services(lab, services, process_of(lab, services))
    write_state(lab)
    connect(lab)
    return lab


def connect(lab: Lab) -> None:
    """Have the collection write the ssh_config and known_hosts, as it does for hosts anywhere."""
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    program = Path(sys.executable).parent / "ansible-playbook"
    arguments = [str(program), "--inventory", str(lab.directory / "inventory"), str(ROOT / "playbooks/connect.yml")]
    result = subprocess.run(arguments, env=environment, cwd=ROOT, check=False, capture_output=True, text=True)
    if result.returncode != 0:
        raise LabError(f"{shlex.join(arguments)} failed: {result.stdout}{result.stderr}")


def ensure_images(lab: Lab) -> None:
    """Build the images of all hosts that this machine lacks, side by side."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(ensure_image, sorted({host.distribution for host in lab.hosts})))
    ensure_image("debian12", services=True)


def down(name: str, images: bool) -> None:
    """Remove a lab from the machine; ``images`` as well when no other lab uses them."""
    key = lab_key(name)
    remove_hosts(key)
    lab = remembered(name)
    if lab:
        network.remove_router(lab)
    network.release_number(key)
    restore_sysctls(key)
    if images:
        remove_images()
    _forget(name)


def _forget(name: str) -> None:
    """Remove a lab's folder; the demo's holds those of the other labs, which stay."""
    folder = lab_directory(name)
    kept = [lab_directory(other) for other in _names() if other != "demo"] if name == "demo" else []
    for path in folder.iterdir():
        if path in kept:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)


def _describe(name: str, host_names: list[str]) -> Lab:
    hosts = tuple(dict.fromkeys([Host.named("acme"), *(Host.named(host) for host in host_names)]))
    before = remembered(name)
    number = network.allocate_number(lab_key(name), before.number if before else None)
    if before and before.number != number:
        network.remove_router(before)
    lab = Lab(name, number, hosts)
    lab.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    (lab.directory / "lab.json").write_text(
        json.dumps({"number": number, "hosts": [host.name for host in hosts]}), encoding="utf-8"
    )
    return lab


def _ensure_identity(lab: Lab) -> None:
    path = lab.directory / "id_ed25519"
    if not (path.exists() and path.with_suffix(".pub").exists()):
        path.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"gatehouse-lab-{lab.key}", "-f", str(path))


def _names() -> list[str]:
    """Every lab of this checkout, the demo's last because the others' state is below its own."""
    found = {path.parent.name for path in (ROOT / ".lab").glob("*/containers.conf")}
    return [*sorted(found), "demo"]


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    with machine_lock(f"lab-{lab_key(name)}"):
        yield


def _use_podman(name: str) -> None:
    directory = lab_directory(name)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / "containers.conf"
    path.write_text(containers_conf(), encoding="utf-8")
    os.environ["CONTAINERS_CONF"] = str(path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("action", choices=["up", "down", "require"])
    parser.add_argument("--name", default="demo", help="one of several labs of this checkout (default: demo)")
    parser.add_argument("--hosts", default=",".join(DEFAULT_HOSTS), help="for example bastion,web,web13")
    parser.add_argument("--direct", action="store_true", help="up: private hosts answer this machine on port 22")
    parser.add_argument("--all", action="store_true", help="down: every lab of this checkout")
    parser.add_argument("--images", action="store_true", help="down: remove the images as well")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        require()
        _use_podman(options.name)
        with _one_at_a_time(options.name):
            if options.action == "up":
                lab = up(options.name, options.hosts.split(","), options.direct)
                names = " ".join(host.name for host in lab.hosts)
                print(f"The lab '{lab.name}' is up after {time.monotonic() - began:.1f} s: {names}")
            elif options.action == "down":
                for name in _names() if options.all else [options.name]:
                    down(name, options.images)
                    print(f"The lab '{name}' is gone")
                forget_machine()
    except (LabError, ValueError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
