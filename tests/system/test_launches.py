# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that Auto Scaling launches by itself bring themselves to what the others run, or are given up."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from lab.machine import inside, run
from tests.region.account import eventually
from tests.system.autoscaled import SYSTEM, Autoscaled
from tests.system.releases import another_release, handed_back, told_of_each

MANIFEST = "web/current.json"
PARAMETER, SECRET = f"/{SYSTEM}/shop/TOKEN", f"{SYSTEM}/shop/KEY-{secrets.token_hex(4)}"


class Store:
    """The release store."""

    def __init__(self, system: Autoscaled) -> None:
        self.s3 = system.client("s3")
        names = [one["Name"] for one in self.s3.list_buckets()["Buckets"]]
        (self.bucket,) = (name for name in names if name.startswith(f"{SYSTEM}-releases-"))

    def listed(self, prefix: str = "") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", [])]

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)

    @property
    def published(self) -> set[str]:
        """What new instances get, by the code that names of releases end with."""
        return {json.loads(self.get(MANIFEST))["releases"]["shop"]["fingerprint"][:8]}


@pytest.fixture
def scaled(serving: Autoscaled) -> Iterator[Autoscaled]:
    """The system, whose fleet has two instances again afterwards."""
    yield serving
    serving.scale(2)


def launch_log(instance: str) -> str:
    """What a launch has said so far; nobody reaches an instance through the bastion yet."""
    process = run("podman", "inspect", "--format", "{{.State.Pid}}", instance, check=False).strip() or "0"
    return inside(int(process), "cat", "/var/log/gatehouse-launch.log", check=False) if process != "0" else ""


def changed(output: str, host: str) -> list[str]:
    """What was changed on a host; the recap counts what runs once for all as the first one's."""
    return re.findall(rf"^  {host}: .*", output, re.MULTILINE)


def with_secrets(variables: dict[str, Any]) -> None:
    references = {"TOKEN": f"ssm:{PARAMETER}", "KEY": f"secretsmanager:{SECRET}"}
    variables["platform_services"][0]["secrets"] = references


def test_a_third_host_serves_untouched_with_the_release_and_the_secrets_of_the_others(scaled: Autoscaled) -> None:
    token, key = secrets.token_hex(16), secrets.token_hex(16)
    scaled.client("ssm").put_parameter(Name=PARAMETER, Value=token, Type="SecureString", Overwrite=True)
    scaled.client("secretsmanager").create_secret(Name=SECRET, SecretString=key)
    scaled.change(with_secrets)
    told = scaled.succeed("site", "--diff").output
    assert scaled.succeed("site").count("changed") == 0
    before = set(scaled.instances())
    with scaled.visitors(rate=50):
        scaled.scale(3)
        assert eventually(lambda: list(scaled.targets().values()) == ["healthy"] * 3, 400, 1), scaled.targets()
    (third,) = set(scaled.instances()) - before
    told += (again := scaled.succeed("site", "--diff").output)
    assert not changed(again, third), again
    assert len(scaled.codes()) == 1
    for name, value in (("TOKEN", token), ("KEY", key)):
        there = {scaled.on(host, f"cat /etc/gatehouse/services/shop/*/secrets/{name}") for host in scaled.instances()}
        assert there == {value}
    told += scaled.on(third, "cat /var/log/gatehouse-launch.log; journalctl --no-pager")
    store = Store(scaled)
    assert store.listed("web/releases/")
    for value in (token, key):
        assert not any(value.encode() in store.get(name) for name in store.listed())
        assert value not in told


@pytest.mark.further
def test_an_instance_that_does_not_get_healthy_is_given_up_and_its_log_is_kept(scaled: Autoscaled) -> None:
    scaled.succeed("site")
    store, before = Store(scaled), set(scaled.instances())
    good = store.get(MANIFEST)
    manifest = json.loads(good)
    manifest["services"]["shop"]["health"] = {"path": "/nowhere", "timeout": 5}
    store.put(MANIFEST, json.dumps(manifest).encode())
    with scaled.visitors(rate=50):
        scaled.scale(3)
        assert eventually(lambda: store.listed("logs/web/"), 400, 1)
        scaled.scale(2)
        (key,) = store.listed("logs/web/")
        log = store.get(key).decode()
        assert "is not healthy and was not put live" in log
        assert "GET /nowhere" in log
        assert "This instance is given up" in log
        gone = key.rpartition("/")[2].removesuffix(".log")
        assert gone not in before | set(scaled.targets())
        assert eventually(lambda: gone not in scaled.instances(), 120, 1), scaled.fleet()
    assert set(scaled.targets()) == before
    # Auto Scaling may have launched another one before it was told to let it be.
    assert eventually(lambda: set(scaled.instances()) == before, 300, 1), scaled.fleet()
    scaled.succeed("site")
    assert store.get(MANIFEST) == good


@pytest.mark.further
def test_an_instance_that_restarts_while_it_is_being_launched_starts_over(scaled: Autoscaled) -> None:
    before = set(scaled.instances())
    scaled.scale(3)
    assert eventually(lambda: len(scaled.instances()) == 3, 60, 0.2)
    (third,) = set(scaled.instances()) - before
    assert eventually(lambda: "fetch and verify: " in launch_log(third), 120, 0.1)
    scaled.client("ec2").reboot_instances(InstanceIds=[third])
    assert eventually(lambda: list(scaled.targets().values()) == ["healthy"] * 3, 400, 1), scaled.targets()
    assert not changed(scaled.succeed("site", "--diff").output, third)
    assert launch_log(third).count("fetch and verify: ") == 2, launch_log(third)
    assert len(scaled.codes()) == 1


@pytest.mark.further
def test_after_a_rollback_new_instances_get_the_release_that_runs(scaled: Autoscaled) -> None:
    scaled.succeed("site")
    store, first = Store(scaled), scaled.codes()
    assert store.published == first
    another_release(scaled)
    scaled.succeed("deploy")
    assert store.published == scaled.codes() != first
    scaled.succeed("rollback", "-e", "service=shop")
    assert store.published == scaled.codes() == first
    scaled.scale(3)
    assert eventually(lambda: list(scaled.targets().values()) == ["healthy"] * 3, 400, 1), scaled.targets()
    scaled.succeed("status")
    assert scaled.codes() == first


@pytest.mark.further
def test_a_host_that_was_launched_with_a_release_goes_back_with_the_others_and_once_more(scaled: Autoscaled) -> None:
    codes = []
    for _release in range(3):
        another_release(scaled)
        scaled.succeed("deploy")
        codes += scaled.codes()
    before = set(scaled.instances())
    scaled.scale(3)
    assert eventually(lambda: list(scaled.targets().values()) == ["healthy"] * 3, 400, 1), scaled.targets()
    (third,) = set(scaled.instances()) - before
    for code in (codes[1], codes[0]):
        with scaled.visitors():
            run = scaled.succeed("rollback", "-e", "service=shop")
        stored = f"{third}: leaves the load balancer, goes to shop {code} from the release store, comes back"
        assert stored in run.output
        assert told_of_each(scaled, run, "has the release; healthy")
        assert Store(scaled).published == scaled.codes() == {code}
        assert handed_back(scaled)
    assert len(set(scaled.releases().values())) == 2, "it has the release under the name that one of the others has"
