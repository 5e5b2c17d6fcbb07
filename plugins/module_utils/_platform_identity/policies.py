# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machines of a platform may do, from what its services declare that they need; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _places
from ansible_collections.gatehouse.platform.plugins.module_utils._secret_references import (
    PARAMETER,
    SECRET,
    is_reference,
)


class IdentityError(Exception):
    """Findings; ``str()`` has all of them."""


@dataclass(frozen=True)
class Place:
    """Where policies hold. ``bucket`` is the release store's, empty for none; ``keys`` are ARNs of KMS."""

    platform: str
    account: str
    region: str
    partition: str = "aws"
    bucket: str = ""
    prefix: str = ""
    logs: str = ""
    keys: tuple[str, ...] = ()


def profiles(
    services: Sequence[Mapping[str, Any]],
    fleets: Sequence[Mapping[str, Any]],
    hosts: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """One entry for each fleet and group of hosts, with all that its services need; raises IdentityError."""
    told = _places.findings(services, fleets, hosts)
    if told:
        raise IdentityError("; ".join(told))
    places = _places.names(fleets, hosts)
    scaled = {str(fleet["name"]) for fleet in fleets}
    return [
        {
            "name": place,
            "auto_scaling": place in scaled,
            "permissions": _unique(item for service in own for item in service.get("permissions") or []),
            "secrets": _unique(item for service in own for item in references(service.get("secrets"))),
        }
        for place in places
        for own in [[service for service in services if _places.of(service, places) == place]]
    ]


def references(secrets: Any) -> list[str]:
    """The references among a service's secrets: a list of them, or values by name, most of which are none."""
    values = secrets.values() if isinstance(secrets, Mapping) else secrets or []
    if isinstance(values, str):
        values = [values]
    return [str(value) for value in values if not isinstance(secrets, Mapping) or is_reference(value)]


def trust(partition: str) -> dict[str, Any]:
    """Who may take the role: instances.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html
    """
    service = "ec2.amazonaws.com" + (".cn" if partition == "aws-cn" else "")
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def policies(entries: Sequence[Mapping[str, Any]], place: Place) -> dict[str, dict[str, Any]]:
    """The policy of each entry by its name; none for an entry that may do nothing."""
    found = {str(entry["name"]): _statements(entry, place) for entry in entries}
    return {name: {"Version": "2012-10-17", "Statement": own} for name, own in found.items() if own}


def _statements(entry: Mapping[str, Any], place: Place) -> list[dict[str, Any]]:
    secrets = [str(item) for item in entry.get("secrets") or []]
    return [
        *_of_releases(str(entry["name"]), place),
        *_of_life_cycle(entry, place),
        *_of_parameters([item.removeprefix(PARAMETER) for item in secrets if item.startswith(PARAMETER)], place),
        *_of_secrets([item.removeprefix(SECRET) for item in secrets if item.startswith(SECRET)], place),
        *_of_keys(place),
        *(_allow(item["actions"], item["resources"]) for item in entry.get("permissions") or []),
    ]


def _of_releases(name: str, place: Place) -> list[dict[str, Any]]:
    """Reads what was published for its own fleet, and leaves its log when it gives up."""
    if not place.bucket:
        return []
    bucket, own = f"arn:{place.partition}:s3:::{place.bucket}", f"{place.prefix}{name}/"
    # Who may not list is answered "access denied" where an object is missing.
    listing = {**_allow(["s3:ListBucket"], [bucket]), "Condition": {"StringLike": {"s3:prefix": [own, f"{own}*"]}}}
    found = [_allow(["s3:GetObject"], [f"{bucket}/{own}*"]), listing]
    return found + ([_allow(["s3:PutObject"], [f"{bucket}/{place.logs}{name}/*"])] if place.logs else [])


def _of_life_cycle(entry: Mapping[str, Any], place: Place) -> list[dict[str, Any]]:
    """Tells its own Auto Scaling group how a launch goes on; the middle of the ARN is the group's unknown id."""
    if not entry.get("auto_scaling"):
        return []
    group = f"autoScalingGroup:*:autoScalingGroupName/{place.platform}-{entry['name']}"
    actions = ["autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"]
    return [_allow(actions, [f"arn:{place.partition}:autoscaling:{place.region}:{place.account}:{group}"])]


def _of_parameters(names: Sequence[str], place: Place) -> list[dict[str, Any]]:
    """A path is read with all that is below it, which takes the path itself as well.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
    """
    if not names:
        return []
    root = f"arn:{place.partition}:ssm:{place.region}:{place.account}:parameter/"
    resources = [root + name.lstrip("/") for name in names]
    paths = [name.removesuffix("/*").lstrip("/") for name in names if name.endswith("/*")]
    found = [_allow(["ssm:GetParameter", "ssm:GetParameters"], resources)]
    if paths:
        below = [item for path in paths for item in (root + path, f"{root}{path}/*")]
        found.append(_allow(["ssm:GetParametersByPath"], below))
    return found


def _of_secrets(names: Sequence[str], place: Place) -> list[dict[str, Any]]:
    """By ARN, or by name: Secrets Manager adds a hyphen and six characters.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
    """
    root = f"arn:{place.partition}:secretsmanager:{place.region}:{place.account}:secret:"
    resources = [name if name.startswith("arn:") else f"{root}{name}" + _ending(name) for name in names]
    return [_allow(["secretsmanager:GetSecretValue"], resources)] if names else []


def _ending(name: str) -> str:
    return "" if name.endswith("*") else "-??????"


def _of_keys(place: Place) -> list[dict[str, Any]]:
    """Decrypts with keys of the account's own, by way of the services that hold what is encrypted with them."""
    if not place.keys:
        return []
    ways = [f"{service}.{place.region}.amazonaws.com*" for service in ("s3", "secretsmanager", "ssm")]
    # What is written into the release store is encrypted with a new data key.
    writes = ["kms:GenerateDataKey"] if place.bucket and place.logs else []
    return [{**_allow(["kms:Decrypt", *writes], place.keys), "Condition": {"StringLike": {"kms:ViaService": ways}}}]


def _allow(actions: Iterable[str], resources: Iterable[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": sorted(set(actions)), "Resource": sorted(set(resources))}


def _unique(items: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
