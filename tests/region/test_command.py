# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands behind ``make cloud`` and ``make cloud-down``, used as they say; no trace stays, after a crash too."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.model import ROOT
from lab.network import known_number
from lab.region.network import METRIC
from lab.region.place import Place, place_key
from tests.region.account import OWNER, eventually

NAME = "command"
LAUNCH = f"""
import boto3
ec2 = boto3.client("ec2")
subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
elbv2 = boto3.client("elbv2")
balancer = elbv2.create_load_balancer(Name="web", Subnets=subnets[:2])["LoadBalancers"][0]["LoadBalancerArn"]
answer = {{"Type": "fixed-response", "FixedResponseConfig": {{"StatusCode": "200"}}}}
elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[answer])
image = ec2.describe_images(Owners=["{OWNER}"])["Images"][-1]["ImageId"]
print(ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"])
"""


def command(action: str) -> str:
    arguments = [sys.executable, "-m", "lab.region", action, "--name", NAME]
    return subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True, timeout=240).stdout


def traces(place: Place) -> str:
    """Everything on this machine that bears the region's name or range."""
    commands = ["ip netns", "ip link", "ip route", "nft list ruleset", "podman ps --all --format '{{.Labels}}'"]
    commands += ["ps -e -o args"]
    found = [line for each in commands for line in subprocess.getoutput(each).splitlines()]
    found += [str(path) for path in place.directory.parent.glob(f"*{place.key}*") if path.suffix != ".lock"]
    marks = (place.key, f"10.{place.number}.", f"metric {METRIC + place.number}")
    return "\n".join(line for line in found if any(mark in line for mark in marks))


@pytest.fixture
def place() -> Iterator[Place]:
    """Where the region is after it was brought up."""
    command("up")
    number = known_number(place_key(NAME))
    assert number
    yield Place(NAME, number)
    command("down")


def test_a_region_is_brought_up_once_and_goes_without_a_trace(place: Place) -> None:
    said = command("up")
    variables = dict(re.findall(r"export (\w+)=(\S+)", said))
    assert len(variables) == 2
    process = json.loads((place.directory / "region.json").read_text(encoding="utf-8"))["process"]
    environment = {"PATH": os.environ["PATH"], **variables}
    launch = [sys.executable, "-c", LAUNCH]
    instance = subprocess.run(launch, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    listed = ["podman", "ps", "--quiet", "--filter", f"name={instance}"]
    assert eventually(lambda: subprocess.run(listed, check=True, capture_output=True).stdout, 30)
    assert eventually(lambda: "haproxy -W" in traces(place), 30)

    os.kill(process, signal.SIGKILL)
    assert eventually(lambda: not Path(f"/proc/{process}").exists(), 5)
    assert traces(place)
    command("down")
    assert traces(place) == ""
