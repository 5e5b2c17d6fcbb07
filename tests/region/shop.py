# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load balancer of two zones in network namespaces, targets that answer in theirs, and a visitor."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab.cloud import ControlPlane
from lab.cloud.certificates import private_key
from lab.region.changes import Changes
from lab.region.haproxy_process import Process
from lab.region.load_balancer import Balancers, WantedNode, wanted
from lab.region.read_load_balancer import read
from tests.region.namespaces import Namespace, Network


class Server(ThreadingHTTPServer):
    """Whoever hangs up is nothing to write about."""

    daemon_threads = True

    def handle_error(self, *_request: object) -> None:
        pass


class Target:
    """An instance with a web server. It tells its name and the headers that it was asked with."""

    def __init__(self, name: str, namespace: Namespace, instance: str) -> None:
        self.name, self.namespace, self.instance = name, namespace, instance
        # Status of /health; None is no answer at all.
        self.health: int | None = 200
        self.checks: list[float] = []
        self.headers: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        self.stopping = threading.Event()
        self._server = Server(("", 80), self._handler(), bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = self.namespace.listen(80)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """From now on connections are refused; what is under way goes on."""
        self.stopping.set()
        self._server.shutdown()
        self._server.socket.close()

    def answer(self, path: str) -> int | None:
        """The status; how long it takes is part of the path, as in /wait/3."""
        if path.startswith("/health"):
            self.checks.append(time.monotonic())
            if self.health is None:
                self.stopping.wait(30)
            return self.health
        if path.startswith("/wait/"):
            time.sleep(float(path.rpartition("/")[2]))
        return 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status = target.answer(self.path)
                if status is None:
                    self.close_connection = True
                    return
                said = {"name": target.name, "path": self.path, "headers": dict(self.headers)}
                body = json.dumps(said).encode()
                self.send_response(status)
                for name, value in target.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_message: object) -> None:
                pass

        return Handler


