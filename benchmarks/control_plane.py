# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups and targets: this collection's modules and those of amazon.aws and community.aws, against one API.

Every call takes 30 ms longer than the control plane of the lab needs; playbooks run as a user runs them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import show
from lab.cloud import ControlPlane
from lab.model import ROOT

LATENCY = 0.03
GROUPS_AND_RULES = [(4, 5), (20, 10)]
MANY_GROUPS_AND_RULES = [(100, 10)]
# An image that moto knows from the start.
IMAGE = "ami-12c6146b"
TARGETS = [1, 10, 50, 200]


@dataclass(frozen=True)
class Measured:
    """Calls and seconds of one playbook, and what its last task returned."""

    calls: int
    seconds: float
    by_operation: Mapping[str, int]


def measure(sizes: Sequence[tuple[int, int]] = GROUPS_AND_RULES) -> None:
    """Both modules against their peers."""
    with ControlPlane() as cloud:
        for groups, rules in sizes:
            _security_groups(cloud, groups, rules)
        _flatness(cloud)
        for number in TARGETS:
            _targets(cloud, number)


def measure_many() -> None:
    """A hundred groups, which take the peer minutes."""
    with ControlPlane() as cloud:
        for groups, rules in MANY_GROUPS_AND_RULES:
            _security_groups(cloud, groups, rules)


def _security_groups(cloud: ControlPlane, groups: int, rules: int) -> None:
    wanted = {
        "create": "at least 3 times fewer calls",
        "check": "",
        "no-op": "at least 40 times fewer calls and 10 times less time at 20 x 10",
    }
    own, peer = (
        _steps(cloud, [task(_vpc(cloud), groups, rules)], "security groups") for task in (_own_groups, _peer_groups)
    )
    for step, asked in wanted.items():
        show(f"{groups} x {rules} security groups, {step}", _compared(own[step], peer[step]), asked or "-")


def _flatness(cloud: ControlPlane) -> None:
    seconds = {}
    for groups in (1, 20):
        steps = _steps(cloud, [_own_groups(_vpc(cloud), groups, 10)], "security groups")
        seconds[groups] = steps["no-op"].seconds
    figure = f"{seconds[20] / seconds[1]:.2f} ({seconds[20]:.2f} s against {seconds[1]:.2f} s)"
    show("No-op of 20 security groups against one", figure, "nearly 1")


def _targets(cloud: ControlPlane, number: int) -> None:
    own = _steps(cloud, [_own_targets(*_target_group(cloud, number))], "targets")
    peer = _steps(cloud, [_peer_targets(*_target_group(cloud, number))], "targets", checks=False)
    asked = {"create": "at most 3 calls for 50 targets before waiting", "no-op": "-"}
    for step, wanted in asked.items():
        show(f"{number} targets, {step}", _compared(own[step], peer[step]), wanted)


def _steps(
    cloud: ControlPlane, tasks: Sequence[Mapping[str, Any]], what: str, checks: bool = True
) -> dict[str, Measured]:
    """What a set takes in check mode (where there is one), for real, and once more."""
    found = {}
    if checks:
        found["check"] = _play(cloud, tasks, what, "--check")
    found["create"] = _play(cloud, tasks, what)
    found["no-op"] = _play(cloud, tasks, what)
    return found


def _play(cloud: ControlPlane, tasks: Sequence[Mapping[str, Any]], what: str, *options: str) -> Measured:
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": list(tasks)}]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(play, file)
        file.flush()
        command = [str(Path(sys.executable).parent / "ansible-playbook"), file.name, *options]
        cloud.calls.clear()
        cloud.latency = LATENCY
        began = time.monotonic()
        run = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **cloud.environment}, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - began
        cloud.latency = 0
    if run.returncode != 0:
        raise RuntimeError(f"{what}: {run.stdout[-3000:]}{run.stderr[-2000:]}")
    return Measured(cloud.calls.total, seconds, cloud.calls.count())


def _compared(own: Measured, peer: Measured) -> str:
    return (
        f"{peer.calls / own.calls:.0f} times fewer calls ({own.calls} against {peer.calls}), "
        f"{peer.seconds / own.seconds:.1f} times less time ({own.seconds:.1f} s against {peer.seconds:.1f} s)"
    )


def _vpc(cloud: ControlPlane) -> str:
    """A VPC of an otherwise empty account."""
    cloud.reset()
    return str(cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def _rules(group: int, rules: int) -> list[tuple[int, str]]:
    """Port and source of each rule: ranges, the group itself, the group before it."""
    sources = [f"10.{number}.0.0/16" for number in range(rules)]
    sources[0] = f"group-{group}"
    if rules > 1 and group > 0:
        sources[1] = f"group-{group - 1}"
    return [(8000 + number, source) for number, source in enumerate(sources)]


def _own_groups(vpc: str, groups: int, rules: int) -> dict[str, Any]:
    declared = [
        {
            "name": f"group-{group}",
            "description": "Measured",
            "ingress": [{"ports": port, "sources": [source]} for port, source in _rules(group, rules)],
        }
        for group in range(groups)
    ]
    return {"gatehouse.platform.security_groups": {"vpc_id": vpc, "owner": "bench", "groups": declared}}


def _peer_groups(vpc: str, groups: int, rules: int) -> dict[str, Any]:
    declared = [
        {
            "name": f"group-{group}",
            "rules": [
                {"proto": "tcp", "ports": [port], ("group_name" if source.startswith("group") else "cidr_ip"): source}
                for port, source in _rules(group, rules)
            ],
        }
        for group in range(groups)
    ]
    return {
        "amazon.aws.ec2_security_group": {
            "vpc_id": vpc,
            "name": "{{ item.name }}",
            "description": "Measured",
            "rules": "{{ item.rules }}",
            "tags": {"gatehouse:platform": "bench"},
        },
        "loop": declared,
        "loop_control": {"label": "{{ item.name }}"},
    }


def _target_group(cloud: ControlPlane, number: int) -> tuple[str, list[str]]:
    """The ARN of a target group that a listener uses, and the ids of so many running instances."""
    cloud.reset()
    ec2, elb = cloud.client("ec2"), cloud.client("elbv2")
    subnets = ec2.describe_subnets()["Subnets"][:2]
    balancer = elb.create_load_balancer(Name="bench", Subnets=[subnet["SubnetId"] for subnet in subnets])
    group = elb.create_target_group(Name="bench", Protocol="HTTP", Port=8000, VpcId=subnets[0]["VpcId"])
    arn = str(group["TargetGroups"][0]["TargetGroupArn"])
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    made = ec2.run_instances(ImageId=IMAGE, MinCount=number, MaxCount=number, SubnetId=subnets[0]["SubnetId"])
    cloud.clock.advance(60)
    return arn, [str(instance["InstanceId"]) for instance in made["Instances"]]


def _own_targets(arn: str, ids: Sequence[str]) -> dict[str, Any]:
    targets = [{"id": item} for item in ids]
    return {
        "gatehouse.platform.target_registration": {"target_groups": [arn], "targets": targets, "wait": False},
    }


def _peer_targets(arn: str, ids: Sequence[str]) -> dict[str, Any]:
    return {
        "community.aws.elb_target": {
            "target_group_arn": arn,
            "target_id": "{{ item }}",
            "target_port": 8000,
            "state": "present",
        },
        "loop": list(ids),
    }
