# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control plane of a region: it counts changes, and answers whoever makes them real unseen and undisturbed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from ipaddress import IPv4Network
from typing import Any
from unittest import mock

import boto3
from botocore.config import Config
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.ec2.responses.general import General
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from lab.cloud import ControlPlane
from lab.cloud.calls import Call
from lab.cloud.server import NO_RETRIES, REGION, Handler
from lab.region import account
from lab.region.changes import Changes
from lab.region.instances import Instances

READING = ("Describe", "Get", "List", "Head", "Batch", "Lookup", "Search", "GET ", "HEAD ")
# A region runs for days; its log of calls does not grow for days.
CALLS_KEPT = 5000
# Whoever signs with it is neither logged nor failed.
READER = "AKIAREGIONREADER0000"


class RegionControlPlane(ControlPlane):
    """AWS whose instances take their time, on 127.0.0.1 and wherever else it is asked to listen."""

    def __init__(self, public: IPv4Network, port: int = 0, region: str = REGION) -> None:
        super().__init__(port=port, region=region)
        self.changes = Changes()
        self.instances = Instances(self._carrying_out, self.changes.add)
        self.addresses = account.Addresses(public)
        self._stack = ExitStack()
        self._listening: list[tuple[Any, threading.Thread]] = []
        self._readers: dict[str, Any] = {}

    def __enter__(self) -> RegionControlPlane:
        self._stack.enter_context(account.in_place(self.addresses))
        answer = self.instances.console_output
        self._stack.enter_context(mock.patch.object(General, "get_console_output", lambda asked: answer(asked)))
        super().__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        for server, thread in self._listening:
            server.shutdown()
            thread.join()
            server.server_close()
        super().__exit__(*exception)
        self._stack.close()

    @property
    def exclusively(self) -> threading.Lock:
        """What every call is carried out under."""
        return self._carrying_out

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def listen(self, socket: Any) -> None:
        """Answer on a listening socket as well."""
        address, port = socket.getsockname()
        server = make_server(address, port, self._serve, threaded=True, request_handler=Handler, fd=socket.detach())
        thread = threading.Thread(target=server.serve_forever, args=(1.0,), daemon=True)
        thread.start()
        self._listening.append((server, thread))

    def reader(self, service: str) -> Any:
        """A boto3 client whose calls no log has and no fault strikes; one per service, as making one takes long."""
        if service not in self._readers:
            self._readers[service] = self._reader(service)
        return self._readers[service]

    def _reader(self, service: str) -> Any:
        session = boto3.session.Session(
            aws_access_key_id=READER, aws_secret_access_key="reader", region_name=self.region
        )
        return session.client(service, endpoint_url=self.endpoint, config=Config(retries=NO_RETRIES))

    def reset(self) -> None:
        """An empty account; what was real goes."""
        super().reset()
        self.instances.forget()
        with self._carrying_out:
            equip_default_vpc(ec2_backends[DEFAULT_ACCOUNT_ID][self.region])
        self.changes.add()

    def _serve(self, environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if f"Credential={READER}/" not in environment.get("HTTP_AUTHORIZATION", ""):
            return super()._serve(environment, start_response)
        with self._carrying_out:
            content, status, headers = run_wsgi_app(self._application, environment, buffered=True)
        start_response(status, list(headers.items()))
        return content

    def _carry_out(self, call: Call, environment: dict[str, Any]) -> list[tuple[str, str]]:
        if call.operation == "GetConsoleOutput":
            self.instances.look(str(call.parameters.get("InstanceId")))
        headers = super()._carry_out(call, environment)
        del self.calls.entries[:-CALLS_KEPT]
        if call.took_effect and not call.operation.startswith(READING):
            self.changes.add()
        return headers


def equip_default_vpc(ec2: Any) -> None:
    """What moto's default VPC lacks.

    "An internet gateway … and a route … to the main route table that points all traffic (0.0.0.0/0) to it":
    https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
    """
    vpc = ec2.get_default_vpc()
    gateway = ec2.create_internet_gateway()
    ec2.attach_internet_gateway(gateway.id, vpc.id)
    table = next(table for table in ec2.route_tables.values() if table.vpc_id == vpc.id)
    ec2.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)
