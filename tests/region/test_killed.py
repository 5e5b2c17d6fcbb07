# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes real is killed in the middle of changes, time and again, and the next one brings everything to its end.

Here it is a process of its own, so that the control plane outlives it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from types import SimpleNamespace
from typing import Any
from xmlrpc.client import ServerProxy
from xmlrpc.server import SimpleXMLRPCServer

import boto3
import pytest
from botocore.config import Config

from lab.cloud.server import NO_RETRIES
from lab.region import adapters
from lab.region.balancing import LoadBalancing
from lab.region.changes import Changes
from lab.region.control import READER
from lab.region.firewall import Firewalls
from lab.region.hosts import Hosts, containers
from lab.region.metadata import Metadata
from lab.region.network import Network
from lab.region.place import Place, namespace_file
from lab.region.read_state import read
from lab.region.reconciler import Reconciler
from lab.region.region import use_podman
from lab.region.resolvers import Resolvers
from tests.region.account import Account, eventually
from tests.region.test_routes import connect
from tests.region.test_security import ask, everyone, group, tcp

# When the process is killed: of an instance that comes and one that goes, the namespace is there or a command is under
# way.
MOMENTS: tuple[Callable[[Place, str, str], bool], ...] = (
    lambda place, new, _old: namespace_file(place.namespace_of(new)).exists(),
    lambda _place, new, _old: under_way("podman", "create", f"--name={new}"),
    lambda _place, new, _old: under_way("podman", "start", new),
    lambda _place, _new, old: under_way("podman", "rm", old),
    lambda place, _new, _old: under_way("haproxy", "-c", str(place.directory)),
)


class Server(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True


class Elsewhere:
    """The instances of a control plane in another process, as ``lab.region.instances`` has them."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            return getattr(ServerProxy(self._url, allow_none=True), name)(*arguments)

        return call

    def say(self, *_last_words: str) -> None:
        """XML-RPC cannot carry all that a console shows."""

    def leaving(self) -> set[str]:
        return set(self.__getattr__("leaving")())

    def take_reboots(self, besides: frozenset[str]) -> Any:
        return self.__getattr__("take_reboots")(sorted(besides))


def reconcile(place: Place, endpoint: str, region: str, url: str) -> None:
    """What the process does until it is killed."""
    use_podman(place)
    changes, other = Changes(), Elsewhere(url)
    session = boto3.session.Session(aws_access_key_id=READER, aws_secret_access_key="reader", region_name=region)
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=endpoint, config=Config(retries=NO_RETRIES))
        return clients[service]

    cloud: Any = SimpleNamespace(changes=changes, health=SimpleNamespace())
    instances: Any = other
    parts = (
        Network(place),
        Firewalls(place),
        Metadata(place, client),
        Resolvers(place, changes),
        Hosts(place, instances, changes, print),
        LoadBalancing(place, cloud),
    )
    # To make clients takes longer than what they are for.
    read(client, adapters.READERS)
    other.ready()
    Reconciler(client, changes, parts, adapters.READERS).start()
    seen = -1
    while True:
        seen = other.wait(seen)
        changes.add()


class Mortal:
    """A process that makes real, and what the control plane hears of it."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._ready = threading.Event()
        self._server = Server(("127.0.0.1", 0), logRequests=False, allow_none=True)
        instances = account.cloud.instances
        for name in ("became", "shut_down_behavior", "take_reboots"):
            self._server.register_function(getattr(instances, name), name)
        self._server.register_function(lambda: sorted(instances.leaving()), "leaving")
        self._server.register_function(account.cloud.changes.wait, "wait")
        self._server.register_function(self._ready.set, "ready")
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def dies(self, change: Callable[[], tuple[str, str]], moment: Callable[[Place, str, str], bool]) -> None:
        """Start it, let something change, and kill it at the moment."""
        self._ready.clear()
        cloud, (host, port) = self._account.cloud, self._server.server_address
        arguments = (self._account.region.place, cloud.endpoint, cloud.region, f"http://{host!s}:{port}")
        process = multiprocessing.get_context("spawn").Process(target=reconcile, args=arguments)
        process.start()
        try:
            assert self._ready.wait(60)
            new, old = change()
            assert eventually(lambda: moment(self._account.region.place, new, old), 30, 0.002), (new, old)
        finally:
            assert process.pid
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        assert process.exitcode == -signal.SIGKILL

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def under_way(*words: str) -> bool:
    """Whether there is a process with these words in its command."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_text(encoding="utf-8", errors="replace")
            if all(word in command for word in words):
                return True
    return False


@pytest.fixture
def mortal(account: Account) -> Iterator[Mortal]:
    """Nobody else makes real meanwhile."""
    made = Mortal(account)
    account.region.stop()
    yield made
    account.region.start()
    made.close()


def test_whoever_comes_after_one_that_was_killed_brings_everything_to_its_end(account: Account, mortal: Mortal) -> None:
    launched: list[str] = []
    place, elbv2, vpc = account.region.place, account.cloud.client("elbv2"), account.vpc()

    def change() -> tuple[str, str]:
        """An instance and a load balancer more, and an instance less."""
        web = group(account, vpc, f"web-{len(launched)}")
        account.ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=tcp(22, **everyone()))
        made = account.launch(vpc.public, web, public=True)
        launched.append(made)
        balancer = elbv2.create_load_balancer(Name=made, Subnets=[vpc.public], SecurityGroups=[vpc.group])
        answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418"}}
        arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[answer])
        old = launched[-3:-2]
        if old:
            account.ec2.terminate_instances(InstanceIds=old)
        return made, "".join(old)

    for moment in MOMENTS:
        mortal.dies(change, moment)
    account.region.start()
    for instance in launched[:-2]:
        assert account.becomes(instance, "terminated")
    for instance in launched[-2:]:
        assert account.becomes(instance, "running"), account.instance(instance)["StateReason"]
        address = account.instance(instance)["PublicIpAddress"]
        assert eventually(lambda at=address: connect(at, 22) == 0, 60)
    assert set(containers(place)) == set(launched[-2:])
    left = {path.name for path in Path("/run/netns").glob(f"{place.prefix}i-*")}
    assert left == {place.namespace_of(instance) for instance in launched[-2:]}
    filters = [{"Name": "description", "Values": ["ELB app/*"]}]
    for node in account.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]:
        address = node["Association"]["PublicIp"]
        assert eventually(lambda at=address: ask(at, 80) == "418", 20), node
    account.region.stop()
