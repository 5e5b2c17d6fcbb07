# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: moto's applications behind one that logs, delays and fails calls."""

from __future__ import annotations

import copy
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterable
from functools import partial
from ipaddress import IPv4Network
from typing import Any

import boto3
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

from lab.cloud import calls, images, permissions, wire
from lab.cloud.calls import Call, CallLog
from lab.cloud.clock import Clock
from lab.cloud.faults import Faults
from lab.cloud.health import HealthChecks
from lab.cloud.scaling import Scaling
from lab.cloud.strict.behavior import install
from lab.cloud.strict.targets import Targets

LOG = logging.getLogger(__name__)
REGION = "eu-central-1"
# moto takes any; these are AWS's own examples.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
# Nothing is sent again unseen.
NO_RETRIES = {"total_max_attempts": 1, "mode": "standard"}


def with_own_handlers(client: Any) -> Any:
    """The same client for somebody else, who may register handlers of events. To make one anew takes longer."""
    other: Any = object.__new__(type(client))
    vars(other).update(vars(client))
    other.meta = copy.copy(client.meta)
    other.meta.events = copy.copy(client.meta.events)
    return other


def say_account(account: str, params: dict[str, Any], **_event: Any) -> None:
    """Handler of botocore's event before-call: moto takes the caller for this account."""
    params["headers"]["x-moto-account-id"] = account


class Handler(WSGIRequestHandler):
    """Keeps its log as data, not on stderr, and hangs up where no answer is to come."""

    def connection_dropped(self, *_error: Any) -> None:
        self.close_connection = True

    def log(self, *_message: Any) -> None:
        pass


class ControlPlane:
    """AWS on a free port of 127.0.0.1, while the context lasts. ``strict=False`` is plain moto.

    ``latency`` is added to each call, in seconds. ``page_size``: items per page where the caller does not ask for
    a number. ``rules_per_group``: the quota L-0EA8095F. ``interfaces_linger``: seconds that the interfaces of a
    deleted load balancer stay. ``ranges_kept``: what no VPC can have.

    moto keeps its accounts in this process: two control planes at a time would share them.
    """

    latency: float
    page_size: int | None
    rules_per_group: int
    interfaces_linger: float

    def __init__(self, strict: bool = True, port: int = 0, region: str = REGION) -> None:
        self.strict, self.region = strict, region
        self.ranges_kept: tuple[IPv4Network, ...] = ()
        self.calls, self.faults, self.clock = CallLog(), Faults(), Clock()
        self.health = HealthChecks(self.clock)
        self.targets = Targets(self.clock, self.health)
        self.scaling = Scaling(self.clock)
        self.leaving_interfaces: dict[tuple[str, str, str], float] = {}
        self._port = port
        self._clients: dict[tuple[Any, ...], Any] = {}
        self._carrying_out = threading.Lock()
        self._session = boto3.session.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=region,
        )
        self._be_ordinary()

    def __enter__(self) -> ControlPlane:
        images.offer()
        self._application = DomainDispatcherApplication(self._create_application)
        self._server = make_server("127.0.0.1", self._port, self._serve, threaded=True, request_handler=Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.reset()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead any AWS client here, and keep it away from the settings of whoever runs it."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str, account: str = "", **settings: Any) -> Any:
        """A boto3 client, of another account if told. ``settings`` are further options of botocore.config.Config."""
        key = (service, self.endpoint, *sorted(settings.items()))
        if key not in self._clients:
            config = Config(retries=NO_RETRIES, max_pool_connections=20, **settings)
            self._clients[key] = self._session.client(service, endpoint_url=self.endpoint, config=config)
        client = with_own_handlers(self._clients[key])
        if account:
            client.meta.events.register("before-call.*.*", partial(say_account, account))
        return client

    def reset(self) -> None:
        """An empty account with a default VPC, no calls, no faults, real time, everything as it was at first."""
        with self._carrying_out:
            BackendDict.reset()
            reset_model_data()
            self._be_ordinary()

    def _be_ordinary(self) -> None:
        self.latency, self.page_size, self.rules_per_group, self.interfaces_linger = 0.0, None, 60, 0.0
        for part in (self.faults, self.calls, self.health, self.targets, self.scaling, self.leaving_interfaces):
            part.clear()
        self.clock.restart()

    def _create_application(self, service: Any) -> Any:
        application = create_backend_app(service)
        if self.strict:
            install(self, application, service)
        return application

    def _serve(self, environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        call = calls.read(environment)
        if self.latency:
            time.sleep(self.latency)
        call.fault = self.faults.strike(call.operation)
        if call.fault == "timeout":
            self.calls.add(call)
            # werkzeug closes the connection without a word.
            raise ConnectionAbortedError
        headers: list[tuple[str, str]]
        denied = self._denial(call)
        if denied or call.fault not in (None, "lost"):
            call.status, kind, call.body = wire.error(call.service, "refused" if denied else str(call.fault), denied)
            self.calls.add(call)
            headers = [("Content-Type", kind)]
        else:
            headers = self._carry_out(call, environment)
        if call.fault == "lost":
            raise ConnectionAbortedError
        start_response(f"{call.status} -", [*headers, ("Content-Length", str(len(call.body)))])
        return [call.body]

    def _denial(self, call: Call) -> str:
        if not self.strict or not call.service or call.access_key == CREDENTIALS["AWS_ACCESS_KEY_ID"]:
            return ""
        with self._carrying_out:
            return permissions.denial(call, self.region)

    def _carry_out(self, call: Call, environment: dict[str, Any]) -> list[tuple[str, str]]:
        """Let moto answer, one call at a time: its models know no locks."""
        with self._carrying_out:
            try:
                content, status, headers = run_wsgi_app(self._application, environment, buffered=True)
            except Exception as error:
                LOG.exception("moto does not know what to do with %s", call)
                call.status, kind, call.body = wire.error(call.service, "error", repr(error))
                self.calls.add(call)
                return [("Content-Type", kind)]
            # moto gives all its answers one request id.
            call.body = b"".join(content).replace(b">request-id<", f">{uuid.uuid4()}<".encode())
            call.status = int(status.split()[0])
            self.calls.add(call)
        return [(name, value) for name, value in headers.items() if name.lower() != "content-length"]
