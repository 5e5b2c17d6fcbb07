# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role permits: calls that are made with its credentials are compared with its policies.

Calls of users are all permitted, and so is what a bucket's policy says. Permissions boundaries, session policies and
service control policies are not looked at.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from moto.autoscaling.models import autoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sts.models import sts_backends

from lab.cloud.calls import Call

Policy = Mapping[str, Any]
# Actions that are not called as their operation is.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
}
# "No permissions are required to perform this operation."
FREE = ("sts:GetCallerIdentity",)
OPERATORS = ("StringEquals", "StringLike")


def denial(call: Call, region: str) -> str:
    """Why the role may not do what is called, empty where it may or where no role calls."""
    session = sts_backends[DEFAULT_ACCOUNT_ID]["aws"].get_assumed_role_from_access_key(call.access_key)
    action = f"{call.service}:{call.operation}"
    action = ACTIONS.get(action, action)
    if session is None or action in FREE:
        return ""
    policies = list(_policies(session.role_arn.rpartition("/")[2]))
    context = {"s3:prefix": str(call.parameters.get("Prefix") or "")}
    denied = [each for each in _resources(call, region) if not permits(policies, action, each, context)]
    return f"{session.role_arn} may not {action} on {', '.join(denied)}" if denied else ""


def permits(policies: list[Policy], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether a statement allows it, and none denies it."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in _listed(policy["Statement"])
        if _is_about(statement, action, resource, context)
    }
    return effects == {"Allow"}


def _is_about(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """What is not understood here, as NotAction or another condition, holds for what is denied, and nothing else."""
    if "NotAction" in statement or "NotResource" in statement:
        return bool(statement["Effect"] == "Deny")
    if not any(_like(pattern, action, re.IGNORECASE) for pattern in _listed(statement.get("Action", []))):
        return False
    if not any(_like(pattern, resource) for pattern in _listed(statement.get("Resource", []))):
        return False
    for operator, tests in (statement.get("Condition") or {}).items():
        for key, patterns in tests.items():
            if operator not in OPERATORS or key not in context:
                return bool(statement["Effect"] == "Deny")
            if not any(_like(pattern, context[key]) for pattern in _listed(patterns)):
                return False
    return True


def _like(pattern: str, text: str, flags: int = 0) -> bool:
    """``*`` is any text and ``?`` one character."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, flags | re.DOTALL) is not None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _policies(role: str) -> Iterator[Policy]:
    """The role's own policies and those that are attached to it; none for a role that is gone."""
    found = next((one for one in iam_backends[DEFAULT_ACCOUNT_ID]["aws"].roles.values() if one.name == role), None)
    if found is None:
        return
    own = list(found.policies.values())
    attached = [
        version.document for one in found.managed_policies.values() for version in one.versions if version.is_default
    ]
    for document in own + attached:
        yield json.loads(unquote(document)) if isinstance(document, str) else document


def _resources(call: Call, region: str) -> list[str]:
    """ARNs of what a call is about; ``*`` where it is about nothing that a policy can name."""
    told, here = call.parameters, f"{region}:{DEFAULT_ACCOUNT_ID}"
    if call.service == "s3" and told.get("Bucket"):
        return [f"arn:aws:s3:::{told['Bucket']}" + (f"/{told['Key']}" if told.get("Key") else "")]
    if call.service == "ssm":
        names = told.get("Names") or [told.get("Name") or told.get("Path")]
        return [f"arn:aws:ssm:{here}:parameter/{str(name).lstrip('/')}" for name in names]
    if call.service == "secretsmanager" and told.get("SecretId"):
        secret = secretsmanager_backends[DEFAULT_ACCOUNT_ID][region].secrets.get(told["SecretId"])
        return [secret.arn if secret else f"arn:aws:secretsmanager:{here}:secret:{told['SecretId']}-??????"]
    if call.service == "autoscaling" and told.get("AutoScalingGroupName"):
        groups = autoscaling_backends[DEFAULT_ACCOUNT_ID][region].autoscaling_groups
        return [group.arn for name, group in groups.items() if name == told["AutoScalingGroupName"]] or ["*"]
    return ["*"]
