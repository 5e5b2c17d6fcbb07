# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the secrets that services only refer to, by the role of the instance that this host is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError, call, translated
from ansible_collections.gatehouse.platform.plugins.module_utils._secret_references import (
    PARAMETER,
    SECRET,
    is_reference,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import Service, WebServiceError

# "Maximum number of 10 items": https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
BATCH = 10
PACKAGE = "python3-boto3"
# Reading may be repeated, so botocore's own retries will do.
SETTINGS: dict[str, Any] = {
    "connect_timeout": 5,
    "read_timeout": 20,
    "retries": {"max_attempts": 5, "mode": "standard"},
}

Connect = Callable[[str], Any]


def references(services: Sequence[Service]) -> dict[str, list[str]]:
    """Who refers to what: places like ``orders: secrets.API_TOKEN`` by reference."""
    found: dict[str, list[str]] = {}
    for service in services:
        for name, value in service.secrets.items():
            if is_reference(value):
                found.setdefault(value, []).append(f"{service.name}: secrets.{name}")
    return found


def resolved(services: Sequence[Service], check: bool = False, connect: Connect | None = None) -> list[Service]:
    """The services with the secrets themselves. Raises one WebServiceError about all that cannot be read.

    In check mode, on a host that does not have boto3 yet, nothing is read: there is nothing to compare with either.
    """
    wanted = references(services)
    if not wanted or (check and connect is None and not _can_connect()):
        return list(services)
    values: dict[str, str] = {}
    failures: dict[str, str] = {}
    _read_parameters([one for one in wanted if one.startswith(PARAMETER)], connect or _connect, values, failures)
    _read_secrets([one for one in wanted if one.startswith(SECRET)], connect or _connect, values, failures)
    if failures:
        raise WebServiceError("\n".join(f"{place}: {failures[one]}" for one in failures for place in wanted[one]))
    return [_with(service, values) for service in services]


def _with(service: Service, values: dict[str, str]) -> Service:
    return replace(service, secrets={name: values.get(text, text) for name, text in service.secrets.items()})


def _read_parameters(wanted: list[str], connect: Connect, values: dict[str, str], failures: dict[str, str]) -> None:
    for batch in _batches(wanted):
        try:
            names = [one.removeprefix(PARAMETER) for one in batch]
            answer = call(connect("ssm").get_parameters, Names=names, WithDecryption=True)
        except AwsError as error:
            failures |= {one: f"{one} cannot be read: {error}" for one in batch}
            continue
        read = {f"{PARAMETER}{one['Name']}{one.get('Selector', '')}": str(one["Value"]) for one in answer["Parameters"]}
        values |= read
        failures |= {one: _missing(one) for one in batch if one not in read}


def _read_secrets(wanted: list[str], connect: Connect, values: dict[str, str], failures: dict[str, str]) -> None:
    for one in wanted:
        try:
            answer = call(connect("secretsmanager").get_secret_value, SecretId=one.removeprefix(SECRET))
        except AwsError as error:
            missing = error.code == "ResourceNotFoundException"
            failures[one] = _missing(one) if missing else f"{one} cannot be read: {error}"
            continue
        if "SecretString" in answer:
            values[one] = str(answer["SecretString"])
        else:
            failures[one] = f"{one} is binary, and a secret of a service is a text"


def _missing(reference: str) -> str:
    return f"{reference} does not exist in this account and region: create it, or correct the reference"


def _batches(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _can_connect() -> bool:
    try:
        import boto3  # noqa: F401
    except ImportError:
        return False
    return True


def _connect(name: str) -> Any:
    """A client with the credentials of the instance's role.

    Older versions of boto3 do not know AWS_ENDPOINT_URL by themselves.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.utils import InstanceMetadataRegionFetcher
    except ImportError as error:
        raise WebServiceError(f"secrets that lie in AWS are read with boto3, and {PACKAGE} is missing") from error
    with translated("GetInstanceMetadata"):
        session = boto3.session.Session()
        region = session.region_name or InstanceMetadataRegionFetcher().retrieve_region()
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        return session.client(name, region_name=region, endpoint_url=endpoint, config=Config(**SETTINGS))
