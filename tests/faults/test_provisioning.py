# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building an account and tearing it down, while calls go wrong and runs are killed in every role.

A chain: each run meets the next fault, and stands on what the runs before it left half made. The run after the last
fault brings everything to the declared state.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.cloud import ControlPlane
from tests.faults.account import REGION, Provisioned
from tests.faults.results import Results

COMPLETE = Counter(
    {
        "VPC": 1,
        "subnet": 4,
        "Internet gateway": 1,
        "NAT gateway": 2,
        "Elastic IP": 2,
        # A table of the public subnets, and one of each zone's private subnet.
        "route table": 3,
        "security group": 3,
        # The bastion alone.
        "instance": 1,
        "launch template": 1,
        "key pair": 1,
        "load balancer": 1,
        "target group": 1,
        "role": 1,
        "instance profile": 1,
        "bucket": 1,
        "Auto Scaling group": 1,
    }
)
# What check mode says of what is missing.
FORESEEN = {
    "VPC": "create VPC autoscaled-vpc",
    "Internet gateway": "create Internet gateway autoscaled-internet",
    "bucket": "+bucket autoscaled-releases-",
    "load balancer": "+load balancer autoscaled-lb",
    "instance": "instance autoscaled-bastion: new",
    "launch template": "launch template autoscaled-web",
    "key pair": "key pair created",
    "Auto Scaling group": "Auto Scaling group autoscaled-web",
}
# The calls that build the account, in their order.
BUILDING = (
    "CreateVpc", "ModifyVpcAttribute", "CreateInternetGateway", "AttachInternetGateway", "CreateSubnet",
    "ModifySubnetAttribute", "AllocateAddress", "CreateNatGateway", "CreateRouteTable", "CreateRoute",
    "AssociateRouteTable", "CreateBucket", "PutBucketTagging", "PutBucketVersioning", "PutBucketPolicy",
    "PutBucketLifecycleConfiguration", "CreateRole", "PutRolePolicy", "CreateInstanceProfile",
    "AddRoleToInstanceProfile",
    "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "CreateTargetGroup", "ModifyTargetGroupAttributes",
    "CreateLoadBalancer", "CreateListener", "CreateRule", "ImportKeyPair",
    "RunInstances", "CreateLaunchTemplate", "CreateAutoScalingGroup", "PutLifecycleHook", "PutScalingPolicy",
    "UpdateAutoScalingGroup",
)  # fmt: skip
# What AWS makes twice when the answer is lost and the call is sent again: it takes no token, and no name of its own.
# The role network refuses two VPCs and says what to do; of the others it uses one.
TWICE = frozenset({"CreateVpc", "CreateInternetGateway", "AllocateAddress", "CreateRouteTable"})
# What has to be said of a call that had no effect.
SAID = {"refused": "not authorized|AccessDenied|UnauthorizedOperation", "limited": "LimitExceeded|vCPU limit"}
# Where the module of amazon.aws keeps why it failed to itself (-vvv shows it), what it says instead.
SILENT = {"ModifySubnetAttribute": "Failed to modify subnet"}
TEARDOWN = ("--extra-vars", "confirm=autoscaled delete_data=true")
# The tasks that build it, and those that tear it down.
TASKS = (
    "Bring the VPC to its declared state",
    "Bring the Internet gateway to its declared state",
    "Bring the subnets to their declared state",
    "Bring the Elastic IPs to their declared state",
    "Bring the NAT gateways to their declared state",
    "Bring the route tables to their declared state",
    "Create the bucket with its tags",
    "Close, encrypt and version the bucket",
    "Delete old versions in the course of time",
    "Bring the roles to their declared state",
    "Permit what is declared",
    "Bring the instance profiles to their declared state",
    "Bring the security groups to their declared state",
    "Bring the target groups to their declared state",
    "Bring the load balancer to its declared state, adding before removing",
    "Bring the key pair to its declared state",
    "Launch the instances",
    "Bring the launch templates to their declared state",
    "Bring the Auto Scaling groups to their state",
    "Bring the life-cycle hooks to their declared state",
    "Bring the scaling policies to their declared state",
)
REMOVAL = (
    "Remove the Auto Scaling groups",
    "Terminate the instances",
    "Remove the launch templates",
    "Remove the key pairs",
    "Remove the load balancer with its listeners",
    "Remove the target groups",
    "Bring the security groups to their declared state",
    "Remove the instance profiles",
    "Remove the roles",
    "Remove the NAT gateways",
    "Release the Elastic IPs of the NAT gateways",
    "Remove the route tables",
    "Remove the subnets",
    "Remove the Internet gateway",
    "Remove the VPC",
    "Remove the bucket itself",
)


@dataclass(frozen=True)
class Calls:
    """The first call of each operation goes wrong in one of the control plane's ways, in as many runs as that takes."""

    kinds: Mapping[str, str]


@dataclass(frozen=True)
class Kill:
    """The controller is killed so many seconds after a task began."""

    task: str
    delay: float


