# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances as containers with systemd, each in the network namespace that was made for it.

Starting and stopping take a while, so they are done by a few threads; every container that has its state is left
alone. A container that ends by itself is noticed by its first process.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.machine import LabError, inside, run
from lab.model import lab_directory
from lab.region.authority import ACM, Authority
from lab.region.catalogue import DISTRIBUTIONS
from lab.region.changes import Changes
from lab.region.deaths import Deaths
from lab.region.image import ensure_instance_image
from lab.region.instances import FAILED, LOST, SHUT_DOWN, Instances
from lab.region.place import Place, namespace_file
from lab.region.state import State

OPTIONS = [
    "--systemd=always",
    "--cgroupns=private",
    # Without SYS_ADMIN systemd skips its sandboxing without a word; NET_ADMIN is for firewalls; SYS_BOOT tells a
    # reboot from a shutdown (of the container: it has a process namespace of its own).
    "--cap-add=SYS_ADMIN,NET_ADMIN,NET_RAW,AUDIT_WRITE,SYS_PTRACE,SYS_BOOT",
    "--no-hosts",
    # The console.
    "--tty",
    "--stop-timeout=10",
]
LABEL = "gatehouse.region"
# 128 and the signal that the kernel ends process 1 of a namespace with.
REBOOTED = 129
AT_A_TIME = 4
# Seconds until what failed is tried again.
RETRY = 1.0


@dataclass(frozen=True)
class Host:
    """An instance as it should be: ``state`` is the API's."""

    id: str
    state: str
    image: str
    hostname: str
    resolver: str
    domain: str


@dataclass(frozen=True)
class Container:
    """An instance as it is. ``ending`` is one whose end is not on record yet."""

    id: str
    running: bool
    ending: bool
    status: int
    process: int


class Hosts:
    """The adapter."""

    needed = False

    def __init__(self, place: Place, instances: Instances, changes: Changes, log: Callable[[str], None]) -> None:
        self._place, self._instances, self._changes, self._log = place, instances, changes, log
        self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="hosts")
        self._busy: set[str] = set()
        self._deaths = Deaths(changes)
        instances.console = console

    def wanted(self, state: State) -> dict[str, Host]:
        """Id → instance, of all that exist and have a network."""
        vpcs = {vpc.id: vpc for vpc in state.vpcs}
        connected = {interface.owner for interface in state.interfaces}
        return {
            found.id: Host(
                found.id,
                found.state,
                found.image,
                found.hostname,
                vpcs[found.vpc].resolver,
                found.private_name.partition(".")[2],
            )
            for found in state.instances
            if found.exists and found.vpc in vpcs and found.id in connected
        }

    def apply(self, wanted: Mapping[str, Host]) -> None:
        # Before a look at the containers: what is done in between is seen next time.
        busy = frozenset(self._busy)
        present = containers(self._place)
        for instance_id in self._instances.take_reboots(busy):
            self._do(instance_id, self._reboot, present.get(instance_id))
        for container in present.values():
            if container.id not in wanted and container.id not in busy:
                self._do(container.id, self._remove, container)
        for host in wanted.values():
            if host.id not in busy:
                self._bring(host, present.get(host.id))
        for instance_id in self._instances.leaving() - set(present) - busy:
            self._instances.became(instance_id, "terminated")

    def close(self) -> None:
        """Return when nothing is being done any more."""
        self._pool.shutdown(cancel_futures=True)
        self._deaths.close()

    def _bring(self, host: Host, container: Container | None) -> None:
        """Do what brings an instance from where its container is to where it should be."""
        running = container is not None and container.running
        if running and container is not None:
            self._deaths.watch(container.id, container.process)
        if container is not None and container.ending:
            self._changes.later(0.2)
        elif host.state == "pending":
            self._do(host.id, self._start, host, container)
        elif host.state == "running" and not running:
            self._do(host.id, self._ended, host, container)
        elif host.state in ("stopping", "stopped") and running:
            self._do(host.id, self._stop, host)
        elif host.state in ("stopping", "stopped") and container is None:
            self._instances.became(host.id, "terminated", LOST)
        elif host.state == "stopping":
            self._instances.became(host.id, "stopped")

    def _do(self, instance_id: str, action: Callable[..., None], *arguments: Any) -> None:
        """Let a thread do something with an instance, one thing at a time."""
        if instance_id in self._busy:
            return
        self._busy.add(instance_id)

        def work() -> None:
            again = True
            try:
                action(*arguments)
                again = False
            except LabError as error:
                self._log(f"{instance_id}: {error}")
            except Exception:
                self._log(f"{instance_id}: {traceback.format_exc()}")
            finally:
                self._busy.discard(instance_id)
                self._changes.later(RETRY) if again else self._changes.add()

        self._pool.submit(work)

    def _start(self, host: Host, container: Container | None) -> None:
        try:
            if container is None:
                create(self._place, host)
            start(host.id)
            self._instances.became(host.id, "running")
        except LabError as error:
            found = containers(self._place).get(host.id)
            if found and (found.running or container is None):
                # What an earlier process had begun has come to its end meanwhile.
                raise
            self._log(f"{host.id} does not start: {error}")
            self._instances.became(host.id, "terminated", FAILED)

    def _stop(self, host: Host) -> None:
        run("podman", "stop", host.id)

    def _ended(self, host: Host, container: Container | None) -> None:
        """It has rebooted, or shut itself down, or is gone altogether."""
        if container is None:
            self._instances.became(host.id, "terminated", LOST)
        elif container.status == REBOOTED:
            start(host.id)
        else:
            self._instances.became(host.id, self._instances.shut_down_behavior(host.id), SHUT_DOWN)

    def _reboot(self, container: Container | None) -> None:
        if container and container.running:
            inside(container.process, "systemctl", "reboot", check=False)

    def _remove(self, container: Container) -> None:
        self._instances.say(container.id, console(container.id))
        remove(container.id)


