# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers: a HAProxy per zone, and what its health checks find as what DescribeTargetHealth says."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.cloud.strict import lifecycle
from lab.cloud.strict.lifecycle import Health
from lab.machine import LabError
from lab.region import haproxy, haproxy_servers
from lab.region.haproxy_process import CONFIGURATION, PATIENCE, Process, write
from lab.region.haproxy_rules import backend
from lab.region.haproxy_targets import OPEN, is_for, server_name
from lab.region.state_load_balancer import LoadBalancer, LoadBalancers, Node

# ARN of the group, id and port.
TargetName = tuple[str, str, int]
# How often the end of a drain is looked for, in seconds.
DRAIN = 1.0
# Worse is later: what a target is to several nodes.
ORDER = ("healthy", "initial", "unhealthy")


@dataclass(frozen=True)
class WantedNode:
    """One HAProxy. servers and draining are named "backend/server"; certificates are ARNs by path."""

    name: str
    balancer: LoadBalancer
    node: Node
    files: Mapping[str, str]
    certificates: Mapping[str, str]
    servers: Mapping[str, TargetName]
    draining: frozenset[str]
    version: str


def wanted(state: LoadBalancers) -> tuple[WantedNode, ...]:
    """The nodes of all load balancers that anybody could connect to; HAProxy does not start without a listener."""
    return tuple(
        wanted_node(balancer, node, state)
        for balancer in state.balancers
        for node in balancer.nodes
        if haproxy.usable(balancer, state)
    )


def wanted_node(balancer: LoadBalancer, node: Node, state: LoadBalancers) -> WantedNode:
    text = haproxy.configuration(balancer, node, state)
    files = {**haproxy.error_files(), **haproxy.certificate_lists(balancer, state), CONFIGURATION: text}
    arns = {arn for listener in balancer.listeners for arn in listener.certificates if arn in state.certificates}
    chains = {haproxy.certificate_file(arn): state.certificates[arn] for arn in sorted(arns)}
    version = hashlib.sha256(json.dumps([files, chains]).encode()).hexdigest()[:16]
    mine = {arn for arn in haproxy.used(balancer.listeners) if arn in state.groups}
    targets = {
        f"{backend(arn)}/{server_name(target)}": (arn, target)
        for arn in sorted(mine)
        for target in state.groups[arn].targets
        if is_for(target, state.groups[arn], node)
    }
    return WantedNode(
        f"{balancer.arn.rpartition('/')[2]}-{node.subnet}",
        balancer,
        node,
        {**files, **chains, CONFIGURATION: f"global\n  description {version}\n\n{text}"},
        {haproxy.certificate_file(arn): arn for arn in sorted(arns)},
        {name: (arn, found.id, found.port) for name, (arn, found) in targets.items() if not found.draining},
        frozenset(name for name, (_arn, found) in targets.items() if found.draining),
        version,
    )


