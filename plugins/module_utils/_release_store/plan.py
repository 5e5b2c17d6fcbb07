# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the release store's bucket is to be, what it lacks, and what stands in the way; pure.

A bucket is read as ``amazon.aws.s3_bucket_info`` tells it: each fact is the API's answer, empty where there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TAG = "gatehouse:platform"
RULE_ID = "gatehouse-old-versions"
BLOCKED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
RESERVED = re.compile(
    r"(xn--|sthree-|amzn-s3-demo-).*|.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)|\d+\.\d+\.\d+\.\d+"
)
KEY_ARN = re.compile(r"arn:[^:]+:kms:[^:]+:\d{12}:key/.+")
Fact = Mapping[str, Any]


@dataclass(frozen=True)
class Store:
    """``named``: the bucket's name was given, and not derived."""

    platform: str
    bucket: str
    region: str
    partition: str = "aws"
    named: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    kms_key: str = ""
    keep_days: int = 90
    absent: bool = False
    delete_data: bool = False


@dataclass(frozen=True)
class Found:
    """``bucket`` is one of this account, None if there is none; ``taken``: there is one that is not this account's.

    ``keys`` are objects in it; ``trouble`` is why AWS did not tell.
    """

    bucket: Fact | None = None
    taken: bool = False
    keys: Sequence[str] = ()
    trouble: str = ""

    @property
    def tags(self) -> Mapping[str, str]:
        return dict((self.bucket or {}).get("bucket_tagging") or {})


def bucket_name(platform: str, account: str, region: str) -> str:
    """The bucket of a platform, unless it was given another name."""
    return f"{platform}-releases-{account}-{region}"


def plan(store: Store, found: Found) -> dict[str, Any]:
    """What is wrong as ``findings``, what has to be created or set as ``words``, and what to do about it."""
    own = _is_own(store, found)
    dead = not store.absent and _is_bare(store, found)
    told = list(_of_declaration(store)) or list(_of_account(store, found, own or dead))
    made = found.bucket is not None and (own or dead)
    settings = [] if store.absent else list(_settings(store, found.bucket or {}))
    here = f" of the bucket {store.bucket}"
    words = [f"{setting}{here}" for setting in settings] if made else [f"bucket {store.bucket}"]
    kept = made and not store.absent
    return {
        "findings": told,
        "words": [] if store.absent else words,
        "create": not store.absent and not own,
        "configure": bool(set(settings) - {"life cycle"}),
        "life_cycle": "life cycle" in settings,
        "remove": store.absent and own,
        "policy": policy(store),
        "result": {
            "bucket": "" if store.absent else store.bucket,
            "arn": f"arn:{store.partition}:s3:::{store.bucket}" if kept else "",
        },
    }


def policy(store: Store) -> dict[str, Any]:
    """Nobody without TLS 1.2 or newer.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html
    """
    bucket = f"arn:{store.partition}:s3:::{store.bucket}"
    conditions = {
        "OnlyTls": {"Bool": {"aws:SecureTransport": "false"}},
        "OnlyModernTls": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    }
    statements = [
        {
            "Sid": name,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket, f"{bucket}/*"],
            "Condition": condition,
        }
        for name, condition in conditions.items()
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _is_own(store: Store, found: Found) -> bool:
    return found.bucket is not None and found.tags.get(TAG) == store.platform


def _is_bare(store: Store, found: Found) -> bool:
    """Whether it is what a run leaves that dies between creating the bucket and tagging it.

    The module cannot tag a bucket when it creates it. What has the derived name, with account and region in it, and
    neither tags nor a policy, versions, rules or objects, holds nothing of anybody.
    """
    facts = found.bucket
    if facts is None or store.named or found.keys or found.tags:
        return False
    touched = ("bucket_policy", "bucket_lifecycle_configuration")
    return not any(facts.get(name) for name in touched) and not _status(facts)


def _status(facts: Fact) -> str:
    return str((facts.get("bucket_versioning") or {}).get("Status") or "")


def _of_declaration(store: Store) -> Iterator[str]:
    if not store.platform:
        yield "there is no release_store_platform; give the name of the platform"
        return
    if not NAME.fullmatch(store.bucket) or RESERVED.fullmatch(store.bucket) or ".." in store.bucket:
        yield (
            f"'{store.bucket}' cannot be the name of a bucket: 3 to 63 of the characters a-z, 0-9, dot and hyphen; "
            "give release_store_bucket"
        )
    if store.keep_days < 1:
        yield f"release_store_keep_days is {store.keep_days}: old versions are kept for one day at least"
    if store.kms_key and not KEY_ARN.fullmatch(store.kms_key):
        yield f"release_store_kms_key '{store.kms_key}' is no ARN of a key: give arn:aws:kms:…:key/…"