Step = Calls | Kill
# One of each kind, and one in each role.
SHORT: dict[str, Sequence[Step]] = {
    "building, a fault in each role": (
        Calls({"CreateSubnet": "refused"}),
        Kill("Bring the route tables to their declared state", 1.5),
        Calls({"PutBucketVersioning": "refused"}),
        Calls({"PutRolePolicy": "refused"}),
        Calls({"AuthorizeSecurityGroupIngress": "refused", "CreateTargetGroup": "lost", "CreateListener": "refused"}),
        Calls({"RunInstances": "limited"}),
        Kill("Launch the instances", 2.0),
        Calls({"CreateLaunchTemplate": "throttled", "CreateAutoScalingGroup": "throttled"}),
    )
}
EVERY: dict[str, Sequence[Step]] = {
    **SHORT,
    "building, every call refused": [Calls({name: "refused"}) for name in BUILDING],
    "building, limits of the account": [
        Calls({name: "limited"})
        for name in ("CreateVpc", "AllocateAddress", "CreateLoadBalancer", "RunInstances", "CreateAutoScalingGroup")
    ],
    "building, every call throttled": [Calls(dict.fromkeys(BUILDING, "throttled"))],
    "building, every call lost": [Calls({name: "lost" for name in BUILDING if name not in TWICE})],
    **{f"building, killed {delay} s into every task": [Kill(task, delay) for task in TASKS] for delay in (0.5, 1.5)},
}


@pytest.fixture(scope="session")
def regional_control_plane() -> Iterator[ControlPlane]:
    with ControlPlane(region=REGION) as cloud:
        yield cloud


@pytest.fixture
def account(regional_control_plane: ControlPlane, tmp_path: Path) -> Provisioned:
    regional_control_plane.reset()
    made = Provisioned(regional_control_plane, tmp_path)
    made.declare()
    return made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "chain" in metafunc.fixturenames:
        metafunc.parametrize("chain", EVERY if metafunc.config.getoption("--every-position") else SHORT)


def test_an_account_is_built_and_torn_down_whatever_goes_wrong(
    account: Provisioned, results: Results, every_position: bool, chain: str
) -> None:
    teardown = f"teardown, killed in {len(removal(every_position))} tasks/{chain}"
    if results.known(f"{chain}/chain") and results.known(teardown):
        return
    with results.position(f"{chain}/chain"):
        wrong = []
        for number, step in enumerate(EVERY[chain]):
            wrong += meet(account, step)
            if number == len(EVERY[chain]) // 2:
                check(account)
        status, output = account.run("provision")
        assert status == 0, output[-6000:]
        assert account.there() == COMPLETE
        status, output = account.run("provision")
        assert (status, "changed=0 " in output) == (0, True), output[-6000:]
        assert not wrong, "\n\n".join(wrong)
    with results.position(teardown):
        missed = [
            task for task in removal(every_position) if not account.run_and_kill(task, 0.5, "teardown", *TEARDOWN)
        ]
        status, output = account.run("teardown", *TEARDOWN)
        assert status == 0, output[-6000:]
        assert not account.there()
        assert not missed


def check(account: Provisioned) -> None:
    """Check mode says in words what is not there yet, and makes none of it."""
    half_built = account.there()
    status, output = account.run("provision", "--check", "--diff")
    assert (status, account.there()) == (0, half_built), output[-6000:]
    missing = COMPLETE - half_built
    unsaid = [kind for kind in missing if kind in FORESEEN and FORESEEN[kind] not in output]
    assert not unsaid, (unsaid, output[-6000:])


def removal(every_position: bool) -> Sequence[str]:
    return REMOVAL if every_position else REMOVAL[3:4]


def meet(account: Provisioned, step: Step) -> list[str]:
    """What is wrong with how runs ended that faults struck.

    What had no effect has to be told, throttled calls end no run, and an answer that is lost may.
    """
    if isinstance(step, Kill):
        return [] if account.run_and_kill(step.task, step.delay, "provision") else [f"{step}: the run was over before"]
    account.cloud.calls.clear()
    for operation, kind in step.kinds.items():
        account.cloud.faults.add(kind, 1, operation)
    struck: set[str] = set()
    for _run in step.kinds:
        status, output = account.run("provision")
        struck = {call.operation for call in account.cloud.calls.entries if call.fault}
        if status == 0 or struck >= step.kinds.keys():
            break
    account.cloud.faults.clear()
    wrong = [f"{operation} was never called in {step}" for operation in step.kinds if operation not in struck]
    said = [
        "|".join([SAID[kind], *([SILENT[operation]] if operation in SILENT else [])])
        for operation, kind in step.kinds.items()
        if kind in SAID
    ]
    right: object = True
    if said:
        right = status and re.search("|".join(said), output)
    elif set(step.kinds.values()) == {"throttled"}:
        right = not status
    return wrong if right else [*wrong, f"{step}: status {status}\n{output[-1500:]}"]