@dataclass(frozen=True)
class Answer:
    """status 0: the connection ended without one."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def name(self) -> str:
        """Of the target."""
        return str(json.loads(self.body)["name"]) if self.status == 200 else str(self.status)

    @property
    def seen(self) -> dict[str, str]:
        """The headers that the target saw, by their lower-case names."""
        found: dict[str, str] = json.loads(self.body)["headers"]
        return {name.lower(): value for name, value in found.items()}


class Shop:
    """Everything is made through the API; a thread makes it real, as the reconciler would."""

    def __init__(self, cloud: ControlPlane) -> None:
        self.cloud, self.ec2, self.elbv2 = cloud, cloud.client("ec2"), cloud.client("elbv2")
        self.network, self.changes = Network(), Changes()
        self.visitor = self.network.host("198.51.100.7")
        self.folder = Path(tempfile.mkdtemp(prefix="gh-", dir="/run"))
        self.places: dict[str, Namespace] = {}
        self.targets: list[Target] = []
        self.failures: list[Exception] = []
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        found = self.ec2.describe_subnets()["Subnets"]
        self.subnets = [
            subnet["SubnetId"] for subnet in sorted(found, key=lambda entry: str(entry["AvailabilityZone"]))
        ]
        made = self.elbv2.create_load_balancer(Name="shop", Subnets=self.subnets[:2])["LoadBalancers"][0]
        self.balancer = made["LoadBalancerArn"]
        for interface in self.ec2.describe_network_interfaces()["NetworkInterfaces"]:
            if interface["Description"].startswith("ELB "):
                self.places[interface["NetworkInterfaceId"]] = self.network.host(interface["PrivateIpAddress"])
        self.nodes = list(self.places.values())
        self.begin()

    def begin(self) -> None:
        """Start what makes real."""
        self.balancers = Balancers(self.folder, self.place, private_key, self.changes.add, self.changes.later)
        self.cloud.health.measured = self.balancers.health
        self._ending = False
        self._thread = threading.Thread(target=self._reconcile, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop it; what is real stays."""
        self._ending = True
        self.changes.add()
        self._thread.join()
        self.balancers.close()

    def remove(self) -> None:
        self.end()
        self.cloud.health.measured = None
        self.balancers.apply(())
        for target in self.targets:
            if not target.stopping.is_set():
                target.stop()
        self.network.remove()
        shutil.rmtree(self.folder)

    def place(self, node: WantedNode) -> Path | None:
        found = self.places.get(node.node.interface)
        return found.path if found else None

    def _reconcile(self) -> None:
        seen = -1
        while not self._ending:
            seen = self.changes.wait(seen)
            try:
                self.balancers.apply(wanted(read(self.cloud.client)))
            except Exception as error:
                self.failures.append(error)
                self.changes.later(0.5)

    def settle(self, done: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something is so."""
        self.changes.add()
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"not so after {seconds} seconds; {self.failures}"
            time.sleep(0.05)

    def target(self, name: str, subnet: int = 0) -> Target:
        made = self.ec2.run_instances(
            ImageId="ami-0deb1300000000001", MinCount=1, MaxCount=1, SubnetId=self.subnets[subnet]
        )["Instances"][0]
        found = Target(name, self.network.host(made["PrivateIpAddress"]), made["InstanceId"])
        self.targets.append(found)
        return found

    def group(self, name: str, *targets: Target, **settings: Any) -> str:
        """A target group with these targets, by its ARN."""
        checks = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2, "HealthCheckPath": "/health"}
        thresholds = {"HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2}
        made = self.elbv2.create_target_group(
            **{"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, **checks, **thresholds, **settings}
        )
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        if targets:
            self.register(arn, *targets)
        return arn

    def set(self, arn: str, **attributes: str) -> None:
        """Attributes of a target group, with _ for the dots in their names."""
        told = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
        self.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=told)

    def register(self, arn: str, *targets: Target) -> None:
        self.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": target.instance} for target in targets])
        self.changes.add()

    def deregister(self, arn: str, *targets: Target) -> None:
        self.elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": target.instance} for target in targets])
        self.changes.add()

    def listen(self, port: int, *actions: dict[str, Any], **settings: Any) -> str:
        made = self.elbv2.create_listener(
            **{
                "LoadBalancerArn": self.balancer,
                "Protocol": "HTTP",
                "Port": port,
                "DefaultActions": list(actions),
                **settings,
            }
        )
        self.changes.add()
        return str(made["Listeners"][0]["ListenerArn"])

    def rule(self, listener: str, priority: int, action: dict[str, Any], *conditions: dict[str, Any]) -> None:
        self.elbv2.create_rule(ListenerArn=listener, Priority=priority, Actions=[action], Conditions=list(conditions))
        self.changes.add()

    def serving(self, port: int, *targets: Target, **settings: Any) -> str:
        """A group behind a listener of its own, all of whose targets are healthy; its ARN."""
        arn = self.group(f"group-{port}", *targets, **settings)
        self.listen(port, forward(arn))
        self.settle(lambda: self.states(arn) == {target.name: "healthy" for target in targets})
        return arn

    def health(self, arn: str) -> dict[str, dict[str, str]]:
        """TargetHealth by the target's name."""
        names = {target.instance: target.name for target in self.targets}
        told = self.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {names[entry["Target"]["Id"]]: entry["TargetHealth"] for entry in told}

    def states(self, arn: str) -> dict[str, str]:
        return {name: found["State"] for name, found in self.health(arn).items()}

    def ask(self, port: int, path: str = "/", node: int = 0, **settings: Any) -> Answer:
        """What the visitor gets from a node."""
        try:
            with Visit(self, port, node, **settings) as visit:
                return visit.ask(path)
        except OSError:
            return Answer(0, {}, "")

    def process(self, node: int = 0) -> Process:
        subnet = self.subnets[node]
        return Process(next(path for path in self.folder.iterdir() if path.name.endswith(f"-{subnet}")))

    def names(self, port: int, number: int, path: str = "/") -> list[str]:
        """Who answers so many requests."""
        return [self.ask(port, path).name for _request in range(number)]


class Visit:
    """A connection of the visitor to a node; with TLS where an authority is named."""

    def __init__(
        self,
        shop: Shop,
        port: int,
        node: int = 0,
        host: str = "shop.test",
        authority: Path | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 15,
    ) -> None:
        self._headers = {"Host": host, **(headers or {})}
        self.socket = shop.visitor.connect(shop.nodes[node].address, port, timeout)
        if authority:
            context = ssl.create_default_context(cafile=str(authority))
            self.socket = context.wrap_socket(self.socket, server_hostname=host)
        self._connection = http.client.HTTPConnection(host, port)
        self._connection.sock = self.socket

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.socket.close()

    def ask(self, path: str = "/") -> Answer:
        try:
            self._connection.request("GET", path, headers=self._headers)
            got = self._connection.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read().decode())
        except (http.client.HTTPException, ConnectionError, TimeoutError):
            return Answer(0, {}, "")


def forward(arn: str) -> dict[str, Any]:
    return {"Type": "forward", "TargetGroupArn": arn}


def fixed(body: str, status: int = 200) -> dict[str, Any]:
    config = {"StatusCode": str(status), "ContentType": "text/plain", "MessageBody": body}
    return {"Type": "fixed-response", "FixedResponseConfig": config}


def on(field: str, *values: str) -> dict[str, Any]:
    config = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}[field]
    return {"Field": field, config: {"Values": list(values)}}


def certificate(cloud: ControlPlane, folder: Path, *names: str) -> tuple[str, Path]:
    """A certificate imported into ACM, and the file of the authority that vouches for it: itself."""
    key, chain = folder / f"{names[0]}.key", folder / f"{names[0]}.pem"
    alternatives = ",".join(f"DNS:{name}" for name in names)
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={names[0]}"]
    options = ["-addext", f"subjectAltName={alternatives}", "-keyout", str(key), "-out", str(chain)]
    subprocess.run([*command, *options], check=True, capture_output=True)
    made = cloud.client("acm").import_certificate(Certificate=chain.read_bytes(), PrivateKey=key.read_bytes())
    return str(made["CertificateArn"]), chain
