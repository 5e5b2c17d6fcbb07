# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with what machines are to be permitted, before anything is made of it; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._platform_identity.policies import Place, policies
from ansible_collections.gatehouse.platform.plugins.module_utils._secret_references import PARAMETER, SECRET

NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*?]+")
ARN = re.compile(r"arn:[^:]*:([^:]+):[^:]*:[^:]*:(.+)")
POLICY_ARN = re.compile(r"arn:[^:]+:iam::(aws|\d{12}):policy/.+")
KEY_ARN = re.compile(r"arn:[^:]+:kms:[^:]+:\d{12}:key/[^*?]+")
# "The total aggregate policy size … per entity can't exceed … Role policy size: 10,240 characters", spaces not counted:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MOST_CHARACTERS = 10240
# What AWS's API permits for all resources or not at all, in lower case: actions without a resource type in
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
FOR_ALL = (
    "autoscaling:describe*", "cloudwatch:getmetricdata", "cloudwatch:getmetricstatistics", "cloudwatch:listmetrics",
    "cloudwatch:putmetricdata", "ec2:describe*", "ecr:getauthorizationtoken", "elasticloadbalancing:describe*",
    "kms:generaterandom", "kms:listaliases", "kms:listkeys", "s3:listallmybuckets", "secretsmanager:getrandompassword",
    "secretsmanager:listsecrets", "ssm:describeparameters", "sts:getcalleridentity", "tag:getresources",
    "xray:getsampling*", "xray:puttelemetryrecords", "xray:puttracesegments",
)  # fmt: skip
KEYS = frozenset({"actions", "resources"})


def findings(
    entries: Sequence[Mapping[str, Any]],
    place: Place,
    boundary: str = "",
    managed: Sequence[str] = (),
) -> list[str]:
    """Sentences about ``identity_profiles`` and the options beside it; an empty list when nothing is wrong."""
    told = [*_of_names(entries, place.platform)]
    for entry in entries:
        for index, permission in enumerate(entry.get("permissions") or []):
            told += [f"{entry['name']} permissions[{index}]: {line}" for line in _of_permission(permission)]
        for index, secret in enumerate(entry.get("secrets") or []):
            told += [f"{entry['name']} secrets[{index}]: {line}" for line in _of_secret(str(secret))]
    if boundary and not POLICY_ARN.fullmatch(boundary):
        told.append(f"identity_permissions_boundary '{boundary}' is no ARN of a policy: give arn:aws:iam::…:policy/…")
    for policy in managed:
        if not POLICY_ARN.fullmatch(policy):
            told.append(f"identity_managed_policies: '{policy}' is no ARN of a policy: give arn:aws:iam::…:policy/…")
    for key in place.keys:
        if not KEY_ARN.fullmatch(key):
            told.append(f"identity_kms_keys: '{key}' is no ARN of one key: give arn:aws:kms:…:key/…")
    return told or list(_of_sizes(entries, place))


def _of_names(entries: Sequence[Mapping[str, Any]], platform: str) -> Iterator[str]:
    seen: set[str] = set()
    for entry in entries:
        name = f"{platform}-{entry['name']}"
        if not NAME.fullmatch(name):
            yield f"{name} cannot be the name of a role: at most 64 of the characters a-z, A-Z, 0-9 and +=,.@_-"
        if name.lower() in seen:
            yield f"identity_profiles has {entry['name']} twice: AWS does not tell names apart by case"
        seen.add(name.lower())


def _of_permission(permission: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(permission, dict):
        yield "give actions and resources"
        return
    for key in sorted(set(permission) - KEYS):
        yield f"{key} is unknown; known are actions and resources"
    actions, resources = permission.get("actions") or [], permission.get("resources") or []
    if not _is_list(actions) or not _is_list(resources):
        yield "actions and resources are lists"
        return
    if not actions or not resources:
        yield f"{'resources' if actions else 'actions'} is missing"
    for action in actions:
        yield from _of_action(str(action))
    for resource in resources:
        yield from _of_resource(str(resource), [str(action) for action in actions])


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _of_action(action: str) -> Iterator[str]:
    if not ACTION.fullmatch(action) and action != "*":
        yield f"'{action}' is no action: give one like s3:GetObject"
    elif not action.split(":")[-1].strip("*?"):
        yield f"the action '{action}' permits everything: give the actions that the service calls"


def _of_resource(resource: str, actions: Sequence[str]) -> Iterator[str]:
    found = ARN.fullmatch(resource)
    if resource == "*":
        narrow = [action for action in actions if not any(fnmatchcase(action.lower(), known) for known in FOR_ALL)]
        if narrow:
            yield f"the resource '*' is everybody's: name what {', '.join(narrow)} is for, as ARNs"
    elif not found:
        yield f"'{resource}' is no ARN: give one like arn:aws:s3:::bucket/key"
    elif not found[1].strip("*?") or not found[2].strip("*?/:"):
        yield f"the resource '{resource}' names everything: name what the actions are for"


def _of_secret(secret: str) -> Iterator[str]:
    kind = next((kind for kind in (PARAMETER, SECRET) if secret.startswith(kind)), "")
    name = secret.removeprefix(kind)
    arn = ARN.fullmatch(name)
    if not kind:
        # It may be a secret itself, which no message may show.
        yield "this is no reference: give ssm:/path/name, ssm:/path/* or secretsmanager:name"
    elif not (arn[2].removeprefix("secret:") if arn else name).strip("*?/"):
        yield f"'{secret}' opens every secret of the account: name the service's own"
    elif name.startswith("arn:") and not (kind == SECRET and arn and arn[1] == "secretsmanager"):
        yield f"'{secret}' is no ARN of a secret: give secretsmanager:arn:aws:secretsmanager:…, or ssm:/path/name"


def _of_sizes(entries: Sequence[Mapping[str, Any]], place: Place) -> Iterator[str]:
    for name, document in policies(entries, place).items():
        size = len(json.dumps(document, separators=(",", ":")))
        if size > MOST_CHARACTERS:
            yield (
                f"the policy of {name} has {size} characters, and AWS takes {MOST_CHARACTERS}: "
                "join permissions with wildcards at the end of resources, or use identity_managed_policies"
            )