def containers(place: Place) -> dict[str, Container]:
    """Id → container, of all that this region has."""
    listed = run("podman", "ps", "--all", "--format", "json", "--filter", f"label={LABEL}={place.key}")
    found: list[dict[str, Any]] = json.loads(listed or "[]")
    return {entry["Names"][0]: container(entry) for entry in found}


def container(entry: Mapping[str, Any]) -> Container:
    process = int(entry["Pid"])
    lives = entry["State"] == "running" and Path(f"/proc/{process}").exists()
    ending = entry["State"] in ("running", "stopping", "removing") and not lives
    return Container(entry["Names"][0], lives, ending, int(entry["ExitCode"]), process)


def console(name: str) -> str:
    """What a container has written on its console since it was created."""
    return run("podman", "logs", name, check=False)


def create(place: Place, host: Host) -> None:
    """Create the container of an instance."""
    image = ensure_instance_image(DISTRIBUTIONS[host.image])
    named = [f"--name={host.id}", f"--hostname={host.hostname}", f"--label={LABEL}={place.key}"]
    network = [f"--network=ns:{namespace_file(place.namespace_of(host.id))}"]
    names = [f"--dns={host.resolver}", f"--dns-search={host.domain}"]
    folder = "/usr/local/share/ca-certificates"
    trust = [f"--volume={path}:{folder}/gatehouse-{name}.crt:ro" for name, path in roots(place).items()]
    run("podman", "create", *named, *network, *names, *trust, *OPTIONS, image, "/sbin/init")


def roots(place: Place) -> dict[str, Path]:
    """The authorities that instances trust: the region's, and that of the lab beside it."""
    found = {"region": Authority(place.directory / ACM).root, "lab": lab_directory(place.lab) / "ca" / "ca.pem"}
    return {name: path for name, path in found.items() if path.exists()}


def start(name: str) -> None:
    """Start a container as a machine boots: what is mounted in it later reaches its services."""
    run("podman", "start", name)
    process = int(run("podman", "inspect", "--format", "{{.State.Pid}}", name))
    if process:
        inside(process, "mount", "--make-rshared", "/", check=False)


def remove(name: str) -> None:
    """Remove a container, whatever state it is in."""
    run("podman", "rm", "--force", "--time=10", "--volumes", name)


def remove_all(place: Place) -> None:
    """Every container that the region has."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(lambda name: run("podman", "rm", "--force", "--time=0", "--volumes", name), containers(place)))