def _of_account(store: Store, found: Found, ours: bool) -> Iterator[str]:
    if found.trouble:
        yield f"whether there is a bucket {store.bucket} AWS does not say: {found.trouble}"
        return
    if found.taken:
        if not store.absent:
            yield f"the bucket {store.bucket} is another account's: give release_store_bucket another name"
        return
    if found.bucket is None:
        return
    if not ours:
        if not store.absent:
            yield (
                f"the bucket {store.bucket} exists and does not carry the tag {TAG}: {store.platform}, so it is left "
                "alone: remove it, or give release_store_bucket another name"
            )
        return
    region = _region(found.bucket)
    if region != store.region:
        yield f"the bucket {store.bucket} is in {region}, not in {store.region}: give release_store_bucket another name"
    if store.absent and found.keys and not store.delete_data:
        yield (
            f"the bucket {store.bucket} holds objects ({', '.join(found.keys[:3])}{', …' * (len(found.keys) > 3)}): "
            "set release_store_delete_data: true to delete them with it"
        )


def _region(facts: Fact) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html"""
    told = (facts.get("bucket_location") or {}).get("LocationConstraint") or "us-east-1"
    return {"EU": "eu-west-1"}.get(told, str(told))


def _settings(store: Store, facts: Fact) -> Iterator[str]:
    """What differs, in words."""
    tags = {name: value for name, value in (facts.get("bucket_tagging") or {}).items() if not name.startswith("aws:")}
    if tags != {**store.tags, TAG: store.platform}:
        yield "tags"
    if _status(facts) != "Enabled":
        yield "versioning"
    if not _encrypted(store, facts):
        yield "encryption"
    blocked = (facts.get("public_access_block") or {}).get("PublicAccessBlockConfiguration") or {}
    if not all(blocked.get(name) for name in BLOCKED):
        yield "blocked public access"
    if _normal(_document(facts)) != _normal(policy(store)):
        yield "policy"
    owned = _rules((facts.get("bucket_ownership_controls") or {}).get("OwnershipControls"))
    if [rule.get("ObjectOwnership") for rule in owned] != ["BucketOwnerEnforced"]:
        yield "ownership"
    if not any(_expires(rule, store.keep_days) for rule in _rules(facts.get("bucket_lifecycle_configuration"))):
        yield "life cycle"


def _rules(configuration: Any) -> list[Any]:
    return list((configuration or {}).get("Rules") or [])


def _encrypted(store: Store, facts: Fact) -> bool:
    rules = _rules((facts.get("bucket_encryption") or {}).get("ServerSideEncryptionConfiguration"))
    if len(rules) != 1:
        return False
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    if not store.kms_key:
        return bool(default.get("SSEAlgorithm") == "AES256")
    kms = default.get("SSEAlgorithm") == "aws:kms" and default.get("KMSMasterKeyID") == store.kms_key
    return bool(kms and rules[0].get("BucketKeyEnabled"))


def _document(facts: Fact) -> Any:
    told = (facts.get("bucket_policy") or {}).get("Policy")
    return json.loads(told) if isinstance(told, str) else told


def _normal(value: Any) -> Any:
    """A policy document with its lists in order, and lists of one as what they hold: AWS keeps either."""
    if isinstance(value, Mapping):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = sorted((_normal(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        return items[0] if len(items) == 1 else items
    return value


def _expires(rule: Fact, days: int) -> bool:
    """Whether it is the rule for old versions as it is to be; an empty prefix may be told or not."""
    prefix = rule.get("Prefix") or (rule.get("Filter") or {}).get("Prefix") or ""
    return bool(
        rule.get("ID") == RULE_ID
        and rule.get("Status") == "Enabled"
        and not prefix
        and (rule.get("NoncurrentVersionExpiration") or {}).get("NoncurrentDays") == days
        and (rule.get("AbortIncompleteMultipartUpload") or {}).get("DaysAfterInitiation") == 7
        and (rule.get("Expiration") or {}).get("ExpiredObjectDeleteMarker")
    )
