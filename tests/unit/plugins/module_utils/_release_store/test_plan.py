# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bucket lacks of a release store, and what stands in the way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._release_store.plan import (
    BLOCKED,
    RULE_ID,
    TAG,
    Found,
    Store,
    plan,
    policy,
)
from hypothesis import given
from hypothesis import strategies as st

NAME = "shop-releases-123456789012-eu-central-1"
STORE = Store("shop", NAME, "eu-central-1", tags={"Name": NAME})
ARN = f"arn:aws:s3:::{NAME}"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
RULE = {
    "ID": RULE_ID,
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    "Expiration": {"ExpiredObjectDeleteMarker": True},
}


def encrypted(**default: Any) -> dict[str, Any]:
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": "KMSMasterKeyID" in default}
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


COMPLETE: dict[str, Any] = {
    "name": NAME,
    "bucket_tagging": {"Name": NAME, TAG: "shop", "aws:cloudformation:stack-name": "x"},
    "bucket_location": {"LocationConstraint": "eu-central-1"},
    "bucket_versioning": {"Status": "Enabled"},
    "bucket_encryption": encrypted(SSEAlgorithm="AES256"),
    "public_access_block": {"PublicAccessBlockConfiguration": dict.fromkeys(BLOCKED, True)},
    "bucket_policy": {"Policy": json.dumps(policy(STORE))},
    "bucket_ownership_controls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
    "bucket_lifecycle_configuration": {"Rules": [{"ID": "other", "Status": "Enabled"}, RULE]},
}
# A bucket as AWS makes it.
FRESH = {
    "name": NAME,
    "bucket_tagging": {},
    "bucket_location": COMPLETE["bucket_location"],
    "bucket_encryption": COMPLETE["bucket_encryption"],
    "public_access_block": COMPLETE["public_access_block"],
    "bucket_ownership_controls": COMPLETE["bucket_ownership_controls"],
}


def planned(facts: dict[str, Any] | None = None, store: Store = STORE, **found: Any) -> dict[str, Any]:
    return plan(store, Found(facts, **found))


def test_a_complete_bucket_lacks_nothing() -> None:
    found = planned(COMPLETE)
    assert (found["findings"], found["words"]) == ([], [])
    assert not any(found[key] for key in ("create", "configure", "life_cycle", "remove"))
    assert found["result"] == {"bucket": NAME, "arn": ARN}


def test_a_new_bucket_is_one_thing_to_create() -> None:
    found = planned()
    assert (found["words"], found["create"], found["configure"], found["life_cycle"]) == (
        [f"bucket {NAME}"],
        True,
        True,
        True,
    )
    assert found["result"] == {"bucket": NAME, "arn": ""}


@pytest.mark.parametrize(
    ("fact", "value", "words"),
    [
        ("bucket_tagging", {TAG: "shop", "Name": NAME, "Team": "x"}, "tags"),
        ("bucket_versioning", {"Status": "Suspended"}, "versioning"),
        ("bucket_versioning", {}, "versioning"),
        ("bucket_encryption", encrypted(SSEAlgorithm="aws:kms"), "encryption"),
        ("bucket_encryption", {}, "encryption"),
        ("public_access_block", {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}, "blocked public access"),
        ("bucket_policy", {"Policy": '{"Version": "2012-10-17", "Statement": []}'}, "policy"),
        ("bucket_policy", {}, "policy"),
        ("bucket_ownership_controls", {}, "ownership"),
        ("bucket_lifecycle_configuration", {"Rules": [{**RULE, "Status": "Disabled"}]}, "life cycle"),
        ("bucket_lifecycle_configuration", {"Rules": [{**RULE, "Filter": {"Prefix": "logs/"}}]}, "life cycle"),
        ("bucket_lifecycle_configuration", {}, "life cycle"),
    ],
)
def test_what_drifted_is_told_by_itself(fact: str, value: Any, words: str) -> None:
    found = planned({**COMPLETE, fact: value})
    assert found["words"] == [f"{words} of the bucket {NAME}"]
    assert (found["configure"], found["life_cycle"]) == (words != "life cycle", words == "life cycle")


