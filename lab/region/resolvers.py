# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name servers of a region: dnsmasq in every VPC, and one that they and this machine ask for the rest.

A VPC's answers at the addresses that AWS has for it, whether or not there is a way to the Internet:
https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
"""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from lab import acme
from lab.machine import LabError, run
from lab.model import ZONE
from lab.region import names
from lab.region.changes import Changes
from lab.region.daemon import Daemon
from lab.region.deaths import Deaths
from lab.region.place import Place, namespace_file
from lab.region.state import State
from lab.region.vpc_rules import REGION_END, RESOLVER
from lab.state import remembered

CONFIGURATION, HOSTS, PID = "conf", "hosts", "pid"


@dataclass(frozen=True)
class Resolver:
    """A name server as it should be; ``upstream`` answers what it does not know, None: whoever this machine asks."""

    addresses: tuple[str, ...]
    answers: names.Answers
    upstream: str | None = None


class Resolvers:
    """The adapter."""

    needed = False

    def __init__(self, place: Place, changes: Changes) -> None:
        self._place = place
        self._deaths = Deaths(changes)
        self._told: dict[str, tuple[int, tuple[str, ...]]] = {}

    def wanted(self, state: State) -> dict[str, Resolver]:
        """Namespace → the name server in it."""
        place = self._place
        region = Resolver((REGION_END, place.uplink[1]) if state.vpcs else place.uplink[1:], names.answers(state))
        return {place.namespace: region} | {
            place.namespace_of(vpc.id): Resolver((RESOLVER, vpc.resolver), names.answers(state, vpc.id), REGION_END)
            for vpc in state.vpcs
        }

    def apply(self, wanted: dict[str, Resolver]) -> None:
        for path in folder(self._place).glob("*"):
            if path.name not in wanted:
                remove(path)
        for namespace, resolver in wanted.items():
            self._bring(namespace, resolver)

    def close(self) -> None:
        """The name servers go on."""
        self._deaths.close()

    def _bring(self, namespace: str, resolver: Resolver) -> None:
        path = folder(self._place) / namespace
        path.mkdir(parents=True, exist_ok=True)
        lines = configuration(path, resolver, self._place.lab)
        running = daemon(path)
        process = running.pid()
        if process is None or not running.is_in(namespace_file(namespace)) or content(path / CONFIGURATION) != lines:
            trial = path / f"{CONFIGURATION}.trial"
            write(trial, lines)
            run("dnsmasq", "--test", f"--conf-file={trial}")
            running.stop()
            write(path / HOSTS, resolver.answers.hosts)
            write(path / CONFIGURATION, lines)
            start(path, namespace)
        elif self._told.get(namespace) != (process, resolver.answers.hosts):
            write(path / HOSTS, resolver.answers.hosts)
            os.kill(process, signal.SIGHUP)
        process = running.pid()
        if process is None:
            raise LabError(f"the name server in {namespace} has ended")
        self._told[namespace] = (process, resolver.answers.hosts)
        self._deaths.watch(namespace, process)


def configuration(path: Path, resolver: Resolver, lab: str) -> tuple[str, ...]:
    """Lines for a name server that lives in a folder."""
    own = [f"listen-address={address}" for address in resolver.addresses]
    own += ["bind-interfaces", "user=root", f"addn-hosts={path / HOSTS}", f"pid-file={path / PID}"]
    if resolver.upstream:
        others = [f"server={resolver.upstream}"]
    else:
        others = [f"server={address}" for address in acme.upstream_servers()]
        foreign = {name: address for name, address in lab_names(lab).items() if name not in resolver.answers.zones}
        others += [f"server=/{name}/{address}" for name, address in foreign.items()]
    return (*own, *others, *resolver.answers.configuration)


def lab_names(name: str) -> dict[str, str]:
    """Zone → name server, of the names that a static lab answers for."""
    lab = remembered(name)
    services = [host for host in lab.hosts if host.group == "acme"] if lab else []
    if lab is None or not services:
        return {}
    address = lab.address(services[0], "pub0")
    return dict.fromkeys((*lab.zones(), f"acme.{ZONE}"), address)


def start(path: Path, namespace: str) -> None:
    """Return when it answers."""
    run("nsenter", f"--net={namespace_file(namespace)}", "dnsmasq", f"--conf-file={path / CONFIGURATION}")


def write(path: Path, lines: tuple[str, ...]) -> None:
    new = path.with_suffix(".new")
    new.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    new.rename(path)


def content(path: Path) -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8").splitlines()) if path.exists() else ()


def daemon(path: Path) -> Daemon:
    """The name server that lives in a folder."""
    return Daemon(path / PID, path / CONFIGURATION)


def remove(path: Path) -> None:
    daemon(path).stop()
    shutil.rmtree(path)


def remove_all(place: Place) -> None:
    """Every name server, whoever started it."""
    for path in folder(place).glob("*"):
        remove(path)


def folder(place: Place) -> Path:
    return place.directory / "names"
