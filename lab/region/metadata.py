# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance metadata service: 169.254.169.254 in every VPC, with tokens (IMDSv2) and without where they may be.

Its sockets are opened inside the VPCs' namespaces; who asks is known by VPC and address.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
import secrets
import socket
import time
from typing import Any

from botocore.exceptions import ClientError

from lab.region import metadata_tree
from lab.region.metadata_server import LONGEST, Handler, Listener
from lab.region.place import Place, namespace_file
from lab.region.state import Client, Instance, State

# New credentials are there in time: "at least five minutes before the expiration".
RENEW = datetime.timedelta(minutes=5)


class Metadata:
    """The adapter. ``client`` gives a boto3 client for the name of a service."""

    needed = False

    def __init__(self, place: Place, client: Client) -> None:
        self._place, self._client = place, client
        self._state = State()
        self._secret = secrets.token_bytes()
        self._credentials: dict[str, dict[str, Any]] = {}
        self._listener = Listener(self._answer)

    def wanted(self, state: State) -> State:
        return state

    def apply(self, wanted: State) -> None:
        self._state = wanted
        there = {found.id for found in wanted.instances if found.exists}
        for gone in self._credentials.keys() - there:
            self._credentials.pop(gone, None)
        vpcs = {vpc.id: namespace_file(self._place.namespace_of(vpc.id)) for vpc in wanted.vpcs}
        self._listener.apply({vpc: (path.stat().st_ino, path) for vpc, path in vpcs.items()})

    def close(self) -> None:
        self._listener.close()

    def _answer(self, vpc: str, connection: socket.socket, address: tuple[str, int]) -> None:
        # A terminated instance is told with the address that another may have by now.
        asking = [found for found in self._state.instances if found.exists]
        instance = next((found for found in asking if (found.vpc, found.private) == (vpc, address[0])), None)
        service = None if instance is None else Service(self, self._state, instance)
        handler = type("OneInstance", (Handler,), {"service": service})
        try:
            handler(connection, address, None)
        except (OSError, ClientError):
            # Whoever asked has gone.
            return
        finally:
            connection.close()

    def token(self, instance: Instance, lifetime: int) -> str:
        """A token that this instance may use for so many seconds."""
        until = str(int(time.time()) + lifetime)
        return base64.urlsafe_b64encode(until.encode() + b":" + self._seal(instance, until)).decode()

    def accepts(self, instance: Instance, token: str) -> bool:
        try:
            until, _, seal = base64.urlsafe_b64decode(token).partition(b":")
            return hmac.compare_digest(seal, self._seal(instance, until.decode())) and int(until) > time.time()
        except ValueError:
            return False

    def _seal(self, instance: Instance, until: str) -> bytes:
        text = f"{instance.id} {until}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self._secret, text, hashlib.sha256))

    def user_data(self, instance: Instance) -> bytes | None:
        found = self._client("ec2").describe_instance_attribute(InstanceId=instance.id, Attribute="userData")
        text = (found.get("UserData") or {}).get("Value")
        return base64.b64decode(text) if text else None

    def role(self, instance: Instance) -> dict[str, Any] | None:
        """The role of the instance profile."""
        if not instance.profile:
            return None
        name = instance.profile.rpartition("/")[2]
        roles = self._client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
        return next(iter(roles), None)

    def credentials(self, instance: Instance, role: dict[str, Any]) -> dict[str, Any]:
        """What the instance calls the API with, as its role."""
        known = self._credentials.get(instance.id)
        now = datetime.datetime.now(datetime.timezone.utc)
        if known is None or known["Expiration"] - now < RENEW or known["Role"] != role["Arn"]:
            assumed = self._client("sts").assume_role(
                RoleArn=role["Arn"], RoleSessionName=instance.id, DurationSeconds=LONGEST
            )
            known = {**assumed["Credentials"], "Role": role["Arn"], "Updated": now}
            self._credentials[instance.id] = known
        return known


class Service:
    """What one instance is told."""

    def __init__(self, metadata: Metadata, state: State, instance: Instance) -> None:
        self._metadata, self._state, self.instance = metadata, state, instance

    def token(self, lifetime: int) -> str:
        return self._metadata.token(self.instance, lifetime)

    def allows(self, token: str | None) -> bool:
        if token is None:
            return not self.instance.metadata.token_required
        return self._metadata.accepts(self.instance, token)

    def find(self, path: str) -> bytes | None:
        """The text at a path below the version."""
        names = [name for name in path.split("/") if name]
        if names == ["user-data"]:
            return self._metadata.user_data(self.instance)
        if names[:2] == ["dynamic", "instance-identity"]:
            documents = {"document": metadata_tree.identity(self.instance)}
            return encoded(metadata_tree.find(documents, iter(names[2:]), {}))
        if not names:
            return b"dynamic\nmeta-data\nuser-data"
        return self._metadata_of(names[1:]) if names[0] == "meta-data" else None

    def _metadata_of(self, names: list[str]) -> bytes | None:
        role = self._metadata.role(self.instance) if names[:1] in ([], ["iam"]) else None
        if role and names[1:] in (["info"], ["security-credentials", role["RoleName"]]):
            return json.dumps(self._of_role(names[1], role), indent=2).encode()
        tree = metadata_tree.tree(self._state, self.instance, role["RoleName"] if role else None)
        keys = {"0": f"0={self.instance.key}"} if names == ["public-keys"] else {}
        return encoded(metadata_tree.find(tree, iter(names), keys))

    def _of_role(self, name: str, role: dict[str, Any]) -> dict[str, str]:
        """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html"""
        found = self._metadata.credentials(self.instance, role)
        updated = {"Code": "Success", "LastUpdated": moment(found["Updated"])}
        if name == "info":
            return {**updated, "InstanceProfileArn": str(self.instance.profile), "InstanceProfileId": role["RoleId"]}
        return {
            **updated,
            "Type": "AWS-HMAC",
            "AccessKeyId": found["AccessKeyId"],
            "SecretAccessKey": found["SecretAccessKey"],
            "Token": found["SessionToken"],
            "Expiration": moment(found["Expiration"]),
        }


def encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def moment(when: datetime.datetime) -> str:
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
