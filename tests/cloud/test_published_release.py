# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release that was published is got back as a source, and nothing that only has its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cloud.store import BUCKET, GUIDE, ORDERS, Store


def test_a_release_comes_back_as_the_source_that_it_was(store: Store) -> None:
    first = store.fingerprint(ORDERS)
    store.publish(services=[ORDERS, GUIDE])
    second = store.write("second")
    store.publish(services=[ORDERS, GUIDE])
    told = store.fetch(f"20261128T080000Z-{first[:8]}")
    found = told.facts["fetched_result"]
    assert store.fingerprint({"source": found["source"]}) == first
    assert found["available"] == [second[:8], first[:8]]
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}Z-{first[:8]}", found["release"])
    assert told.changed == 0
    store.cloud.calls.clear()
    assert store.fetch(first[:8]).facts["fetched_result"]["source"] == found["source"]
    assert "GetObject" not in store.cloud.calls.count()
    # What is spoiled here is got again.
    Path(found["source"]["archive"]).write_bytes(b"spoiled")
    assert store.fetch(first[:8]).facts["fetched_result"]["source"] == found["source"]
    assert store.fingerprint({"source": found["source"]}) == first
    guide = store.fetch(store.fingerprint(GUIDE)[:8], service="guide").facts["fetched_result"]
    assert guide["source"] == {"package": "guide", "version": "1.0"}


def test_what_the_store_does_not_have_is_no_source(store: Store) -> None:
    assert store.fetch("aaaaaaaa").facts["fetched_result"]["available"] == []
    store.publish()
    for release in ("", "aaaaaaaa"):
        found = store.fetch(release).facts["fetched_result"]
        assert (found["source"], found["available"]) == ({}, [store.fingerprint(ORDERS)[:8]])
    told = store.fetch("aaaaaaaa", bucket="elsewhere", succeeds=False).stdout
    assert "NoSuchBucket" in told


def test_of_two_releases_with_the_same_code_none_is_taken(store: Store) -> None:
    store.publish()
    key, code = store.manifest["releases"]["orders"]["key"], store.fingerprint(ORDERS)[:8]
    other = f"web/releases/orders/{code}{'0' * 56}.tar.gz"
    store.s3.put_object(Bucket=BUCKET, Key=other, Body=store.get(key))
    told = store.fetch(code, succeeds=False).stdout
    assert "in the release store have the same code; remove the wrong one" in told
    assert key in told
    assert other in told


@pytest.mark.parametrize("service", [ORDERS, GUIDE])
def test_an_object_that_is_not_what_its_name_says_is_refused(store: Store, service: dict[str, str]) -> None:
    store.publish(services=[service])
    code, key = store.fingerprint(service)[:8], store.manifest["releases"][service["name"]]["key"]
    whole = store.get(key)
    for spoiled in (b"something else", b""):
        store.s3.put_object(Bucket=BUCKET, Key=key, Body=spoiled)
        told = store.fetch(code, service=service["name"], succeeds=False).stdout
        assert f"{key} in the release store is not what its name says" in told
    store.s3.put_object(Bucket=BUCKET, Key=key, Body=whole)
    assert store.fetch(code, service=service["name"]).facts["fetched_result"]["source"]
