# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet behind a load balancer does, shown step by step; in the end all is as it was.

Every step raises LabError where the fleet does not do what the step says.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.account import Account, variables
from lab.fleet import Fleet, wait
from lab.machine import LabError
from lab.model import ROOT

# Seconds until health checks, or a launch, show: more than they take on a machine with other work to do.
NOTICED, LAUNCHED = 120.0, 420.0
# Who is found unhealthy meanwhile would be replaced afterwards, healthy again or not.
REPLACING = {"HealthCheck", "ReplaceUnhealthy"}
NONE_LOST = re.compile(r"\b[1-9]\d* requests, 0 failed")


Play = Callable[..., int]


def demonstrate(account: Account, play: Play, say: Callable[[str], None] = print) -> None:
    """Show the first fleet of a system. ``play`` runs ansible-playbook with its arguments; its exit status."""
    found = fleets(account)
    if not found:
        return
    fleet = found[0]
    wait("all instances are healthy targets", fleet.settled, LAUNCHED)
    two_zones(fleet, say)
    only_healthy_ones_get_requests(fleet, say)
    another_one_serves_untouched(fleet, say)
    no_request_is_lost_in_a_deploy(fleet, play, say)


def fleets(account: Account) -> list[Fleet]:
    """The fleets that a system declares, each with its first service."""
    told = variables(account.system)
    first = {service["fleet"]: service["name"] for service in reversed(told["platform_services"]) if "fleet" in service}
    return [
        Fleet(account, told["platform_name"], name, service, told["platform_domain"])
        for name, service in sorted(first.items())
    ]


def two_zones(fleet: Fleet, say: Callable[[str], None]) -> None:
    instances = fleet.instances()
    require(len(set(instances.values())) > 1, f"all instances are in one zone: {instances}")
    say(f"The fleet {fleet.group}: {', '.join(f'{one} in {zone}' for one, zone in instances.items())}")
    answers = fleet.who_answers()
    require(set(answers) == set(instances), f"not all instances answer: {answers}")
    say(f"Ten requests were answered by {shares(answers)}")


def only_healthy_ones_get_requests(fleet: Fleet, say: Callable[[str], None]) -> None:
    """Stop the service on one instance, which would be replaced for it, and start it again."""
    stopped, *others = fleet.instances()
    units = f"{fleet.service}.socket {fleet.service}.service"
    with kept_from_replacing(fleet):
        fleet.on(stopped, f"sudo systemctl stop {units}")
        try:
            wait(f"{stopped} is unhealthy", lambda: fleet.targets()[stopped]["State"] == "unhealthy", NOTICED)
            wait("the others get all requests", lambda: set(fleet.who_answers()) == set(others), NOTICED)
            say(f"{fleet.service} stopped on {stopped}: {fleet.targets()[stopped]['Description']}")
            say(f"Ten requests were answered by {shares(fleet.who_answers())}")
        finally:
            fleet.on(stopped, f"sudo systemctl start {units}")
        wait(f"{stopped} is healthy again", lambda: stopped in fleet.healthy(), NOTICED)
        wait("all get requests", lambda: set(fleet.who_answers()) == {stopped, *others}, NOTICED)
    say(f"Started again; ten requests were answered by {shares(fleet.who_answers())}")


def another_one_serves_untouched(fleet: Fleet, say: Callable[[str], None]) -> None:
    """One more instance than now, until it serves; then as many as before."""
    scaling, before = fleet.account.client("autoscaling"), set(fleet.instances())
    named = {"AutoScalingGroupName": fleet.group}
    scaling.set_desired_capacity(**named, DesiredCapacity=len(before) + 1)
    try:
        seconds = wait("another instance serves", lambda: serves_besides(fleet, before), LAUNCHED)
        (launched,) = set(fleet.who_answers()) - before
        say(f"One more was wanted: {launched} answered {seconds:.0f} s later, and nobody had touched it")
    finally:
        scaling.set_desired_capacity(**named, DesiredCapacity=len(before))
    wait("there are as many as before", fleet.settled, LAUNCHED)


def no_request_is_lost_in_a_deploy(fleet: Fleet, play: Play, say: Callable[[str], None]) -> None:
    """Another release and back, each while requests are sent; the last lines of each run say what became of them."""
    declared = declare_change(fleet)
    probe = ["--extra-vars", "platform_probe=true"]
    say("A deploy of a change, and then back, while requests are sent")
    for playbook, more in (("deploy", ["reason=demonstration"]), ("rollback", [f"service={fleet.service}"])):
        extra = [word for variable in more for word in ("--extra-vars", variable)]
        status = play(*declared, str(ROOT / "playbooks" / f"{playbook}.yml"), *probe, *extra)
        require(status == 0, f"{playbook}.yml failed with status {status}")
        told = (fleet.account.directory / "last-run.log").read_text(encoding="utf-8")
        require(bool(NONE_LOST.search(told)), f"{playbook}.yml lost requests, or sent none")


def declare_change(fleet: Fleet) -> list[str]:
    """Options that lead to a declaration of the system with another release of its service."""
    account, folder = fleet.account, fleet.account.directory / "declared"
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "tests")
    shutil.copytree(ROOT / "inventory" / account.system, folder / "inventory" / account.system, ignore=ignored)
    shutil.copytree(ROOT / "applications", folder / "applications", ignore=ignored)
    code: Path
    for code in folder.glob("applications/*/app.py"):
        code.write_text(code.read_text(encoding="utf-8") + "# A change.\n", encoding="utf-8")
    return ["--inventory", str(folder / "inventory" / account.system), *account.inventories[-2:]]


def serves_besides(fleet: Fleet, before: set[str]) -> bool:
    answers = fleet.who_answers()
    return len(set(answers) - before) == 1 and set(answers) <= set(fleet.instances())


@contextmanager
def kept_from_replacing(fleet: Fleet) -> Iterator[None]:
    """Unhealthy instances are not replaced meanwhile; who had that stand still already keeps it so."""
    scaling, named = fleet.account.client("autoscaling"), {"AutoScalingGroupName": fleet.group}
    ours = sorted(REPLACING - fleet.suspended())
    # Without a name all processes are meant.
    if ours:
        scaling.suspend_processes(**named, ScalingProcesses=ours)
    try:
        yield
    finally:
        if ours:
            scaling.resume_processes(**named, ScalingProcesses=ours)


def shares(answers: Counter[str]) -> str:
    return ", ".join(f"{instance} ({number})" for instance, number in sorted(answers.items()))


def require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise LabError(otherwise)