def test_a_policy_is_the_same_in_another_order_and_with_lists_of_one() -> None:
    document = policy(STORE)
    for statement in document["Statement"]:
        statement["Resource"].reverse()
        statement["Action"] = [statement["Action"]]
    document["Statement"].reverse()
    assert planned({**COMPLETE, "bucket_policy": {"Policy": json.dumps(document)}})["words"] == []
    assert planned({**COMPLETE, "bucket_policy": {"Policy": document}})["words"] == []


def test_a_key_of_the_account_encrypts_with_a_bucket_key() -> None:
    store = replace(STORE, kms_key=KEY)
    right = encrypted(SSEAlgorithm="aws:kms", KMSMasterKeyID=KEY)
    assert planned({**COMPLETE, "bucket_encryption": right}, store)["words"] == []
    assert planned(COMPLETE, store)["words"] == [f"encryption of the bucket {NAME}"]
    (told,) = planned(None, replace(STORE, kms_key="alias/shop"))["findings"]
    assert told.startswith("release_store_kms_key 'alias/shop'")


@pytest.mark.parametrize("facts", [{**FRESH, "bucket_tagging": {TAG: "blog"}}, {**COMPLETE, "bucket_tagging": {}}])
def test_a_bucket_without_the_tag_is_somebody_elses(facts: dict[str, Any]) -> None:
    (told,) = planned(facts)["findings"]
    assert "exists and does not carry the tag gatehouse:platform: shop" in told
    left = planned(facts, replace(STORE, absent=True))
    assert (left["findings"], left["remove"]) == ([], False)


def test_what_a_dead_run_left_is_taken_over_while_it_holds_nothing() -> None:
    found = planned(FRESH)
    assert (found["findings"], found["create"]) == ([], True)
    assert found["words"][0] == f"tags of the bucket {NAME}"
    assert planned(FRESH, keys=("a",))["findings"]
    assert planned(FRESH, replace(STORE, named=True))["findings"]
    assert not planned(FRESH, replace(STORE, absent=True))["remove"]


def test_what_is_elsewhere_or_unknown_is_refused() -> None:
    assert "is another account's" in planned(taken=True)["findings"][0]
    assert "AWS does not say: throttled" in planned(trouble="throttled")["findings"][0]
    away = {**COMPLETE, "bucket_location": {"LocationConstraint": None}}
    assert "is in us-east-1, not in eu-central-1" in planned(away)["findings"][0]
    assert planned({**COMPLETE, "bucket_location": {"LocationConstraint": "EU"}})["findings"][0].count("eu-west-1")
    assert planned(taken=True, store=replace(STORE, absent=True))["findings"] == []


@pytest.mark.parametrize("name", ["Shop-releases", "a", "x" * 64, "a..b", "10.0.0.1", "-a-", "xn--abc", "a_b"])
def test_names_that_no_bucket_can_have_are_found(name: str) -> None:
    (told,) = planned(None, replace(STORE, bucket=name))["findings"]
    assert told.startswith(f"'{name}' cannot be the name of a bucket")


def test_data_goes_only_when_told() -> None:
    gone = replace(STORE, absent=True)
    assert planned(COMPLETE, gone)["remove"]
    told = planned(COMPLETE, gone, keys=("a", "b", "c", "d"))["findings"][0]
    assert "holds objects (a, b, c, …): set release_store_delete_data: true" in told
    assert planned(COMPLETE, replace(gone, delete_data=True), keys=("a",))["findings"] == []
    assert planned(COMPLETE, gone)["result"] == {"bucket": "", "arn": ""}
    assert planned(None, replace(STORE, keep_days=0))["findings"]


@given(st.sets(st.sampled_from(sorted(set(COMPLETE) - {"name", "bucket_location", "bucket_tagging"}))))
def test_each_fact_that_is_missing_is_one_word(missing: set[str]) -> None:
    found = planned({name: value for name, value in COMPLETE.items() if name not in missing})
    assert found["findings"] == []
    assert len(found["words"]) == len(missing)
    assert (found["configure"] or found["life_cycle"]) == bool(missing)
