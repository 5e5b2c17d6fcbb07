# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet runs is published: whole, once, what is running and nothing else, and never a secret."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from tests.cloud.store import BUCKET, GUIDE, HOSTS, ORDERS, Store


def test_everything_is_there_before_the_manifest_and_a_second_run_puts_nothing(store: Store) -> None:
    planned = store.publish("--check")
    assert (planned.changed, store.keys) == (1, set())
    assert store.publish().changed == 1
    put = store.puts
    assert put[-1] == "web/current.json"
    assert {key.split("/")[1] for key in put[:-1]} == {"collection", "releases"}
    for options in ((), ("--check",)):
        assert store.publish(*options).changed == 0
    assert len(store.puts) == len(put)


def test_an_instance_finds_the_release_the_collection_and_the_variables(store: Store) -> None:
    told = store.publish(
        services=[ORDERS, GUIDE], target_groups=[{"port": 8000, "health_check": {"path": "/", "codes": "200"}}]
    )
    manifest = store.manifest
    orders, guide = (manifest["releases"][name] for name in ("orders", "guide"))
    with tarfile.open(fileobj=io.BytesIO(store.get(orders["key"]))) as tar:
        assert tar.getnames() == ["release/app.py"]
    (store.folder / "fetched").write_bytes(store.get(orders["key"]))
    assert store.fingerprint({"source": {"archive": "fetched"}}) == orders["fingerprint"]
    assert json.loads(store.get(guide["key"])) == {"package": "guide", "version": "1.0"}
    with tarfile.open(fileobj=io.BytesIO(store.get(manifest["collection"]["key"]))) as tar:
        names = set(tar.getnames())
    assert {"playbooks/launch.yml", "roles/web_service/tasks/main.yml", "meta/runtime.yml"} <= names
    assert not any(name.startswith((".", "lab/", "tests/", "inventory/")) for name in names)
    assert manifest["services"]["orders"] == {
        "name": "orders",
        "port": 5001,
        "environment": {"COLOR": "green-as-grass"},
    }
    assert manifest["settings"]["checks"] == [{"port": 8000, "path": "/", "codes": "200"}]
    assert manifest["settings"]["variables"] == {
        "apache_proxy_extra_directives": "# 1",
        "apache_proxy_trusted_proxies": ["10.0.0.0/24"],
        "apache_proxy_virtual_hosts": HOSTS,
    }
    assert "environment.COLOR" in told.stdout
    assert "green-as-grass" not in told.stdout


def test_what_runs_after_a_rollback_is_published_although_its_source_is_gone(store: Store) -> None:
    first = store.fingerprint(ORDERS)
    store.publish()
    second = store.write("second")
    store.publish()
    assert store.manifest["releases"]["orders"]["fingerprint"] == second
    back = {"orders": store.runs(first)}
    (store.folder / "orders" / "app.py").unlink()
    store.publish(running=back, only=["orders"], virtual_hosts=None)
    assert store.manifest["releases"]["orders"]["fingerprint"] == first
    assert store.manifest["settings"]["variables"]["apache_proxy_virtual_hosts"] == HOSTS
    assert store.publish(running=back, only=["orders"], virtual_hosts=None).changed == 0


def test_one_service_is_published_and_the_others_stay_as_they_were(store: Store) -> None:
    store.publish(services=[ORDERS, GUIDE])
    newer = {**GUIDE, "source": {"package": "guide", "version": "2.0"}}
    store.publish(services=[newer], only=["guide"])
    assert set(store.manifest["releases"]) == {"orders", "guide"}
    assert json.loads(store.get(store.manifest["releases"]["guide"]["key"]))["version"] == "2.0"
    store.publish(services=[newer])
    assert set(store.manifest["releases"]) == {"guide"}


def test_what_cannot_be_published_is_told_at_once_and_nothing_is_put(store: Store) -> None:
    secret = {**ORDERS, "secrets": {"TOKEN": "hunter2-hunter2", "KEY": "ssm:/shop/key"}}
    running = {"orders": store.runs("a" * 64, "b" * 64)}
    told = store.publish(succeeds=False, services=[secret], running=running, only=["orders"]).stdout
    assert "service orders: secrets.TOKEN is the secret itself" in told
    assert "give ssm:/shop/orders/TOKEN or secretsmanager:shop/orders/TOKEN" in told
    assert "its hosts run different releases (i-1 runs 20261128T080000Z-aaaaaaaa, i-2 runs" in told
    assert "release aaaaaaaa, which its hosts run, is neither in the release store nor" in told
    assert "nothing was published for it before" in told
    assert "hunter2" not in told
    assert "secrets.KEY" not in told
    assert store.puts == []


def test_an_object_that_is_not_what_was_published_is_put_again(store: Store) -> None:
    store.publish()
    key = store.manifest["releases"]["orders"]["key"]
    whole = store.get(key)
    store.s3.put_object(Bucket=BUCKET, Key=key, Body=b"something else", ChecksumAlgorithm="SHA256")
    assert store.publish().changed == 1
    assert store.get(key) == whole


def test_a_spoiled_release_that_nobody_has_any_more_is_no_release(store: Store) -> None:
    first = store.fingerprint(ORDERS)
    store.publish()
    key = store.manifest["releases"]["orders"]["key"]
    store.s3.put_object(Bucket=BUCKET, Key=key, Body=b"something else")
    store.write("second")
    told = store.publish(succeeds=False, running={"orders": store.runs(first)}).stdout
    assert "is neither in the release store nor what its source holds now" in told


def test_old_releases_leave_the_store_and_those_that_may_be_fetched_stay(store: Store) -> None:
    fingerprints = [store.write(str(number)) for number in range(9) if store.write(str(number)) and store.publish()]
    left = {key.rpartition("/")[2].split(".")[0] for key in store.keys if "/releases/" in key}
    assert set(fingerprints[-2:]) <= left
    assert fingerprints[0] not in left
    assert len(left) <= 7


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_run_that_dies_while_it_puts_leaves_what_was_published_whole(store: Store, number: int) -> None:
    store.publish()
    before = store.manifest
    store.write("second")
    store.cloud.faults.add("refused", number=number, operation="PutObject")
    store.publish(succeeds=number > 2)
    if number <= 2:
        assert store.manifest == before
    for one in (*store.manifest["releases"].values(), store.manifest["collection"]):
        assert store.get(one["key"])
    store.cloud.faults.clear()
    store.publish()
    assert store.manifest["releases"]["orders"]["fingerprint"] == store.fingerprint(ORDERS)