class Balancers:
    """All nodes, and what they say of their targets.

    folder: a short path, where each node has a folder of its own. namespace: the network namespace of a node, or None
    when there is none yet. private_key: PEM, by the ARN of a certificate. changed: told when the health of a target is
    another one. again: asked to call ``apply`` with what is then wanted after so many seconds.
    """

    def __init__(
        self,
        folder: Path,
        namespace: Callable[[WantedNode], Path | None],
        private_key: Callable[[str], str],
        changed: Callable[[], None],
        again: Callable[[float], None],
    ) -> None:
        self._folder, self._namespace, self._private_key = folder, namespace, private_key
        self._changed, self._again = changed, again
        self._nodes: dict[str, WantedNode] = {}
        self._found: dict[TargetName, Health] = {}
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._events = self._listen()
        threading.Thread(target=self._follow, name="health checks", daemon=True).start()

    def apply(self, nodes: tuple[WantedNode, ...]) -> None:
        """Bring every node to what is wanted; the requests that are under way are finished."""
        with self._lock:
            names = {node.name for node in nodes}
            for folder in self._folder.iterdir():
                if folder.is_dir() and folder.name not in names:
                    self._remove(folder)
            self._nodes = {name: node for name, node in self._nodes.items() if name in names}
            errors = [error for node in nodes if (error := self._try(node))]
        self.look()
        if any(node.draining for node in nodes) or len(self._nodes) < len(nodes):
            self._again(DRAIN)
        if errors:
            raise errors[0]

    def health(self, group: str, target: str, port: int | None) -> Health | None:
        """What the checks of all nodes found; None where they do not know of the target."""
        return self._found.get((group, target, port or 0))

    def look(self) -> None:
        """Read what the health checks found; let requests to new targets that passed."""
        with self._lock:
            found: dict[TargetName, list[Health]] = {}
            for node in self._nodes.values():
                for name, health in self._look_at(node):
                    found.setdefault(name, []).append(health or self._found.get(name) or lifecycle.CHECKING)
            before, self._found = self._found, {name: worst(said) for name, said in found.items()}
            changed = before != self._found
        if changed:
            self._changed()

    def close(self) -> None:
        """Forget the nodes; they go on."""
        with contextlib.suppress(OSError):
            self._events.shutdown(socket.SHUT_RDWR)
        self._events.close()

    def _look_at(self, node: WantedNode) -> list[tuple[TargetName, Health | None]]:
        """Nothing new is known of the targets of a node that does not answer."""
        process = Process(self._folder / node.name)
        try:
            observed = list(haproxy_servers.observed(process.ask("@1 show stat")))
        except OSError:
            return [(target, None) for target in node.servers.values()]
        servers = [found for found in observed if found.name in node.servers]
        for server in servers:
            if server.passed:
                process.ask(f"@1 set server {server.name} state ready")
        return [(node.servers[server.name], server.health) for server in servers]

    def _try(self, node: WantedNode) -> Exception | None:
        """Bring a node there; what went wrong is no reason to leave out the others."""
        try:
            if self._bring(node):
                self._nodes[node.name] = node
        except (LabError, OSError) as error:
            return error
        return None

    def _bring(self, node: WantedNode) -> bool:
        """Start or reload a node; False when it has no place yet."""
        namespace = self._namespace(node)
        if namespace is None:
            return False
        process = Process(self._folder / node.name)
        running = process.is_in(namespace)
        if running and process.version(PATIENCE) == node.version:
            return True
        keys = {path: node.files[path] + self._private_key(arn) for path, arn in node.certificates.items()}
        write(process.folder, {**node.files, **keys})
        dump = process.ask("@1 show servers state") if running else ""
        if running:
            self._release(process, node, dump)
        (process.folder / haproxy.SERVERS).write_text(haproxy_servers.remembered(dump, node.servers), encoding="utf-8")
        if running:
            process.reload(node.version)
        else:
            process.stop()
            process.start(namespace)
        return True

    def _release(self, process: Process, node: WantedNode, dump: str) -> None:
        """Send nothing more to targets that drain or are gone, and end what those that are gone still answer."""
        known = {name.replace(f"{OPEN}/", "/") for name in haproxy_servers.states(dump)}
        for name in sorted(known - node.servers.keys()):
            for each in (name, name.replace("/", f"{OPEN}/")):
                process.disable(each)
                if name not in node.draining:
                    process.cut(each)

    def _remove(self, folder: Path) -> None:
        Process(folder).stop()
        shutil.rmtree(folder)

    def _listen(self) -> socket.socket:
        path = self._folder / haproxy.EVENTS
        path.unlink(missing_ok=True)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.bind(str(path))
        return opened

    def _follow(self) -> None:
        """Look whenever a node says that a check had another result."""
        while True:
            try:
                if not self._events.recv(65536):
                    return
                # What comes together is looked at once.
                time.sleep(0.02)
                with contextlib.suppress(BlockingIOError):
                    while self._events.recv(65536, socket.MSG_DONTWAIT):
                        pass
            except OSError:
                return
            # A node may end at any moment; what is not seen now is seen with the next event.
            with contextlib.suppress(OSError):
                self.look()


def worst(said: list[Health]) -> Health:
    """What a target is, when nodes find different things."""
    return max(said, key=lambda health: ORDER.index(health.state))
